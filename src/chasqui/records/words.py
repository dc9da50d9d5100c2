"""What is said: the Transcript, and the lines of its blobs."""

from __future__ import annotations

from typing import Literal

from chasqui.records.base import Blob, Failure, Record


class Tongue(Record):
    """A language that is spoken in the recording."""

    language: str | None  # ISO 639; None: the recogniser was too unsure for a name
    seconds: float
    probability: float | None = None  # mean, by whoever detected it; None: it was given, or nobody said


class Transcript(Record):
    """transcribe: what is said, or why nobody knows."""

    recording_id: str
    status: Literal["none", "done", "failed", "given"]  # given: by a person, not heard by a recogniser
    why: str
    failure: Failure | None = None
    words: Blob | None = None  # JSON Lines of Word
    listened: Blob | None = None  # JSON Lines of Listened
    word_count: int = 0
    heard_s: float = 0.0
    languages: tuple[Tongue, ...] = ()  # most spoken first
    dropped: dict[str, int] = {}  # words that nobody said, by sign: silence, repetition, rate
    recogniser: str | None = None  # its identity: what listened

    @property
    def settled(self) -> bool:
        return self.status != "failed"

    @property
    def language(self) -> str | None:
        """The language most of it is in, where that is known."""
        return self.languages[0].language if self.languages else None


class Word(Record):
    """One spoken word, punctuation attached; times count from the beginning of the recording."""

    text: str
    start_s: float
    end_s: float
    probability: float | None = None  # 0–1, by whoever heard it; None: nobody said


class Listened(Record):
    """A stretch that a recogniser listened to."""

    start_s: float
    end_s: float
    language: str | None
    language_probability: float | None
    confidence: float | None
    words: int
    dropped: dict[str, int] = {}
