"""Which rung of a segment to encode next: the rule that `choose` begins, `encode` goes on with and `train` judges.

First the cheapest rung that is likely enough to keep the target. Then, after each measurement, the curve is corrected:
up where the target was missed, down where a cheaper rung is expected to save more than another encode is worth.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from chasqui.metrics.targets import Target, keeps, margin
from chasqui.models.curve import Curve
from chasqui.records import Kind, Scores, TargetName

#: After a measurement missed: the next rung up is the cheapest one at least this likely. Going up in vain costs an
#: encode, going too far costs bytes for good.
STEP_UP = 0.6
#: No segment is encoded more often than this; then the best of what was tried is taken.
MOST = 6
#: A rung within this share of the best chance is as good as the best.
TIE = 0.02
#: Where even the dearest rung misses: a cheaper one that scores within this many steps of it, for what it saves.
NEAR_STEPS = 1.0
#: Segments with too little sound to be scored (a lone word between long pauses) go at a rung that is safe for most,
#: not at the cheapest: a word is a word.
UNSCORED: dict[TargetName, str] = {"understood": "voice-9", "comfortable": "voice-11", "clear": "voice-14"}
UNSCORED_MUSIC = "audio-14"


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
    if any(scores == Scores() for scores in seen.values()):
        safe = unscored(curve.kind, target)
        return safe if safe not in seen else None
    if len(seen) >= MOST:
        return None
    now = known(curve, seen)
    rungs = curve.card.rungs
    kept = kept_by(curve, seen, target)
    if not kept:
        return _dearer(now, seen, target)
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
    if any(scores == Scores() for scores in seen.values()):
        return unscored(curve.kind, target), True
    kept = kept_by(curve, seen, target)
    if kept:
        return kept[0], True
    return nearest(curve.kind, seen, [rung for rung in curve.card.rungs if rung in seen], target), False


def nearest(kind: Kind, seen: Mapping[str, Scores], tried: list[str], target: Target) -> str:
    """The cheapest of the tried rungs (cheap to dear) that scores within a step of the best of them."""
    margins = [margin(target, kind, seen[rung]) for rung in tried]
    return next(rung for rung, above in zip(tried, margins, strict=True) if above >= max(margins) - NEAR_STEPS)


def unscored(kind: Kind, target: Target) -> str:
    """The rung of a segment in which nothing can be scored."""
    return UNSCORED_MUSIC if kind == "music" else UNSCORED[target.name]


def known(curve: Curve, seen: Mapping[str, Scores]) -> Curve:
    """The curve after everything that was measured."""
    for rung, scores in seen.items():
        curve = curve.given(rung, scores)
    return curve


def kept_by(curve: Curve, seen: Mapping[str, Scores], target: Target) -> list[str]:
    """The tried rungs that keep the target, cheap to dear."""
    return [rung for rung in curve.card.rungs if rung in seen and keeps(target, curve.kind, seen[rung])]


def _dearer(now: Curve, seen: Mapping[str, Scores], target: Target) -> str | None:
    """Up from rungs that all missed. The last encode allowed goes to the dearest rung: only its miss shows that the
    target is out of reach. Then a cheaper one that comes as near is looked for, once.
    """
    rungs = now.card.rungs
    dearer = rungs[max(rungs.index(rung) for rung in seen) + 1 :]
    if dearer:
        return dearer[-1] if len(seen) >= MOST - 2 else _likely(now, target, STEP_UP, dearer)
    near = margin(target, now.kind, seen[rungs[-1]]) - NEAR_STEPS
    hoped = [rung for rung in rungs[:-1] if margin(target, now.kind, now.scores(rung)) >= near]
    return hoped[0] if hoped and hoped[0] not in seen and len(seen) < MOST else None


def _likely(curve: Curve, target: Target, level: float, among: tuple[str, ...]) -> str:
    """The cheapest rung this likely to keep the target; where none is, the cheapest of the likeliest."""
    chance = curve.chance(target)
    chances = [float(chance[curve.card.rungs.index(rung)]) for rung in among]
    enough = min(level, max(chances) * (1 - TIE))
    return next(rung for rung, p in zip(among, chances, strict=True) if p >= enough)
