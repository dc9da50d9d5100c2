"""Which rung of a segment to encode next: the rule that `choose` begins, `encode` goes on with and `train` judges.

First the cheapest rung that is likely enough to keep the target. Then, after each measurement, the curve is corrected:
up where the target was missed, down where a cheaper rung is expected to save more than another encode is worth.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from chasqui.metrics.targets import Target, keeps, margin
from chasqui.models.curve import Curve
from chasqui.records import Scores

#: After a measurement missed: the next rung up is the cheapest one at least this likely. Going up in vain costs an
#: encode, going too far costs bytes for good.
STEP_UP = 0.6
#: No segment is encoded more often than this; then the best of what was tried is taken.
MOST = 6
#: A rung within this of the best chance is as good as the best.
TIE = 0.02


def first(curve: Curve, target: Target) -> str:
    """The rung to encode first."""
    return _likely(curve, target, curve.card.policy[target.name].level, curve.card.rungs)


def after(curve: Curve, seen: Mapping[str, Scores], target: Target) -> str | None:
    """The rung to encode after these measurements, None when the search is over.

    Args:
        curve: as predicted, before any measurement.
        seen: what was measured, by rung.
        target: the promise.
    """
    if len(seen) >= MOST:
        return None
    now = known(curve, seen)
    rungs = curve.card.rungs
    kept = kept_by(curve, seen, target)
    if not kept:
        highest = max(rungs.index(rung) for rung in seen)
        dearer = rungs[highest + 1 :]
        return _likely(now, target, STEP_UP, dearer) if dearer else None
    best = rungs.index(kept[0])
    tempting = [index for index in range(best) if rungs[index] not in seen]
    if not tempting:
        return None
    chance = now.chance(target)
    saved = [float(chance[index] * (1 - curve.sizes[index] / curve.sizes[best])) for index in tempting]
    most = int(np.argmax(saved))
    return rungs[tempting[most]] if saved[most] >= curve.card.policy[target.name].worth else None


def settle(curve: Curve, seen: Mapping[str, Scores], target: Target) -> tuple[str, bool]:
    """(the rung to keep, whether it keeps the target): the cheapest that does, else the one that comes nearest; within
    a step of that, the cheapest.
    """
    kept = kept_by(curve, seen, target)
    if kept:
        return kept[0], True
    tried = [rung for rung in curve.card.rungs if rung in seen]
    margins = [margin(target, curve.kind, seen[rung]) for rung in tried]
    return next(rung for rung, above in zip(tried, margins, strict=True) if above >= max(margins) - 1), False


def known(curve: Curve, seen: Mapping[str, Scores]) -> Curve:
    """The curve after everything that was measured."""
    for rung, scores in seen.items():
        curve = curve.given(rung, scores)
    return curve


def kept_by(curve: Curve, seen: Mapping[str, Scores], target: Target) -> list[str]:
    """The tried rungs that keep the target, cheap to dear."""
    return [rung for rung in curve.card.rungs if rung in seen and keeps(target, curve.kind, seen[rung])]


def _likely(curve: Curve, target: Target, level: float, among: tuple[str, ...]) -> str:
    """The cheapest rung this likely to keep the target; where none is, the cheapest of the likeliest."""
    chance = curve.chance(target)
    chances = [float(chance[curve.card.rungs.index(rung)]) for rung in among]
    enough = min(level, max(chances) - TIE)
    return next(rung for rung, p in zip(among, chances, strict=True) if p >= enough)
