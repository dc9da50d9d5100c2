"""How good each model is on recordings that it never met: bytes, promises, encodes, and whether its doubts are right.

The winner has the lowest price where it was tuned; the held-out recordings are only reported. Intervals
come from drawing whole groups (speakers, sources) again: segments of one speaker are alike (cluster bootstrap, 95 %).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chasqui.errors import BadTraining
from chasqui.metrics.targets import TARGETS, Target
from chasqui.models.card import Card
from chasqui.models.load import Model
from chasqui.train import baseline, evaluate_doubts, fit_data, lstm, simulate
from chasqui.train.evaluate_doubts import Candidate
from chasqui.train.fit_data import KINDS, Data, Floats, ModelKind
from chasqui.train.simulate import Outcome

VERSION = "evaluation-1"
DRAWS = 1000
#: Breakdowns: an entry with fewer segments than this says nothing.
FEWEST = 8
BY = ("language", "content", "treatment", "noise", "snr", "room")
#: What `choose` cannot feed, or need not: packets instead of features, and the small net for phones.
APART = ("lstm", "phone")
#: Models whose prices differ by less than this share are as good as one another; then the smallest file wins.
AS_GOOD = 0.02


def candidates(folder: Path, data: Data, sweep: Path) -> list[Candidate]:
    """Every model of a kind that `fit` left in a folder, asked through the same door as `choose` asks.

    Raises:
        BadModel: one of them is damaged.
        BadTraining: there are none, or they were fitted to other features.
    """
    found = []
    for card in sorted((folder / data.kind).glob("*/card.json")):
        model = Model(card.parent)
        size = (card.parent / "model.tflite").stat().st_size
        found.append(asked(model, _fed(data, model.card, sweep), card.parent.name, size))
    if not found:
        raise BadTraining(path=str(folder), why=f"no fitted model for {data.kind} in it")
    return found


def _fed(data: Data, card: Card, sweep: Path) -> Data:
    """The data with the features that a model takes: those of `choose`, or packets.

    Raises:
        BadTraining: a segment has no packets.
    """
    if card.algorithm != "lstm":
        return data
    fed = lstm.with_packets(data, sweep)
    if len(fed) < len(data):
        raise BadTraining(path=str(sweep / "frames.parquet"), why=f"{len(data) - len(fed)} segments have no packets")
    return fed


def asked(model: Model, data: Data, name: str, size: int = 0) -> Candidate:
    """What a model says about every segment."""
    columns = model.columns(data.names, data.feature_version)
    started = time.perf_counter()
    curves = [model.curve(line[columns], float(s)) for line, s in zip(data.features, data.seconds, strict=True)]
    spent = (time.perf_counter() - started) / max(len(curves), 1)
    if any(curve is None for curve in curves):
        raise BadTraining(path=name, why="the model gave a number that is not finite")
    whole = [simulate.remembering(curve) for curve in curves if curve is not None]
    return Candidate(name, model.card, list(whole), 1e6 * spent, size)


def evaluate(sweep: Path, models: Path) -> dict[str, Any]:
    """Everything about all models, as JSON.

    Raises:
        BadModel, BadTraining
    """
    return {
        "version": VERSION,
        "feature_version": fit_data.facts(sweep)["feature_version"],
        "takes": fit_data.facts(sweep).get("takes", {}).get("done", 0),
        "prices": {"encode": simulate.ENCODE_PRICE, "kept": simulate.KEPT},
        "kinds": {kind: of_kind(sweep, models, kind) for kind in KINDS if kind == "speech" or (models / kind).is_dir()},
    }


def of_kind(sweep: Path, models: Path, kind: ModelKind) -> dict[str, Any]:
    """Everything about the models of one kind.

    Raises:
        BadModel, BadTraining
    """
    data = fit_data.read(sweep, kind)
    known, held = data.where(np.isin(data.part, ["fit", "calibrate"])), data.of("test")
    judged = candidates(models, held, sweep)
    chosen = {one.name: float(np.mean(list(one.card.scores["price"].values()))) for one in judged}
    winner = _winner([one for one in judged if one.name not in APART], chosen)
    outcomes = {name: _methods(known, held, judged, target) for name, target in TARGETS.items()}
    return {
        "kind": kind,
        "winner": winner.name,
        "segments": {part: len(data.of(part)) for part in fit_data.PARTS},
        "groups": {part: len(set(data.of(part).group)) for part in fit_data.PARTS},
        "left_out": data.left_out,
        "prices": {name: round(value, 4) for name, value in chosen.items()},
        "targets": {
            name: {
                "oracle_bps": round(_rate(methods["every rung"], held)),
                "unreachable": round(float(np.mean([not one.reachable for one in methods["every rung"]])), 4),
                "methods": {method: summary(found, held.group) for method, found in methods.items()},
            }
            for name, methods in outcomes.items()
        },
        "metrics": list(data.metrics),
        "models": {one.name: evaluate_doubts.judged(one, held) for one in judged},
        "examples": evaluate_doubts.examples(winner, held),
        "by": {name: _by(methods[winner.name], held) for name, methods in outcomes.items()},
    }


def _winner(judged: Sequence[Candidate], prices: Mapping[str, float]) -> Candidate:
    """The smallest of those that cost next to the least."""
    enough = (1 + AS_GOOD) * min(prices[one.name] for one in judged)
    return min((one for one in judged if prices[one.name] <= enough), key=lambda one: one.size)


def _methods(known: Data, held: Data, judged: Sequence[Candidate], target: Target) -> dict[str, list[Outcome]]:
    rung = simulate.constant(known, target)
    thumb = baseline.rule(known, target, simulate.KEPT)
    return {
        "every rung": baseline.exhaustive(held, target),
        "one rung": baseline.fixed(held, target, [rung] * len(held)),
        "rule of thumb": baseline.fixed(held, target, thumb.pick(held)),
        "search": baseline.searched(held, target),
        **{one.name: simulate.played(one.curves, held, target) for one in judged},
    }


def summary(outcomes: Sequence[Outcome], groups: NDArray[np.str_]) -> dict[str, Any]:
    """Sums with their intervals."""
    sums = simulate.sums(outcomes)
    draws = _draws(outcomes, groups)
    said: dict[str, Any] = {}
    for name, value in sums._asdict().items():
        low, high = np.percentile(draws[name], (2.5, 97.5))
        said[name] = {"value": round(value, 4), "low": round(float(low), 4), "high": round(float(high), 4)}
    return said


def _draws(outcomes: Sequence[Outcome], groups: NDArray[np.str_]) -> dict[str, Floats]:
    """Each sum over DRAWS draws of whole groups."""
    names, at = np.unique(groups, return_inverse=True)
    within = np.array([one.reachable for one in outcomes], float)
    columns = np.array([[one.bytes, one.oracle_bytes, one.first_kept, one.kept] for one in outcomes], float)
    lines = np.column_stack(
        [columns * within[:, None], within, [one.encodes for one in outcomes], np.ones(len(within))]
    )
    per_group = np.zeros((len(names), lines.shape[1]))
    np.add.at(per_group, at, lines)
    picks = np.random.default_rng(1).integers(0, len(names), (DRAWS, len(names)))
    spent, best, first, kept, inside, encodes, count = per_group[picks].sum(axis=1).T
    inside, best = np.maximum(inside, 1e-9), np.maximum(best, 1e-9)
    return {"regret": spent / best - 1, "first_kept": first / inside, "kept": kept / inside, "encodes": encodes / count}


def _rate(outcomes: Sequence[Outcome], data: Data) -> float:
    return 8 * sum(one.bytes for one in outcomes) / float(data.seconds.sum())


def _by(outcomes: Sequence[Outcome], data: Data) -> dict[str, dict[str, Any]]:
    """The winner by language, content, treatment, noise, how loud it was, and room."""
    found: dict[str, dict[str, Any]] = {}
    for name in BY:
        values = _values(data, name)
        if values is None:
            continue
        found[name] = {}
        for value in sorted(set(values)):
            mine = np.flatnonzero(values == value)
            if len(mine) >= FEWEST:
                sums = simulate.sums([outcomes[int(line)] for line in mine])
                found[name][value] = {"segments": len(mine), **{k: round(v, 4) for k, v in sums._asdict().items()}}
    return found


def _values(data: Data, name: str) -> NDArray[np.str_] | None:
    if name == "snr":
        if "mixed_snr_db" not in data.about:
            return None
        mixed = data.about["mixed_snr_db"].astype(float)
        return np.array([f"{value:g} dB" if np.isfinite(value) else "nothing mixed in" for value in mixed])
    if name not in data.about:
        return None
    told = [str(value or "–") for value in data.about[name]]
    if name == "room":
        told = ["–" if value == "–" else "synthetic" if value.startswith("room-") else "measured" for value in told]
    return np.array([Path(value).stem if name == "noise" else value for value in told])
