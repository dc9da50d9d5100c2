"""What publishing stands on: the records of all stages, and the order of the promises."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import get_args

from chasqui.records import (
    Analysis,
    Blob,
    Certificate,
    Master,
    Plan,
    Recording,
    Renditions,
    Request,
    TargetName,
    Transcript,
    Turns,
)

#: From the weakest promise to the strongest.
PROMISES: tuple[TargetName, ...] = get_args(TargetName)
#: A title longer than this is a description.
TITLE_CHARACTERS = 160


@dataclass(frozen=True)
class Sources:
    """The records that publishing stands on."""

    request: Request
    recording: Recording
    master: Master
    analysis: Analysis
    transcript: Transcript
    plan: Plan
    renditions: Renditions
    certificate: Certificate
    turns: Turns | None = None  # None: made by hand, before anybody could ask

    @cached_property
    def title(self) -> str:
        """What the user calls it, else the title inside the file, else the file's name; one line, never empty."""
        stem = re.sub(r"[_\s]+", " ", Path(self.request.name).stem)
        for candidate in (self.request.title, self.recording.tags.get("title", ""), stem):
            if line := _one_line(candidate):
                return line
        return self.request.recording_id

    @property
    def voice(self) -> Blob:
        """The bytes that the promise is about."""
        return next(r.blob for r in self.renditions.renditions if r.name == "voice.opus")


def rank(promise: TargetName | None) -> int:
    """0 for no promise, then 1 for the weakest."""
    return 0 if promise is None else PROMISES.index(promise) + 1


def _one_line(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())[:TITLE_CHARACTERS].strip()
