"""Datasets: the table beside the recordings, and the processes that work on them."""

from __future__ import annotations

from chasqui.errors.settings import BadConfig
from chasqui.errors.sound import Rejected
from chasqui.errors.world import TryAgain


class WorkerLost(TryAgain):
    exit_code = 84
    text = "The process that worked on {name} was ended from outside, twice ({why}); the other recordings went on."


class BadTable(BadConfig):
    exit_code = 85
    text = "The table of facts {path} cannot be used: {why}."


class EmptySource(Rejected):
    exit_code = 86
    text = "There is nothing to work on in {path}."
