"""Recognisers, services and captions."""

# ruff: noqa: N818 - see `base.py`
from __future__ import annotations

from chasqui.errors.base import ChasquiError
from chasqui.errors.settings import BadConfig
from chasqui.errors.world import TryAgain


class ServiceDown(TryAgain):
    exit_code = 54
    text = "{url} cannot be used now: {why}."


class RecogniserLost(TryAgain):
    exit_code = 55
    text = "The recogniser {name} was lost: {why}."


class NoRecogniser(BadConfig):
    exit_code = 51
    text = "The recogniser {name} cannot be used: {why}."


class NoDiarizer(BadConfig):
    exit_code = 60
    text = "{name} cannot tell voices apart: {why}."


class WrongLanguage(BadConfig):
    exit_code = 52
    text = "The recogniser {name} does not know the language {language}; it knows {known}."


class KeyRefused(BadConfig):
    exit_code = 53
    text = "{url} does not let us in: {why}. A valid key belongs into OPENAI_API_KEY."


class BadAnswer(ChasquiError):
    exit_code = 56
    action = "degrade"
    text = "{url} answered with something that is no transcript: {why}."


class BadCaptions(ChasquiError):
    exit_code = 57
    action = "degrade"
    text = "{name} cannot be read as captions: {why}."


class CaptionsMisfit(BadCaptions):
    exit_code = 59
    text = "The captions {name} are not used, because they do not fit the sound: {why}."
