"""How good each model is on recordings that it never met: bytes, promises, encodes, and whether its doubts are right.

The winner is chosen on the calibration recordings; the held-out ones are only reported. Intervals come from drawing
whole groups (speakers, sources) again, because segments of one speaker are alike (cluster bootstrap, 95 %).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chasqui.errors import BadTraining
from chasqui.metrics.targets import TARGETS, Target, keeps
from chasqui.models.card import Card
from chasqui.models.curve import Curve
from chasqui.models.load import Model
from chasqui.train import baseline, fit_data, simulate
from chasqui.train.fit_data import Data, Floats, ModelKind
from chasqui.train.simulate import Outcome

COVERAGES = (0.5, 0.8, 0.9, 0.95)
DRAWS = 1000
#: Breakdowns: an entry with fewer segments than this says nothing.
FEWEST = 8
BY = ("language", "content", "treatment", "noise", "snr", "room")
#: What `choose` cannot feed, or need not: packets instead of features, and the small net for phones.
APART = ("lstm", "phone")


@dataclass(frozen=True)
class Candidate:
    """A fitted model and what it says about some segments."""

    name: str
    card: Card
    curves: list[Curve]
    microseconds: float  # per prediction, the whole way through LiteRT


def candidates(folder: Path, data: Data) -> list[Candidate]:
    """Every model of a kind that `fit` left in a folder, asked through the same door as `choose` asks.

    Raises:
        BadModel: one of them is damaged.
        BadTraining: there are none, or they were fitted to other features.
    """
    found = []
    for card in sorted((folder / data.kind).glob("*/card.json")):
        model = Model(card.parent)
        found.append(asked(model, data, card.parent.name))
    if not found:
        raise BadTraining(path=str(folder), why=f"no fitted model for {data.kind} in it")
    return found


def asked(model: Model, data: Data, name: str) -> Candidate:
    """What a model says about every segment."""
    columns = model.columns(data.names, data.feature_version)
    started = time.perf_counter()
    curves = [model.curve(line[columns], float(s)) for line, s in zip(data.features, data.seconds, strict=True)]
    spent = (time.perf_counter() - started) / max(len(curves), 1)
    if any(curve is None for curve in curves):
        raise BadTraining(path=name, why="the model gave a number that is not finite")
    whole = [simulate.remembering(curve) for curve in curves if curve is not None]
    return Candidate(name, model.card, list(whole), 1e6 * spent)


def evaluate(sweep: Path, models: Path, kind: ModelKind) -> dict[str, Any]:
    """Everything about the models of one kind, as JSON.

    Raises:
        BadModel, BadTraining
    """
    data = fit_data.read(sweep, kind)
    known, check, held = data.where(np.isin(data.part, ["fit", "calibrate"])), data.of("calibrate"), data.of("test")
    chosen = {one.name: cost(one, check) for one in candidates(models, check)}
    judged = candidates(models, held)
    winner = min((one for one in judged if one.name not in APART), key=lambda one: chosen[one.name])
    outcomes = {name: _methods(known, held, judged, target) for name, target in TARGETS.items()}
    return {
        "kind": kind,
        "winner": winner.name,
        "segments": {part: len(data.of(part)) for part in fit_data.PARTS},
        "groups": {part: len(set(data.of(part).group)) for part in fit_data.PARTS},
        "left_out": data.left_out,
        "calibration_cost": {name: round(value, 4) for name, value in chosen.items()},
        "targets": {
            name: {
                "oracle_bps": round(_rate(methods["every rung"], held)),
                "unreachable": round(float(np.mean([not one.reachable for one in methods["every rung"]])), 4),
                "methods": {method: summary(found, held.group) for method, found in methods.items()},
            }
            for name, methods in outcomes.items()
        },
        "models": {one.name: _model(one, held) for one in judged},
        "by": {name: _by(methods[winner.name], held) for name, methods in outcomes.items()},
    }


def cost(candidate: Candidate, data: Data) -> float:
    """One number for the choice between models: the mean price over the targets."""
    return float(
        np.mean(
            [
                simulate.price(simulate.sums(simulate.played(candidate.curves, data, target)))
                for target in TARGETS.values()
            ]
        )
    )


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


def _model(one: Candidate, data: Data) -> dict[str, Any]:
    return {
        "title": one.card.title,
        "algorithm": one.card.algorithm,
        "microseconds": round(one.microseconds, 1),
        "levels": {name: levels.model_dump() for name, levels in one.card.policy.items()},
        "errors": _errors(one, data),
        "coverage": coverage(one, data),
        "reliability": reliability(one, data),
    }


def _errors(one: Candidate, data: Data) -> dict[str, Any]:
    """Root mean square and median absolute errors of the scores as people know them, and of the bytes."""
    found: dict[str, Any] = {}
    for row, metric in enumerate(data.metrics):
        said = np.array([[getattr(curve.scores(rung), metric) for rung in data.rungs] for curve in one.curves])
        wrong = said - data.scores[:, row]
        found[metric] = {
            "rms": round(float(np.sqrt(np.mean(wrong**2))), 4),
            "median": round(float(np.median(np.abs(wrong))), 4),
        }
    sizes = np.array([curve.sizes for curve in one.curves]) / data.bytes - 1
    found["bytes"] = {
        "rms": round(float(np.sqrt(np.mean(sizes**2))), 4),
        "median": round(float(np.median(np.abs(sizes))), 4),
    }
    return found


def coverage(one: Candidate, data: Data) -> dict[str, dict[str, float]]:
    """Per metric: how often what was measured lies within the central interval of a given probability."""
    size = len(data.metrics) * len(data.rungs)
    measured = data.aims[:, :size].reshape(len(data), len(data.metrics), -1)
    found: dict[str, dict[str, float]] = {}
    for row, metric in enumerate(data.metrics):
        found[metric] = {}
        for share in COVERAGES:
            low, high = (
                np.array([curve.low(level)[row] for curve in one.curves])
                for level in ((1 + share) / 2, (1 - share) / 2)
            )
            inside = (measured[:, row] >= low) & (measured[:, row] <= high)
            found[metric][f"{share:g}"] = round(float(inside.mean()), 4)
    return found


def reliability(one: Candidate, data: Data, bins: int = 10) -> list[dict[str, float]]:
    """Of the rungs said to keep a target with about some probability: how many do. All targets and rungs together."""
    said, kept = [], []
    for target in TARGETS.values():
        for line, curve in enumerate(one.curves):
            said.append(curve.chance(target))
            kept.append([keeps(target, data.kind, s) for s in simulate.measured(data, line, target).values()])
    chances, hits = np.concatenate(said), np.concatenate(kept).astype(float)
    place = np.minimum((chances * bins).astype(int), bins - 1)
    return [
        {
            "said": round(float(chances[place == at].mean()), 4),
            "kept": round(float(hits[place == at].mean()), 4),
            "count": int((place == at).sum()),
        }
        for at in range(bins)
        if (place == at).any()
    ]


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
