"""Recognisers: sound in, words with times out. Chosen by name; each back-end is one file, imported when it is named.

| name | what |
|---|---|
| `whisper:NAME_OR_FOLDER` | faster-whisper on this machine, with a pulled model or the model in a folder |
| `openai:MODEL@URL` | a service that speaks OpenAI's protocol; without `@URL`, `OPENAI_BASE_URL` or OpenAI's own |
| `pocketsphinx`, `pocketsphinx:FOLDER` | the small one: English, or the model in a folder |
| `memory:FILE` | words that are known already, for tests |

This leaf decides how each of them is asked, what happens when it does not answer, how speech is cut for it
(`stretches.py`), what is not believed (`filter.py`) and how what was heard is remembered (`ear.py`). Whose sound is
worth the time, and what to do with the words, is the caller's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, computed_field, field_validator

from chasqui.errors import (
    BadAnswer,
    BadModel,
    ChasquiError,
    KeyRefused,
    NoRecogniser,
    RecogniserLost,
    ServiceDown,
    WrongLanguage,
)
from chasqui.records import Word

if TYPE_CHECKING:  # options name recognisers; that must not cost every command the start of NumPy
    import numpy as np
    from numpy.typing import NDArray

#: The rate that every recogniser here takes.
RATE_HZ = 16_000

#: The file and class behind each kind of name.
KINDS = {
    "whisper": ("chasqui.asr.whisper", "Whisper"),
    "openai": ("chasqui.asr.openai", "OpenAI"),
    "pocketsphinx": ("chasqui.asr.sphinx", "Sphinx"),
    "memory": ("chasqui.asr.memory", "Memory"),
}
#: Kinds that were taught on wideband speech only: what they lose of narrowband, people do not (docs/verify.md).
WIDEBAND_ONLY = frozenset({"pocketsphinx"})

#: What a recogniser may fail with: it ends the listening and not the lesson. A full disk is not among them.
FAILS = (NoRecogniser, BadModel, WrongLanguage, KeyRefused, ServiceDown, RecogniserLost, BadAnswer)


class Settings(BaseModel):
    """How recognisers work. What only changes speed or patience stays out of keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", exclude=True)  # auto: a CUDA device if there is one
    threads: int = Field(default=0, ge=0, le=256, exclude=True)  # 0: as many as there are cores
    batch: int = Field(default=8, ge=1, le=64)  # pieces of 30 s at once; 8 fit into 8 GB with the largest model
    beam: int = Field(default=5, ge=1, le=20)  # Whisper's own default; 1 is about twice as fast and a little worse
    apart: bool = Field(default=True, exclude=True)  # local recognisers in a process of their own, which can be ended
    patience: float = Field(default=30.0, gt=0, exclude=True)  # times the length of the sound, before it counts as hung
    start_s: float = Field(default=300.0, gt=0, exclude=True)  # on top of that: to load 3 GB from a slow disk
    timeout_s: float = Field(default=300.0, gt=0, exclude=True)  # for one answer of a service
    attempts: int = Field(default=5, ge=1, le=20, exclude=True)  # at a service that is busy; waits double from 1 s


class Listening(BaseModel):
    """Who listens, and how hard: what the stages that listen are told alike."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # whisper:NAME_OR_FOLDER, openai:MODEL@URL, pocketsphinx …; None: nobody. What it is counts, not what it is called
    # or where it lies: see `heard_by`.
    recogniser: str | None = Field(default=None, exclude=True)
    language: str | None = Field(default=None, pattern="^[a-z]{2,3}$")  # ISO 639; None: detected, stretch by stretch
    beam: int = Field(default=5, ge=1, le=20)
    batch: int = Field(default=8, ge=1, le=64)
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", exclude=True)
    threads: int = Field(default=0, exclude=True)

    @field_validator("recogniser")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        if name and name.partition(":")[0] not in KINDS:  # a slip of the pen: told before an hour's work, not after
            raise ValueError(f"there is no recogniser of that kind; known: {', '.join(KINDS)}")
        return name or None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def heard_by(self) -> str | None:
        """The identity of the recogniser, the bytes of its model included: a part of the keys of what it heard."""
        if self.recogniser is None:
            return None
        try:
            return open_here(self.recogniser, self.settings).identity
        except ChasquiError as error:  # whoever listens will say it; nothing was heard, so nothing is reused
            return f"{self.recogniser} ({error.code})"

    def as_listening(self) -> Listening:
        """Only this, of options that hold more."""
        return Listening(**{name: getattr(self, name) for name in Listening.model_fields})

    @property
    def settings(self) -> Settings:
        return Settings(device=self.device, threads=self.threads, batch=self.batch, beam=self.beam)


@dataclass(frozen=True)
class Span:
    """A stretch of sound to listen to."""

    sound: NDArray[np.float32]  # [samples], mono, 16 kHz, full scale ±1
    start_s: float = 0.0  # where in the recording it begins; words come back in the recording's time
    pauses_s: tuple[float, ...] = ()  # where it may be cut, in the recording's time

    @property
    def seconds(self) -> float:
        return len(self.sound) / RATE_HZ

    @property
    def end_s(self) -> float:
        return self.start_s + self.seconds


@dataclass(frozen=True)
class Heard:
    """What a recogniser made of one span. Probabilities are its own, 0–1; None where it gives none."""

    words: tuple[Word, ...] = ()
    language: str | None = None  # ISO 639-1, what was asked for or what was detected
    language_probability: float | None = None  # None: not detected but given
    confidence: float | None = None  # mean probability of the text's tokens
    silence: float | None = None  # that nobody speaks at all


class Recogniser(Protocol):
    """What every back-end is. Opening one checks that it can be used and loads nothing; the first `hear` loads."""

    name: str

    @property
    def identity(self) -> str:
        """What listens: model, its bytes, package version. The same identity and settings mean the same words."""
        ...

    @property
    def languages(self) -> frozenset[str] | None:
        """ISO 639-1 codes of the languages it knows; None if it does not say."""
        ...

    def hear(self, spans: Sequence[Span], language: str | None = None) -> list[Heard]:
        """One Heard per span, in order. Spans may be of any length. Language None: detect it, per span.

        Raises:
            WrongLanguage: a language it does not know.
            NoRecogniser, BadModel: it cannot be started.
            RecogniserLost, ServiceDown: no answer in time (try again).
            KeyRefused, BadAnswer: a service that refuses us, or gives something that is no transcript.
        """
        ...

    def close(self) -> None:
        """Let go of its memory. Another `hear` starts it again."""
        ...


def open_recogniser(name: str, settings: Settings | None = None) -> Recogniser:
    """The recogniser of that name, checked but not loaded.

    Raises:
        NoRecogniser: no such kind, or its package is not installed (the message says which).
        BadModel, ModelAbsent: its model is not there, or is not one.
    """
    settings = settings or Settings()
    recogniser = open_here(name, settings)
    if settings.apart and getattr(recogniser, "may_hang", False):
        from chasqui.asr.apart import Apart

        return Apart(recogniser, settings)
    return recogniser


def open_here(name: str, settings: Settings) -> Recogniser:
    """The same, in this process."""
    kind, _, rest = name.partition(":")
    if kind not in KINDS:
        raise NoRecogniser(name=name, why=f"there is no recogniser of that kind; known: {', '.join(KINDS)}")
    module, made = KINDS[kind]
    recogniser: Recogniser = getattr(import_module(module), made)(rest, settings)
    return recogniser


def need(package: str, recogniser: str, extra: str) -> None:
    """Says what to install if a package is missing.

    Raises:
        NoRecogniser: with the install hint.
    """
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise NoRecogniser(name=recogniser, why=f'its package is not installed; run: pip install "chasqui[{extra}]"')


def check_language(recogniser: Any, language: str | None) -> None:
    """
    Raises:
        WrongLanguage: this recogniser says which languages it knows, and that is none of them.
    """
    known = recogniser.languages
    if language is not None and known is not None and language not in known:
        raise WrongLanguage(name=recogniser.name, language=language, known=", ".join(sorted(known)))
