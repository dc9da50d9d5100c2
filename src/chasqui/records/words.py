"""What is said: the Transcript, and the lines of its blobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import SerializerFunctionWrapHandler, model_serializer

from chasqui.errors import ChasquiError
from chasqui.records.base import Blob, Failure, Record


class Given(Record):
    """captions: what a person brought to be read with the sound, as they brought it. Handed in, not made."""

    recording_id: str
    name: str  # of their file
    source: Blob | None = None  # None: taken away again, or `failure` says why there is nothing
    language: str | None = None  # where the file's name says it: clase.es.srt
    failure: Failure | None = None


class Laid(Record):
    """How captions that a person brought lie on the sound: sound = rate × caption + offset_s."""

    name: str
    format: str  # webvtt, srt, json
    encoding: str
    cues: int  # brought
    used: int
    offset_s: float
    rate: float
    certainty: float | None  # deviations above all other offsets; None: words that were heard told instead
    anchors: int  # words that a recogniser heard as well
    checked: bool  # False: too few to tell whether they fit
    dropped: dict[str, int] = {}  # cues, by sign: outside, silence, elsewhere, sound
    mended: tuple[str, ...] = ()  # what had to be put right in the file


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
    phrases: Blob | None = None  # JSON Lines of PhraseEnd: where a person ended their cues
    word_count: int = 0
    heard_s: float = 0.0
    languages: tuple[Tongue, ...] = ()  # most spoken first
    dropped: dict[str, int] = {}  # words that nobody said, by sign: silence, repetition, rate
    recogniser: str | None = None  # its identity: what listened
    captions: Laid | None = None  # where they are the words
    refused: Failure | None = None  # captions that were brought and are not the words: why

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
    speaker: str | None = None  # a number after who spoke first, or a name; None: nobody asked, or only one speaks

    @model_serializer(mode="wrap")
    def _without_nobody(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Where nobody asked who speaks, a word is what it was before anybody could."""
        facts: dict[str, Any] = written(self)
        if self.speaker is None:
            facts.pop("speaker", None)
        return facts


class Listened(Record):
    """A stretch that a recogniser listened to."""

    start_s: float
    end_s: float
    language: str | None
    language_probability: float | None
    confidence: float | None
    words: int
    dropped: dict[str, int] = {}


class LostWord(Record):
    """A word that the recogniser was sure of in the master, and did not hear in the encoded voice."""

    text: str
    start_s: float
    end_s: float
    heard: str | None  # in its place; None: nothing


class Reheard(Record):
    """A segment of the encoded voice that a recogniser listened to, beside what it heard of the master."""

    segment: int
    drawn: bool  # by lot; else because it keeps its promise narrowly
    words: int  # spoken words, of the master
    errors: int  # of the encoded voice: other words, missing ones, added ones
    sure: int  # written words of the master that the recogniser was sure of
    lost: tuple[LostWord, ...]  # of those
    first_errors: int  # as it was encoded before anybody listened
    first_lost: int
    raised: int = 0  # rungs, for the sake of its words


class Relistened(Record):
    """What came of listening to the encoded voice, or why nobody did."""

    status: Literal["none", "done", "failed"]
    why: str
    failure: Failure | None = None
    lines: Blob | None = None  # JSON Lines of Reheard
    recogniser: str | None = None  # its identity
    segments: int = 0  # with speech
    listened: int = 0  # of them
    budget_s: float = 0.0  # of sound that might be listened to, what was raised and heard again included
    spent_s: float = 0.0
    words: int = 0  # sums over the lines
    errors: int = 0
    sure: int = 0
    lost: int = 0
    drawn_words: int = 0  # of those drawn by lot, as they were first encoded: fair for all that was not listened to
    drawn_errors: int = 0
    raised: int = 0  # segments

    @classmethod
    def of(cls, told: Sequence[Reheard], **facts: Any) -> Relistened:
        """One with the sums over its lines."""
        drawn = [line for line in told if line.drawn]
        return cls(
            status="done",
            listened=len(told),
            words=sum(line.words for line in told),
            errors=sum(line.errors for line in told),
            sure=sum(line.sure for line in told),
            lost=sum(len(line.lost) for line in told),
            drawn_words=sum(line.words for line in drawn),
            drawn_errors=sum(line.first_errors for line in drawn),
            raised=sum(line.raised > 0 for line in told),
            **facts,
        )

    @classmethod
    def failed(cls, error: ChasquiError) -> Relistened:
        """What is said of words that could not be checked."""
        why = f"the recogniser failed ({error.code})"
        return cls(status="failed", why=why, failure=Failure.of(error))

    @property
    def rate(self) -> float | None:
        """Word error rate of what was listened to, against what was heard of the master."""
        return self.errors / self.words if self.words else None

    @property
    def drawn_rate(self) -> float | None:
        """The same of the segments drawn by lot, before any was raised."""
        return self.drawn_errors / self.drawn_words if self.drawn_words else None
