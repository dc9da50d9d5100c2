"""Accounts, what they may do, and the database that they live in."""

# ruff: noqa: N818 - see `base.py`
from __future__ import annotations

from chasqui.errors.base import ChasquiError
from chasqui.errors.settings import BadConfig
from chasqui.errors.world import TryAgain


class NotInstalled(BadConfig):
    exit_code = 90
    text = 'For {what} this Chasqui lacks a package ({missing}). Install it with: pip install "chasqui[{extra}]"'


class CatalogAway(TryAgain):
    exit_code = 91
    text = "The database does not answer: {why}."


class CatalogNewer(BadConfig):
    exit_code = 92
    text = "The database was made by a newer Chasqui (version {found}; this one knows up to {known}). Update Chasqui."


class GaveUp(ChasquiError):
    exit_code = 93
    text = "The work at {stage} was begun {attempts} times and never came to its end; it will not be begun again."


class NotAllowed(ChasquiError):
    exit_code = 94
    text = "This account may not do that ({why})."


class NotSignedIn(NotAllowed):
    exit_code = 95
    text = "Nobody is signed in, or not any more. Please sign in."


class SignInRefused(NotAllowed):
    exit_code = 96
    text = "That is not right: please look at the address, the password and, if there is one, the code again."


class AccountLocked(NotAllowed):
    exit_code = 97
    text = "Too many wrong tries. Please wait {wait_s:.0f} s and try again."


class SecondFactorNeeded(NotAllowed):
    exit_code = 98
    text = "Please give the six digits that the app shows now, too."


class LinkSpent(NotAllowed):
    exit_code = 99
    text = "This link was used already or is too old. Please ask for another one."


class UnknownClass(NotAllowed):
    exit_code = 100
    text = "No class has this code. Please look at it again, letter by letter."


class SchoolClosed(NotAllowed):
    exit_code = 116
    text = "The school is closed. Whoever runs this service can open it again."


class LastOfRole(NotAllowed):
    exit_code = 117
    text = "{name} is the last {role} here. Give somebody else this role first."


class BadAccount(ChasquiError):
    exit_code = 101
    text = "The account cannot be made like that: {why}."


class WeakPassword(BadAccount):
    exit_code = 102
    text = "Please think of another password: {why}."


class NameTaken(BadAccount):
    exit_code = 103
    text = "{name} is taken already."


class UnknownScope(BadAccount):
    exit_code = 104
    text = "There is no permission {scope}. Known: {known}"


class UnknownThing(ChasquiError):
    exit_code = 105
    text = "There is no {kind} {name} here."
