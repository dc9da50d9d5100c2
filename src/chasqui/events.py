"""What a stage says while it works. Stages report; one place draws (rich bars, JSON lines, a jobs table …)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["started", "advanced", "finished", "reused", "warned", "failed"]


@dataclass(frozen=True)
class Event:
    """One thing that happened. `done` and `total` count in `unit` (usually "s", seconds of sound)."""

    kind: Kind
    stage: str
    recording_id: str
    done: float | None = None
    total: float | None = None
    unit: str | None = None
    message: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """A flat dictionary without the empty fields."""
        return {key: value for key, value in asdict(self).items() if value not in (None, {})}


Listener = Callable[[Event], None]


@dataclass(frozen=True)
class Report:
    """The handle a stage gets: it knows who is talking, so that the stage need not."""

    stage: str
    recording_id: str
    listener: Listener | None = None

    def say(self, kind: Kind, **what: Any) -> None:
        if self.listener is not None:
            self.listener(Event(kind, self.stage, self.recording_id, **what))

    def advanced(self, done: float, total: float | None, unit: str = "s") -> None:
        """`done` of `total` units are finished; total None means that nobody knows yet."""
        self.say("advanced", done=done, total=total, unit=unit)

    def warned(self, message: str, **facts: Any) -> None:
        """Something is worse than hoped, and the record will say so too."""
        self.say("warned", message=message, facts=facts)
