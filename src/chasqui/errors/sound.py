"""An input that will never work, and why."""

# ruff: noqa: N818 - see `base.py`
from __future__ import annotations

from chasqui.errors.base import ChasquiError


class Rejected(ChasquiError):
    exit_code = 10
    text = "{name} cannot be used: {why}"


class Unreadable(Rejected):
    exit_code = 11
    text = "{name} cannot be read: {why}."


class EmptyFile(Rejected):
    exit_code = 12
    text = "{name} is empty (0 bytes)."


class NotMedia(Rejected):
    exit_code = 13
    text = "{name} is not a sound or video file, whatever its name says ({why})."


class IsReference(Rejected):
    exit_code = 14
    text = (
        "{name} is a {kind} that points to other files or addresses. "
        "Chasqui never follows those: give it the recording itself."
    )


class NoAudio(Rejected):
    exit_code = 15
    text = "{name} has no sound in it (streams found: {streams})."


class Damaged(Rejected):
    exit_code = 16
    text = "{name} is damaged: no sound could be recovered from it ({why})."


class TooShort(Rejected):
    exit_code = 17
    text = "{name} holds only {duration_s:.2f} s of sound; a lesson needs at least {minimum_s:.0f} s."


class OnlySilence(Rejected):
    exit_code = 18
    text = "{name} holds only silence (loudest moment {peak_dbfs:.0f} dBFS)."


class TooSlow(Rejected):
    exit_code = 19
    text = "{name} could not be read within {limit_s:.0f} s; it was left alone."


class BadSound(Rejected):
    exit_code = 20
    text = "Nothing can be measured on {name}: {why}."
