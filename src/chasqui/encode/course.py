"""Which rungs of one segment to encode, and which of them to keep: the policy of the models where a curve was foretold,
and rung by rung upwards where none was.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chasqui.codecs.opus import RUNGS, ladder
from chasqui.metrics.targets import TARGETS, Target, keeps
from chasqui.models import curve as curves
from chasqui.models import policy
from chasqui.models.card import Card
from chasqui.models.curve import Curve
from chasqui.records import Choice, Plan, Scores, Segment

#: Of a short lesson's speech, at least so many segments are drawn.
LEAST_DRAWN = 3


@dataclass(frozen=True)
class Course:
    """How one segment is brought to its target. Without a target it stays at the first rung.

    `quality`: whether what is asked cannot be judged without ViSQOL.
    """

    segment: Segment
    first: str
    target: Target | None
    curve: Curve | None = None
    quality: bool = False

    def after(self, seen: Mapping[str, Scores]) -> str | None:
        """The rung to encode after these measurements, None when there are enough."""
        if self.target is None or self.segment.kind == "silence":
            return None
        if self.curve is not None:
            return policy.after(self.curve, seen, self.target)
        if any(scores == Scores() for scores in seen.values()) or self._kept(seen):
            return None
        above = self._ladder[self._ladder.index(self._tried(seen)[-1]) + 1 :]
        return above[0] if above else None

    def settle(self, seen: Mapping[str, Scores]) -> tuple[str, bool]:
        """(the rung to publish, whether it keeps the target)."""
        if self.target is None or self.segment.kind == "silence":
            return self.first, True
        if self.curve is not None:
            return policy.settle(self.curve, seen, self.target)
        if kept := self._kept(seen):
            return kept[0], True
        return policy.nearest(self.segment.kind, seen, self._tried(seen), self.target), False

    @property
    def _ladder(self) -> list[str]:
        return [rung.name for rung in ladder(RUNGS[self.first].application)]

    def _tried(self, seen: Mapping[str, Scores]) -> list[str]:
        return [name for name in self._ladder if name in seen]

    def _kept(self, seen: Mapping[str, Scores]) -> list[str]:
        assert self.target is not None  # noqa: S101 - both callers have looked
        return [name for name in self._tried(seen) if keeps(self.target, self.segment.kind, seen[name])]


def courses(
    plan: Plan, segments: Sequence[Segment], choices: Sequence[Choice], cards: Mapping[str, Card]
) -> list[Course]:
    """A course for each segment. `cards`: by title, those that the plan's forecasts were made with."""
    free = plan.budget_bytes is None
    target = TARGETS[plan.promise] if plan.promise and free else None
    # A budget is spent towards the promise above, so that one must be judged too.
    quality = not free or (target is not None and target.speech_visqol is not None)

    def one(segment: Segment, choice: Choice) -> Course:
        told = choice.forecast
        curve = curves.again(told, cards[told.model]) if told and told.model in cards else None
        return Course(segment, choice.rung, target, curve, quality)

    return [one(segment, choice) for segment, choice in zip(segments, choices, strict=True)]


def by_lot(recording_id: str, segments: Sequence[Segment], share: float) -> frozenset[int]:
    """Speech segments drawn for a measurement that their promise does not need: the same ones every time."""
    speech = [segment.index for segment in segments if segment.kind == "speech"]
    count = min(len(speech), max(LEAST_DRAWN, round(share * len(speech)))) if share else 0
    return frozenset(random.Random(recording_id).sample(speech, count))
