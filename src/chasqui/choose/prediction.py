"""The rung of each segment as the models foretell it: no encode, milliseconds for a whole class.

What the models doubt is settled later, by encode, which measures every segment in the finished stream.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from chasqui.choose import Options
from chasqui.choose.budget import told, too_small
from chasqui.codecs.opus import RUNGS, ladder
from chasqui.metrics.targets import TARGETS, Target
from chasqui.models import budget as budgets
from chasqui.models import load, policy
from chasqui.models.budget import Offer, Point, TooSmall
from chasqui.models.card import Card
from chasqui.models.curve import Curve, forecast
from chasqui.models.load import ModelKind
from chasqui.records import Choice, Scores, Segment, TargetName

#: A chance between these is a doubt; outside, the prediction is as good as certain.
DOUBT = (0.05, 0.95)
#: A budget this much under what the cheapest rungs are foretold to need is refused before anything is encoded.
NEARLY = 1.05
#: Bytes per second that a segment without any forecast is taken to need, as a share of its rung's rate.
SHARE_OF_RATE = 0.95


@dataclass(frozen=True)
class Foretold:
    """What the models say about a whole recording."""

    choices: list[Choice]
    promise: TargetName | None
    why: str


def folder(own: Path | None) -> Path:
    """Where the models lie."""
    return own or load.SHIPPED


def cards(own: Path | None) -> dict[ModelKind, Card]:
    """The cards of the models that will be asked, by kind.

    Raises:
        BadModel: one of them is missing, damaged, or made for something else.
    """
    return {kind: load.card(kind, folder(own)) for kind in get_args(ModelKind)}


def choices(path: Path, segments: list[Segment], asked: TargetName, options: Options, container_bytes: int) -> Foretold:
    """A choice for each segment, from the features file at `path`.

    Raises:
        BadModel: a model is missing, damaged, or was trained on other features.
        BadConfig: the budget is far smaller than the cheapest possible encode.
    """
    curves = foretell(path, segments, options.models)
    known = cards(options.models)
    if options.budget_bytes is not None:
        return _within(segments, curves, known, asked, options.budget_bytes, container_bytes)
    chosen = [_choice(segment, curve, TARGETS[asked], known) for segment, curve in zip(segments, curves, strict=True)]
    why = f"each segment at the cheapest rung that will probably keep {asked!r}; encode measures and corrects"
    return Foretold(chosen, asked, why)


def offers(
    segments: list[Segment], curves: list[Curve | None], known: dict[ModelKind, Card], asked: TargetName
) -> list[Offer]:
    """What each segment may cost and score, as foretold."""
    return [
        budgets.foretold(curve, {}, segment.packets, TARGETS[asked])
        if curve is not None
        else _only(segment, _choice(segment, None, TARGETS[asked], known))
        for segment, curve in zip(segments, curves, strict=True)
    ]


def _only(segment: Segment, choice: Choice) -> Offer:
    return Offer(segment.kind, segment.packets, {choice.rung: Point(choice.bytes, Scores())})


def _within(
    segments: list[Segment],
    curves: list[Curve | None],
    known: dict[ModelKind, Card],
    asked: TargetName,
    budget_bytes: int,
    container_bytes: int,
) -> Foretold:
    """The best plan within a budget. One that is a little too small by the forecast may still do: encode will see."""
    offered, room = offers(segments, curves, known, asked), budget_bytes - container_bytes
    try:
        spread = budgets.fit(offered, asked, max(room, 0))
    except TooSmall as error:
        if error.bytes > room * NEARLY:
            raise too_small(budget_bytes, error.bytes + container_bytes) from error
        spread = budgets.fit(offered, asked, error.bytes)
    goal, why = TARGETS[spread.promise] if spread.promise else spread.goal, told(spread, asked)
    found = [
        _forecast(segment, curve, rung, goal, why) if curve is not None else _choice(segment, None, goal, known)
        for segment, curve, rung in zip(segments, curves, spread.rungs, strict=True)
    ]
    return Foretold(found, spread.promise, why)


def foretell(path: Path, segments: list[Segment], own: Path | None) -> list[Curve | None]:
    """The curve of each segment; None for silence, and where its features cannot be used."""
    with np.load(path, allow_pickle=False) as table:
        version, names, values = str(table["version"]), [str(name) for name in table["names"]], table["values"]
    models = {kind: load.load(kind, folder(own)) for kind in get_args(ModelKind)}
    columns = {kind: model.columns(names, version) for kind, model in models.items()}

    def one(segment: Segment, row: NDArray[Any]) -> Curve | None:
        if segment.kind == "silence":
            return None
        return models[segment.kind].curve(row[columns[segment.kind]], segment.packets * 0.06)

    return [one(segment, row) for segment, row in zip(segments, values, strict=True)]


def _choice(segment: Segment, curve: Curve | None, target: Target, cards: dict[ModelKind, Card]) -> Choice:
    if segment.kind == "silence" and segment.speech_share > 0:
        why = "too little sound in it to be scored: a rung that is safe for most"
        return _blind(segment, policy.unscored(segment.kind, target), why)
    if segment.kind == "silence":
        return _blind(segment, ladder("voip")[0].name, "silence: the cheapest rung")
    if curve is None:
        rung = cards[segment.kind].policy[target.name].constant
        return _blind(segment, rung, f"its features cannot be used: the rung that keeps {target.name!r} nearly always")
    rung = policy.first(curve, target)
    chances = curve.chance(target)
    chance = float(chances[curve.card.rungs.index(rung)])
    if max(chances) <= DOUBT[0]:
        why = f"no rung will probably reach {target.name!r} here; {rung} is the likeliest"
    else:
        why = f"probably the cheapest rung that keeps {target.name!r}: {chance:.0%} likely"
    return _forecast(segment, curve, rung, target, why)


def _forecast(segment: Segment, curve: Curve, rung: str, target: Target, why: str) -> Choice:
    foretold, at = forecast(curve, target), curve.card.rungs.index(rung)
    return Choice(
        segment=segment.index,
        rung=rung,
        expected=curve.scores(rung),
        measured=False,
        doubtful=DOUBT[0] < foretold.chance[at] < DOUBT[1],
        reachable=max(foretold.chance) > DOUBT[0],
        bytes=foretold.bytes[at],
        why=why,
        forecast=foretold,
    )


def _blind(segment: Segment, rung: str, why: str) -> Choice:
    """A choice that no model was asked for."""
    seconds = segment.packets * 0.06
    return Choice(
        segment=segment.index,
        rung=rung,
        expected=Scores(),
        measured=False,
        doubtful=segment.kind != "silence" or segment.speech_share > 0,
        reachable=True,
        bytes=round(RUNGS[rung].bitrate_bps / 8 * SHARE_OF_RATE * seconds),
        why=why,
    )
