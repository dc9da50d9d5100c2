"""How wrong a model is: for which segments, at which rungs together, and how often by how much.

Nothing here is taken from segments that the model was fitted to. Difficulty is learnt from predictions out of the fold
(groups, never clips); covariance and quantiles come from the calibration recordings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chasqui.models.card import Card, Metric
from chasqui.models.curve import predicted
from chasqui.train import trees
from chasqui.train.export_graph import Graph
from chasqui.train.fit_data import Data, Floats


class Regressor(Protocol):
    """From normalised features [segments, features] to [segments, outputs]; the same as operators."""

    def predict(self, x: Floats) -> Floats: ...

    def draw(self, graph: Graph, x: int) -> int: ...


#: Fits one to normalised features [segments, features] and what they shall give [segments, outputs].
Grow = Callable[[Floats, Floats], Regressor]

FOLDS = 4
#: Quantiles per metric: the 1st to 99th hundredth.
QUANTILES = 99


def folds(groups: NDArray[np.str_], count: int = FOLDS) -> Iterator[NDArray[np.bool_]]:
    """What is left out in each fold: whole groups, folds of about one size."""
    names, sizes = np.unique(groups, return_counts=True)
    held, filled = {}, np.zeros(count)
    for place in np.argsort(-sizes, kind="stable"):
        held[names[place]] = fold = int(np.argmin(filled))
        filled[fold] += sizes[place]
    fold_of = np.array([held[group] for group in groups])
    for fold in range(count):
        if (fold_of == fold).any() and (fold_of != fold).any():
            yield fold_of == fold


def out_of_fold(grow: Grow, x: Floats, z: Floats, groups: NDArray[np.str_]) -> Floats:
    """Predictions of z by models that did not see a segment's group; of the first columns, if they give fewer."""
    found = np.tile(z.mean(axis=0), (len(z), 1))
    for left_out in folds(groups):
        said = grow(x[~left_out], z[~left_out]).predict(x[left_out])
        found[left_out, : said.shape[1]] = said
    return found


def difficulty(x: Floats, residuals: Floats, seed: int = 0) -> Regressor:
    """ln(difficulty) from normalised features: half the logarithm of how large the squared residuals are.

    Args:
        residuals: [segments, aims], each in units of its own deviation.
    """
    loud = np.log(np.mean(residuals**2, axis=1) + 1e-3) / 2
    grown = trees.boosting(x, loud[:, None], count=60, rate=0.05, depth=2, share=0.2, seed=seed)
    guess = grown.predict(x)[:, 0]
    # So that squared residuals over squared difficulty are 1 on average.
    shift = 0.5 * np.log(np.mean(np.mean(residuals**2, axis=1) / np.exp(2 * guess)))
    return trees.Trees(**{**vars(grown), "base": grown.base + shift})


def residuals(card: Card, outputs: Floats, data: Data) -> Floats:
    """Measured − predicted in the working space over difficulty, shape [segments, metrics × rungs]."""
    size = len(card.metrics) * len(card.rungs)
    found = [predicted(card, line, float(seconds)) for line, seconds in zip(outputs, data.seconds, strict=True)]
    means = np.stack([curve.mean.reshape(-1) for curve in found])
    scale = np.exp(np.clip(outputs[:, -1:], -1.5, 1.5))
    return (data.aims[:, :size] - means) / scale


def covariance(wrong: Floats, shrink: float = 0.02) -> tuple[tuple[float, ...], ...]:
    """Second moments of residuals [segments, aims], a little towards their diagonal, so that it can be solved with.

    A residual beyond four deviations counts as four: a single broken segment is not what all are like.
    """
    spread = np.maximum(np.median(np.abs(wrong), axis=0) * 1.4826, 1e-3)
    held = np.clip(wrong, -4 * spread, 4 * spread)
    moments = held.T @ held / len(held)
    share = max(shrink, wrong.shape[1] / (20 * len(wrong)))
    mixed = (1 - share) * moments + share * np.diag(np.diag(moments)) + 1e-5 * np.eye(len(moments))
    return tuple(tuple(float(f"{value:.5g}") for value in row) for row in (mixed + mixed.T) / 2)


def quantiles(wrong: Floats, matrix: Floats, metrics: tuple[Metric, ...]) -> dict[Metric, tuple[float, ...]]:
    """Per metric: quantiles of residuals over their deviation, rungs together (split conformal prediction)."""
    ratios = (wrong / np.sqrt(np.diag(matrix))).reshape(len(wrong), len(metrics), -1)
    odds = np.arange(1, QUANTILES + 1) / (QUANTILES + 1)
    return {
        metric: tuple(round(float(value), 4) for value in np.quantile(ratios[:, row], odds))
        for row, metric in enumerate(metrics)
    }
