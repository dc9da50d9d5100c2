"""Files on their way in."""

# ruff: noqa: N818 - see `base.py`
from __future__ import annotations

from chasqui.errors.base import ChasquiError
from chasqui.errors.world import TryAgain


class BadUpload(ChasquiError):
    exit_code = 106
    text = "The upload cannot go on: {why}."


class TooLarge(BadUpload):
    exit_code = 107
    text = "{name} has {bytes} bytes; one file may have {most}."


class NoRoom(BadUpload):
    exit_code = 108
    text = "There is no room for {name} ({bytes} bytes): the school has {left} left. Remove a lesson, or ask for more."


class WrongPlace(BadUpload):
    exit_code = 109
    text = "The upload is at byte {at}, not at {said}. Ask where it is, and go on from there."


class BadPiece(BadUpload):
    exit_code = 110
    text = "A piece of the upload arrived damaged and was thrown away. Send it again from byte {at}."


class UploadOver(BadUpload):
    exit_code = 111
    text = "This upload has ended ({why}). Begin a new one."


class UploadBusy(TryAgain):
    exit_code = 112
    text = "Somebody is sending to this upload already. Try again in a moment."


class ForbiddenAddress(ChasquiError):
    exit_code = 113
    text = "{url} is not a public address; only those are fetched."


class NotMadeYet(ChasquiError):
    exit_code = 114
    text = "{title} is not ready yet: wait until its work is done."


class OtherRequest(ChasquiError):
    exit_code = 115
    text = "This idempotency key belongs to another request ({why})."


class NothingToRetry(ChasquiError):
    exit_code = 118
    text = "The work {job} cannot be tried again: {why}."
