"""Who speaks when: the Turns, and the lines of its blobs."""

from __future__ import annotations

from typing import Literal

from chasqui.records.base import Blob, Failure, Record


class Turns(Record):
    """diarize: who speaks when, and where phrases end; or why nobody looked."""

    recording_id: str
    status: Literal["none", "done", "failed"]
    why: str
    failure: Failure | None = None
    turns: Blob | None = None  # JSON Lines of Turn
    phrases: Blob | None = None  # JSON Lines of PhraseEnd
    speakers: int = 0
    spoken_s: dict[str, float] = {}  # by speaker, in the order in which they first speak
    overlap_s: float = 0.0  # in which two speak at once, as far as that was heard: most of it is not, see the docs
    windows: int = 0  # whose voice was compared
    method: str | None = None  # what told the voices apart, with its version

    @property
    def settled(self) -> bool:
        return self.status != "failed"


class Turn(Record):
    """One speaker, speaking. Turns of two speakers may lie over each other; those of one do not."""

    start_s: float
    end_s: float
    speaker: str  # "1", "2" … in the order in which they first speak


class PhraseEnd(Record):
    """A place where one would breathe: a pause, with what the voice does before it."""

    at_s: float  # where the voice stops
    pause_s: float
    strength: float  # 0–1: how much it sounds like the end of a phrase
