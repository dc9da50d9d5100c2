"""A byte budget for one recording or for a whole unit of them. The spreading itself is `models/budget.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chasqui.choose.opus import THIN, Tried
from chasqui.errors import BadConfig
from chasqui.metrics.targets import TARGETS, Target, margin
from chasqui.models import budget
from chasqui.models.budget import ORDER, Offer, Point, Spread, TooSmall
from chasqui.records import Choice, Segment, TargetName

#: A target that nothing reaches in ESTOI or ViSQOL: its search ends at the cheapest rung, which every budget starts
#: from.
_NOTHING = Target("understood", speech_estoi=0.0, speech_visqol=None, music_visqol=0.0)


@dataclass(frozen=True)
class Fitted:
    """Choices whose bytes, with the container, fit the budget."""

    choices: list[Choice]
    promise: TargetName | None
    why: str


@dataclass(frozen=True)
class Share:
    """What one recording of a unit gets: bytes of voice.opus, container included."""

    bytes: int
    promise: TargetName | None


def considered(asked: TargetName) -> tuple[Target, ...]:
    """The targets to search for: the cheapest rung, then every promise up to the one asked for."""
    return (_NOTHING, *(TARGETS[name] for name in ORDER[: ORDER.index(asked) + 1]))


def fit(
    tried: list[Tried], segments: list[Segment], asked: TargetName, budget_bytes: int, container_bytes: int
) -> Fitted:
    """The best plan within the budget, of rungs that were tried.

    Raises:
        BadConfig: even the cheapest rung everywhere needs more.
    """
    offers = [
        Offer(t.kind, segment.packets, {name: Point(trial.bytes, trial.scores) for name, trial in t.trials.items()})
        for t, segment in zip(tried, segments, strict=True)
    ]
    try:
        spread = budget.fit(offers, asked, budget_bytes - container_bytes)
    except TooSmall as error:
        raise too_small(budget_bytes, error.bytes + container_bytes) from error
    why = told(spread, asked)
    held = TARGETS[spread.promise] if spread.promise else None
    chosen = [_choice(t, rung, held, why) for t, rung in zip(tried, spread.rungs, strict=True)]
    return Fitted(chosen, spread.promise, why)


def split(unit: Mapping[str, tuple[Sequence[Offer], int]], asked: TargetName, budget_bytes: int) -> dict[str, Share]:
    """Each recording's share of a unit's bytes: one promise for all where the bytes suffice, and what is left over
    where it brings most, whichever recording that is in.

    Args:
        unit: per recording its offers and the bytes of its container.
        asked: the highest promise that bytes are spent on.
        budget_bytes: for all recordings together.

    Raises:
        BadConfig: even the cheapest rungs need more.
    """
    offers = [offer for theirs, _ in unit.values() for offer in theirs]
    containers = sum(container for _, container in unit.values())
    try:
        spread = budget.fit(offers, asked, budget_bytes - containers)
    except TooSmall as error:
        raise too_small(budget_bytes, error.bytes + containers) from error
    shares, at = {}, 0
    for name, (theirs, container) in unit.items():
        rungs = spread.rungs[at : at + len(theirs)]
        shares[name] = Share(budget.total(theirs, rungs) + container, spread.promise)
        at += len(theirs)
    return shares


def too_small(budget_bytes: int, needed: int) -> BadConfig:
    """What is said of a budget that nothing fits."""
    return BadConfig(why=f"The budget of {budget_bytes} bytes is too small: the cheapest encode needs {needed} bytes.")


def told(spread: Spread, asked: TargetName) -> str:
    """In words, what the bytes suffice for."""
    if spread.promise == asked:
        return f"the budget keeps {asked!r} everywhere; the bytes it does not need stay unspent"
    kept = (
        f"the budget keeps {spread.promise!r}"
        if spread.promise
        else "the budget is too small to keep any promise everywhere"
    )
    return f"{kept}; {spread.spent} bytes more went where they bring most towards {spread.goal.name!r}"


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
