"""What the policy would have done with segments whose every rung was measured: encodes spent, bytes, promises kept.

It calls `models.policy` itself, as `choose` and `encode` do, and answers its trials out of the sweep. The levels of a
policy are tuned here too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

import numpy as np

from chasqui.metrics.targets import TARGETS, Target, keeps
from chasqui.models import policy
from chasqui.models.card import Card, Levels
from chasqui.models.curve import Curve, Floats, predicted, wanted
from chasqui.records import Scores
from chasqui.train.fit_data import Data

#: An encode more per segment is worth this share of the bytes: a class is encoded once and carried to many. No policy
#: may bring less than the share KEPT to the target.
ENCODE_PRICE, KEPT = 0.15, 0.99
LEVELS = (0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9)
WORTHS = (0.05, 0.08, 0.1, 0.12, 0.16, 0.2, 0.3, 0.5)


class Outcome(NamedTuple):
    """How one segment fared."""

    first_kept: bool  # the first encode kept the target
    kept: bool  # what was taken in the end does
    reachable: bool  # some rung of the ladder does
    encodes: int
    bytes: float
    oracle_bytes: float


@dataclass(frozen=True)
class Remembering(Curve):
    """A curve that answers the same question only once: tuning asks it hundreds of times."""

    memo: dict[Any, Any] = field(default_factory=dict, compare=False)

    def chance(self, target: Target) -> Floats:
        if target.name not in self.memo:
            self.memo[target.name] = super().chance(target)
        found: Floats = self.memo[target.name]
        return found

    def given(self, rung: str, scores: Scores) -> Curve:
        key = (rung, scores)
        if key not in self.memo:
            self.memo[key] = remembering(super().given(rung, scores))
        found: Curve = self.memo[key]
        return found


def remembering(curve: Curve) -> Remembering:
    """The same curve, with a memory."""
    known = {one.name: getattr(curve, one.name) for one in fields(Curve)}
    return Remembering(**known)


def measured(data: Data, line: int, target: Target) -> dict[str, Scores]:
    """The scores of a segment at every rung, as far as `encode` measures them for a target."""
    asked = {
        metric: data.scores[line, row].tolist()
        for row, metric in enumerate(data.metrics)
        if wanted(target, data.kind, metric) is not None
    }
    return {
        rung: Scores(**{metric: values[at] for metric, values in asked.items()}) for at, rung in enumerate(data.rungs)
    }


def oracle(data: Data, scores: Mapping[str, Scores], sizes: Floats, target: Target) -> tuple[float, bool]:
    """(bytes of the cheapest rung that keeps the target, True), or of the one that comes nearest and False."""
    kept = [sizes[at] for at, rung in enumerate(data.rungs) if keeps(target, data.kind, scores[rung])]
    if kept:
        return float(min(kept)), True
    from chasqui.metrics.targets import margin

    margins = [margin(target, data.kind, scores[rung]) for rung in data.rungs]
    near = [sizes[at] for at, above in enumerate(margins) if above >= max(margins) - 1]
    return float(min(near)), False


def play(curve: Curve, target: Target, scores: Mapping[str, Scores], data: Data, line: int) -> Outcome:
    """One segment, encoded and measured as the policy says."""
    seen: dict[str, Scores] = {}
    rung: str | None = policy.first(curve, target)
    first = rung
    while rung is not None:
        seen[rung] = scores[rung]
        rung = policy.after(curve, seen, target)
    taken, kept = policy.settle(curve, seen, target)
    best, reachable = oracle(data, scores, data.bytes[line], target)
    spent = float(data.bytes[line, data.rungs.index(taken)])
    return Outcome(keeps(target, data.kind, scores[str(first)]), kept, reachable, len(seen), spent, best)


def curves(card: Card, outputs: Floats, data: Data) -> list[Curve]:
    """The curves of segments from what a model put out for them, shape [segments, outputs]."""
    return [
        remembering(predicted(card, line, float(seconds))) for line, seconds in zip(outputs, data.seconds, strict=True)
    ]


def played(found: Sequence[Curve], data: Data, target: Target) -> list[Outcome]:
    """All segments."""
    return [play(curve, target, measured(data, line, target), data, line) for line, curve in enumerate(found)]


class Sums(NamedTuple):
    """What matters of many outcomes."""

    regret: float  # bytes over the oracle's, −1; of segments that can reach the target
    first_kept: float  # share of those at target before the check
    kept: float  # and after it
    encodes: float  # per segment, all of them


def sums(outcomes: Sequence[Outcome]) -> Sums:
    """Over segments that can be brought to the target; encodes over all."""
    within = [one for one in outcomes if one.reachable]
    encodes = float(np.mean([one.encodes for one in outcomes])) if outcomes else 0.0
    if not within:
        return Sums(0.0, 1.0, 1.0, encodes)
    spent, best = sum(one.bytes for one in within), sum(one.oracle_bytes for one in within)
    kept = [float(np.mean(values)) for values in zip(*((one.first_kept, one.kept) for one in within), strict=True)]
    return Sums(spent / best - 1, kept[0], kept[1], encodes)


def price(score: Sums) -> float:
    """One number for how well a policy did: bytes over the oracle, with encodes and broken promises priced in."""
    return score.regret + ENCODE_PRICE * (score.encodes - 1) + 10 * max(KEPT - score.kept, 0)


def tuned(found: Sequence[Curve], data: Data, target: Target, constant: str) -> tuple[Levels, float]:
    """The levels with the lowest price, and that price."""
    scores = [measured(data, line, target) for line in range(len(data))]
    best: tuple[Levels, float] | None = None
    for level in LEVELS:
        for worth in WORTHS:
            levels = Levels(level=level, worth=worth, constant=constant)
            card = found[0].card.model_copy(update={"policy": {target.name: levels}})
            outcomes = [
                play(replace(curve, card=card), target, scores[line], data, line) for line, curve in enumerate(found)
            ]
            score = sums(outcomes)
            if best is None or price(score) < best[1]:
                best = levels, price(score)
    if best is None:
        raise ValueError("nothing to tune")
    return best


def constant(data: Data, target: Target, share: float = KEPT) -> str:
    """The cheapest rung that keeps the target on this share of the segments that can reach it, or the best."""
    kept = np.array(
        [
            [keeps(target, data.kind, scores) for scores in measured(data, line, target).values()]
            for line in range(len(data))
        ]
    )
    within = kept[kept.any(axis=1)]
    shares = within.mean(axis=0) if len(within) else np.ones(len(data.rungs))
    return data.rungs[int(np.argmax(shares >= min(share, shares.max())))]


def constants(data: Data) -> dict[str, str]:
    """By target."""
    return {name: constant(data, target) for name, target in TARGETS.items()}
