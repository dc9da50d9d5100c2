"""Options, settings and models that make no sense."""

# ruff: noqa: N818 - see `base.py`
from __future__ import annotations

from chasqui.errors.base import ChasquiError


class BadConfig(ChasquiError):
    exit_code = 2
    text = "{why}"


class BadModel(BadConfig):
    exit_code = 36
    text = "The model {path} cannot be used: {why}."


class ModelAbsent(BadModel):
    exit_code = 50
    text = (
        "The model {path} is not on this machine ({why}). Run `chasqui models pull {path}` where there is a network, "
        "or copy its folder here and give that."
    )


class BadTraining(BadConfig):
    exit_code = 37
    text = "Nothing can be learnt from {path}: {why}."


class NoSpeech(BadTraining):
    exit_code = 46
    text = "There is nothing to learn from in {path}: no recording of speech of at least 4 s that can be read."


class OneSpeaker(BadTraining):
    exit_code = 47
    text = (
        "All speech in {path} counts as one speaker ({speaker}), so none can be held out to test what was learnt. "
        "Give recordings of two speakers or more, a folder for each."
    )
