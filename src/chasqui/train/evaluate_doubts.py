"""What a model says against what was measured: its errors, and whether its doubts are right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chasqui.metrics.targets import TARGETS, keeps
from chasqui.models.card import Card
from chasqui.models.curve import Curve, natural
from chasqui.train import simulate
from chasqui.train.fit_data import Data

#: Central intervals are looked at with these probabilities.
COVERAGES = (0.5, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Candidate:
    """A fitted model and what it says about some segments."""

    name: str
    card: Card
    curves: list[Curve]
    microseconds: float  # per prediction, the whole way through LiteRT
    size: int  # bytes of the .tflite


def judged(one: Candidate, data: Data) -> dict[str, Any]:
    """Everything about one model, as JSON."""
    return {
        "title": one.card.title,
        "algorithm": one.card.algorithm,
        "size": one.size,
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


def examples(one: Candidate, data: Data, count: int = 4) -> list[dict[str, Any]]:
    """A few segments as foretold and as measured, from the easiest to the hardest by what the model says."""
    order = np.argsort([curve.difficulty for curve in one.curves])
    found = []
    for line in order[np.linspace(0, len(order) - 1, min(count, len(order))).astype(int)].tolist():
        curve = one.curves[line]
        low, high = curve.low(0.9), curve.low(0.1)
        said: dict[str, Any] = {
            "what": " · ".join(str(data.about[name][line]) for name in ("language", "treatment") if name in data.about),
            "bps": np.round(8 * curve.sizes / data.seconds[line]).astype(int).tolist(),
        }
        for row, metric in enumerate(data.metrics):
            said[metric] = {
                "mean": [natural(metric, value) for value in curve.mean[row].tolist()],
                "low": [natural(metric, value) for value in low[row].tolist()],
                "high": [natural(metric, value) for value in high[row].tolist()],
                "measured": data.scores[line, row].round(4).tolist(),
            }
        found.append(said)
    return found
