"""The in-memory twin: a recogniser that knows beforehand what is said, and when. For tests, and for trying things out.

`memory:FILE` reads JSON: `{"language": "es", "words": [{"text": "Hola", "start_s": 0.5, "end_s": 0.9}], "takes_s": 0}`.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from chasqui.asr import Heard, Settings, Span, check_language
from chasqui.errors import BadModel
from chasqui.records import Word


class Known(BaseModel):
    """What the twin knows of the recording."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: tuple[Word, ...] = ()
    language: str | None = None
    languages: tuple[str, ...] | None = None  # what it would know; None: does not say
    takes_s: float = 0.0  # how long each answer takes, to try out what happens when it is long


class Memory:
    """Hears a known word in the span in which its middle lies."""

    may_hang = True

    def __init__(self, file: str = "", settings: Settings | None = None, known: Known | None = None) -> None:
        self.name = f"memory:{file}" if file else "memory"
        self.known = known or (_read(Path(file)) if file else Known())

    @property
    def identity(self) -> str:
        return "memory-" + hashlib.sha256(self.known.model_dump_json().encode()).hexdigest()[:16]

    @property
    def languages(self) -> frozenset[str] | None:
        return None if self.known.languages is None else frozenset(self.known.languages)

    def hear(self, spans: Sequence[Span], language: str | None = None) -> list[Heard]:
        """The known words of each span. The sound itself is not looked at."""
        check_language(self, language)
        time.sleep(self.known.takes_s)
        detected = 1.0 if language is None and self.known.language else None
        return [Heard(self._within(span), language or self.known.language, detected) for span in spans]

    def _within(self, span: Span) -> tuple[Word, ...]:
        return tuple(w for w in self.known.words if span.start_s <= (w.start_s + w.end_s) / 2 < span.end_s)

    def close(self) -> None:
        """Nothing to let go of."""


def _read(file: Path) -> Known:
    try:
        return Known.model_validate(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise BadModel(path=str(file), why=f"not a list of words: {error}") from error
