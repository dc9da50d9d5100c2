"""Given bytes, spread over segments where they help most.

First the highest promise whose cheapest plan fits, then what is left over goes to the segments where a byte buys the
most towards the next promise (the convex hull of each segment's offers, steepest step first: Shoham & Gersho 1988).
Offers may be foretold or measured; the sum is as exact as they are.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chasqui.metrics.targets import TARGETS, Target, keeps, margin
from chasqui.models import policy
from chasqui.models.card import Metric
from chasqui.models.curve import Curve, natural
from chasqui.records import Kind, Scores, TargetName

ORDER: tuple[TargetName, ...] = tuple(TARGETS)


class Point(NamedTuple):
    """What a segment costs and scores at one rung: payload bytes, lacing included."""

    bytes: int
    scores: Scores


@dataclass(frozen=True)
class Offer:
    """The rungs that one segment may take. `weight`: how much it counts, its packets."""

    kind: Kind
    weight: int
    points: Mapping[str, Point]


@dataclass(frozen=True)
class Spread:
    """A rung per offer, in their order. `spent`: bytes beyond what the promise needs."""

    rungs: list[str]
    promise: TargetName | None
    goal: Target
    bytes: int
    spent: int


class TooSmall(ValueError):  # noqa: N818 - caught by name, never shown
    """Even the cheapest rungs need more: `bytes`."""

    def __init__(self, needed: int) -> None:
        super().__init__(f"{needed} bytes are needed")
        self.bytes = needed


def fit(offers: Sequence[Offer], asked: TargetName, room: int) -> Spread:
    """The best rungs within `room` bytes of payload.

    Raises:
        TooSmall: even the cheapest rung everywhere needs more.
    """
    rungs, promise = [cheapest(offer) for offer in offers], None
    if (need := total(offers, rungs)) > room:
        raise TooSmall(need)
    for name in ORDER[: ORDER.index(asked) + 1]:
        plan = [keeping(offer, TARGETS[name]) for offer in offers]
        if total(offers, plan) > room:
            break
        rungs, promise = plan, name
    goal = TARGETS[promise] if promise == asked else TARGETS[after(promise)]
    kept = total(offers, rungs)
    if promise != asked:
        safe = [_without_breaking(offer, rung, promise) for offer, rung in zip(offers, rungs, strict=True)]
        rungs = _spend(safe, rungs, goal, room)
    spread = total(offers, rungs)
    return Spread(rungs, promise, goal, spread, spread - kept)


def foretold(curve: Curve, seen: Mapping[str, Point], weight: int, goal: Target) -> Offer:
    """What a segment offers by its curve, after what was measured of it. Scores are those that are reached with the
    policy's certainty; sizes move with those that were measured.
    """
    now = policy.known(curve, {rung: point.scores for rung, point in seen.items()})
    lows = now.low(curve.card.policy[goal.name].level)
    points = dict(seen)
    for at, rung in enumerate(curve.card.rungs):
        if rung not in points:
            scores = {m: natural(m, float(lows[row, at])) for row, m in enumerate(curve.card.metrics)}
            points[rung] = Point(max(1, round(float(curve.sizes[at]) * _off(curve, seen, at))), _scores(scores))
    return Offer(curve.kind, weight, {rung: points[rung] for rung in curve.card.rungs})


def closeness(goal: Target, kind: Kind, scores: Scores) -> float:
    """How near scores come to a target, 0 (nothing) to 1 (reached), by the metric that is worst off."""
    parts = []
    if kind == "speech" and scores.estoi is not None:
        parts.append(scores.estoi / goal.speech_estoi)
    if kind == "speech" and scores.visqol is not None and goal.speech_visqol is not None:
        parts.append((scores.visqol - 1) / (goal.speech_visqol - 1))
    if kind == "music" and scores.visqol is not None:
        parts.append((scores.visqol - 1) / (goal.music_visqol - 1))
    return min(1.0, max(0.0, min(parts, default=1.0)))


def cheapest(offer: Offer) -> str:
    """The rung of the fewest bytes."""
    return min(offer.points, key=lambda name: offer.points[name].bytes)


def keeping(offer: Offer, target: Target) -> str:
    """The cheapest rung on offer that reaches the target, or comes within a step of the nearest."""
    points = offer.points
    kept = [name for name in points if keeps(target, offer.kind, points[name].scores)]
    if kept:
        return min(kept, key=lambda name: points[name].bytes)
    margins = {name: margin(target, offer.kind, point.scores) for name, point in points.items()}
    near = [name for name, above in margins.items() if above >= max(margins.values()) - policy.NEAR_STEPS]
    return min(near, key=lambda name: points[name].bytes)


def total(offers: Iterable[Offer], rungs: Iterable[str]) -> int:
    """Payload bytes of offers at these rungs."""
    return sum(offer.points[rung].bytes for offer, rung in zip(offers, rungs, strict=True))


def after(promise: TargetName | None) -> TargetName:
    """The promise above one."""
    return ORDER[0] if promise is None else ORDER[min(ORDER.index(promise) + 1, len(ORDER) - 1)]


def _off(curve: Curve, seen: Mapping[str, Point], at: int) -> float:
    """By what factor sizes were misjudged, at the measured rung that stands nearest."""
    rungs = curve.card.rungs
    tried = [rungs.index(rung) for rung in seen]
    if not tried:
        return 1.0
    near = min(tried, key=lambda place: (abs(place - at), place))
    return seen[rungs[near]].bytes / max(float(curve.sizes[near]), 1.0)


def _scores(values: Mapping[Metric, float]) -> Scores:
    return Scores(estoi=values.get("estoi"), visqol=values.get("visqol"))


def _without_breaking(offer: Offer, rung: str, promise: TargetName | None) -> Offer:
    """The rungs that spare bytes may lead to: none that breaks what is already kept. (The first wideband rung sounds
    better than the last narrowband one, and is understood a little less.)
    """
    if promise is None:
        return offer
    target, points = TARGETS[promise], offer.points
    kept = {name: point for name, point in points.items() if keeps(target, offer.kind, point.scores)}
    return Offer(offer.kind, offer.weight, {**kept, rung: points[rung]})


def _spend(offers: Sequence[Offer], rungs: Sequence[str], goal: Target, room: int) -> list[str]:
    """Climb the steepest steps towards the goal while they fit."""
    climbed, left = list(rungs), room - total(offers, rungs)
    steps: list[tuple[float, int, int, list[str]]] = []
    for index, offer in enumerate(offers):
        _push(steps, index, offer, _hull(offer, rungs[index], goal), goal)
    while steps:
        _, index, cost, hull = heapq.heappop(steps)
        if cost > left:
            continue
        left -= cost
        climbed[index] = hull[1]
        _push(steps, index, offers[index], hull[1:], goal)
    return climbed


def _push(
    steps: list[tuple[float, int, int, list[str]]], index: int, offer: Offer, hull: list[str], goal: Target
) -> None:
    if len(hull) > 1:
        here, there = offer.points[hull[0]], offer.points[hull[1]]
        gain = (closeness(goal, offer.kind, there.scores) - closeness(goal, offer.kind, here.scores)) * offer.weight
        heapq.heappush(steps, (-gain / (there.bytes - here.bytes), index, there.bytes - here.bytes, hull))


def _hull(offer: Offer, start: str, goal: Target) -> list[str]:
    """Rungs on the upper convex hull of (bytes, closeness) from `start` on, cheap to dear."""
    base = offer.points[start]
    points = sorted(
        (point.bytes, closeness(goal, offer.kind, point.scores), name) for name, point in offer.points.items()
    )
    hull = [(base.bytes, closeness(goal, offer.kind, base.scores), start)]
    for point in points:
        if point[0] <= hull[0][0] or point[1] <= hull[-1][1]:
            continue
        while len(hull) > 1 and _slope(hull[-2], point) >= _slope(hull[-2], hull[-1]):
            hull.pop()
        hull.append(point)
    return [name for _, _, name in hull]


def _slope(a: tuple[int, float, str], b: tuple[int, float, str]) -> float:
    return (b[1] - a[1]) / (b[0] - a[0])
