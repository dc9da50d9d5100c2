"""Talking to a server of ours from afar."""

# ruff: noqa: N818 - see `base.py`
from __future__ import annotations

from chasqui.errors.base import ChasquiError
from chasqui.errors.settings import BadConfig
from chasqui.errors.world import TryAgain


class ServerAway(TryAgain):
    exit_code = 65
    text = "{url} does not answer ({why}). What arrived there is kept: the same command goes on from there."


class Garbled(TryAgain):
    exit_code = 66
    text = "{name} did not arrive as it was sent ({why}); nothing of it was kept."


class NoServer(BadConfig):
    exit_code = 67
    text = "{url} is not a server of Chasqui: {why}."


class ServerSaid(ChasquiError):
    exit_code = 68
    text = "{url} refuses: {detail}"


class JobCancelled(ChasquiError):
    exit_code = 69
    text = "Somebody cancelled the work on {name}."
