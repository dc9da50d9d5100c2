"""What others put on the web and we fetch, and guarding the doors."""

# ruff: noqa: N818 - see `base.py`
from __future__ import annotations

from chasqui.errors.base import ChasquiError
from chasqui.errors.people import NotAllowed
from chasqui.errors.world import TryAgain


class BadLink(ChasquiError):
    exit_code = 125
    text = "What lies behind {url} cannot be fetched: {why}."


class BadFeed(BadLink):
    exit_code = 87
    text = "{url} is no feed that can be read: {why}."


class LinkAway(TryAgain):
    exit_code = 88
    text = "{url} does not answer as it should ({why}). Try again later."


class TooManyTries(NotAllowed):
    exit_code = 89
    text = "Too many tries from this place. Please wait {wait_s:.0f} s and try again."


class SecondFactorMissing(NotAllowed):
    exit_code = 81
    text = "Whoever changes other people's accounts needs a second factor. Set one up first, then sign in again."
