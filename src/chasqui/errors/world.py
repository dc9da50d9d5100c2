"""The world, the store and ourselves: what may pass, what was asked too early, and our own mistakes."""

# ruff: noqa: N818 - see `base.py`
from __future__ import annotations

from typing import Any

from chasqui.errors.base import ChasquiError


class TryAgain(ChasquiError):
    exit_code = 30
    action = "retry"
    text = "Not now: {why}"


class DiskFull(TryAgain):
    exit_code = 31
    text = "The disk is full ({path}). Nothing was left half-written; free some space and run the same command again."


class StoreBusy(TryAgain):
    exit_code = 32
    text = "Another process has been working on {what} for more than {limit_s:.0f} s."


class NotWritable(ChasquiError):
    exit_code = 33
    text = "Cannot write to {path}: {why}."


class NotReady(ChasquiError):
    exit_code = 34
    text = "{stage} needs {needs} first. Run: chasqui {needs} {recording_id}"


class UnknownLesson(ChasquiError):
    exit_code = 35
    text = "There is no lesson or recording {wanted!r} in {store}. Known: {known}"


class Ambiguous(UnknownLesson):
    text = "{wanted!r} could be any of: {known}. Give the id, or more of the name."


class Defect(ChasquiError):
    exit_code = 1
    text = "Chasqui failed on {name} ({what}). That is a defect of ours: run again with CHASQUI_DEBUG=1 to see where."


class PromiseBroken(ChasquiError):
    exit_code = 40
    text = "The encoded sound does not keep its promise ({why}); nothing was published."

    def __init__(self, **evidence: Any) -> None:
        if {"missed", "segments", "target"} <= evidence.keys():
            evidence.setdefault("why", "{missed} of {segments} segments miss {target!r}".format_map(evidence))
        super().__init__(**evidence)
