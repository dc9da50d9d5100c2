"""Given bytes, spread over segments where they help most.

First the highest promise whose cheapest plan fits, then what is left over goes to the segments where a byte buys the
most towards the next promise (the convex hull of each segment's trials, steepest step first: Shoham & Gersho 1988).
Only measured trials count, so the sum of bytes is exact and a larger budget never keeps a smaller promise.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from chasqui.choose.opus import THIN, Tried
from chasqui.errors import BadConfig
from chasqui.metrics.targets import TARGETS, Target, margin
from chasqui.records import Choice, Kind, Scores, Segment, TargetName

_ORDER: tuple[TargetName, ...] = tuple(TARGETS)

#: A target that nothing reaches in ESTOI or ViSQOL: its search ends at the cheapest rung, which every budget starts
#: from.
_NOTHING = Target("understood", speech_estoi=0.0, speech_visqol=None, music_visqol=0.0)


@dataclass(frozen=True)
class Fitted:
    """Choices whose bytes, with the container, fit the budget."""

    choices: list[Choice]
    promise: TargetName | None
    why: str


def considered(asked: TargetName) -> tuple[Target, ...]:
    """The targets to search for: the cheapest rung, then every promise up to the one asked for."""
    return (_NOTHING, *(TARGETS[name] for name in _ORDER[: _ORDER.index(asked) + 1]))


def fit(
    tried: list[Tried], segments: list[Segment], asked: TargetName, budget_bytes: int, container_bytes: int
) -> Fitted:
    """The best plan within the budget.

    Raises:
        BadConfig: even the cheapest rung everywhere needs more.
    """
    room = budget_bytes - container_bytes
    least = {t.index: _cheapest(t) for t in tried}
    if (need := _total(tried, least)) > room:
        raise BadConfig(
            why=f"The budget of {budget_bytes} bytes is too small: "
            f"the cheapest encode needs {need + container_bytes} bytes."
        )
    rungs, promise = least, None
    for name in _ORDER[: _ORDER.index(asked) + 1]:
        plan = {t.index: _keeping(t, TARGETS[name]) for t in tried}
        if _total(tried, plan) > room:
            break
        rungs, promise = plan, name
    goal = TARGETS[promise or _ORDER[0]] if promise == asked else TARGETS[_next(promise)]
    kept = _total(tried, rungs)
    if promise != asked:
        rungs = _spend(tried, segments, rungs, goal, room)
    why = _why(promise, asked, goal, _total(tried, rungs) - kept)
    held = TARGETS[promise] if promise else None
    return Fitted([_choice(t, rungs[t.index], held, why) for t in tried], promise, why)


def _next(promise: TargetName | None) -> TargetName:
    return _ORDER[0] if promise is None else _ORDER[_ORDER.index(promise) + 1]


def _spend(
    tried: list[Tried], segments: list[Segment], rungs: dict[int, str], goal: Target, room: int
) -> dict[int, str]:
    """Climb the steepest steps towards the goal while they fit."""
    rungs, left = dict(rungs), room - _total(tried, rungs)
    steps: list[tuple[float, int, int, list[str]]] = []
    for t in tried:
        hull = _hull(t, rungs[t.index], goal)
        _push(steps, t, hull, goal, segments[t.index].packets)
    while steps:
        _, index, cost, hull = heapq.heappop(steps)
        if cost > left:
            continue
        left -= cost
        rungs[index] = hull[1]
        _push(steps, tried[index], hull[1:], goal, segments[index].packets)
    return rungs


def _push(
    steps: list[tuple[float, int, int, list[str]]], t: Tried, hull: list[str], goal: Target, packets: int
) -> None:
    if len(hull) > 1:
        here, there = t.trials[hull[0]], t.trials[hull[1]]
        gain = (closeness(goal, t.kind, there.scores) - closeness(goal, t.kind, here.scores)) * packets
        heapq.heappush(steps, (-gain / (there.bytes - here.bytes), t.index, there.bytes - here.bytes, hull))


def _hull(t: Tried, start: str, goal: Target) -> list[str]:
    """Rungs on the upper convex hull of (bytes, closeness) from `start` on, cheap to dear."""
    base = t.trials[start]
    points = sorted(
        ((trial.bytes, closeness(goal, t.kind, trial.scores), name) for name, trial in t.trials.items()),
    )
    hull = [(base.bytes, closeness(goal, t.kind, base.scores), start)]
    for point in points:
        if point[0] <= hull[0][0] or point[1] <= hull[-1][1]:
            continue
        while len(hull) > 1 and _slope(hull[-2], point) >= _slope(hull[-2], hull[-1]):
            hull.pop()
        hull.append(point)
    return [name for _, _, name in hull]


def _slope(a: tuple[int, float, str], b: tuple[int, float, str]) -> float:
    return (b[1] - a[1]) / (b[0] - a[0])


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


def _cheapest(t: Tried) -> str:
    return min(t.trials, key=lambda name: t.trials[name].bytes)


def _keeping(t: Tried, target: Target) -> str:
    """The cheapest tried rung that reaches the target, or the one that comes nearest."""
    kept = [name for name in t.trials if margin(target, t.kind, t.trials[name].scores) >= 0]
    if kept:
        return min(kept, key=lambda name: t.trials[name].bytes)
    return max(t.trials, key=lambda name: (margin(target, t.kind, t.trials[name].scores), -t.trials[name].bytes))


def _total(tried: list[Tried], rungs: dict[int, str]) -> int:
    return sum(t.trials[rungs[t.index]].bytes for t in tried)


def _why(promise: TargetName | None, asked: TargetName, goal: Target, spent: int) -> str:
    if promise == asked:
        return f"the budget keeps {asked!r} everywhere; the bytes it does not need stay unspent"
    kept = f"the budget keeps {promise!r}" if promise else "the budget is too small to keep any promise everywhere"
    return f"{kept}; {spent} bytes more went where they bring most towards {goal.name!r}"


def _choice(t: Tried, rung: str, held: Target | None, why: str) -> Choice:
    trial = t.trials[rung]
    above = margin(held, t.kind, trial.scores) if held else THIN  # no promise: nothing to doubt, nothing to miss
    return Choice(
        segment=t.index,
        rung=rung,
        expected=trial.scores,
        measured=True,
        doubtful=t.kind != "silence" and above < THIN,
        reachable=above >= 0,
        bytes=trial.bytes,
        why=why,
    )
