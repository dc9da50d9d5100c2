"""A fitted model: from the features of a segment to everything a card promises, in NumPy and as a .tflite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chasqui.models.card import Normaliser
from chasqui.train import fit_basis, fit_kernel, fit_net, fit_spread, trees
from chasqui.train.export_graph import Graph
from chasqui.train.fit_basis import Basis
from chasqui.train.fit_data import Data, Floats
from chasqui.train.fit_spread import Grow, Regressor


@dataclass(frozen=True)
class Mean:
    """The mean of several regressors, each with its share."""

    parts: tuple[tuple[float, Regressor], ...]

    def predict(self, x: Floats) -> Floats:
        return np.asarray(sum(share * part.predict(x) for share, part in self.parts))

    def draw(self, graph: Graph, x: int) -> int:
        drawn = [(share, part.draw(graph, x)) for share, part in self.parts]
        width = graph.size(drawn[0][1])
        weights = np.concatenate([share * np.eye(width) for share, _ in drawn])
        return graph.dense(graph.side_by_side([part for _, part in drawn]), weights, np.zeros(width))


@dataclass(frozen=True)
class Fitted:
    """Coordinates in the basis, and ln(difficulty), both from normalised features."""

    features: tuple[str, ...]
    normaliser: Normaliser
    basis: Basis
    coordinates: Regressor
    difficulty: Regressor
    # What it would have put out for the segments it was fitted to, had it not met their groups: [segments, outputs].
    rehearsed: Floats

    def outputs(self, values: Floats) -> Floats:
        """What the .tflite gives, shape [segments, outputs], for features as measured [segments, features]."""
        x = self.normaliser.apply(values).astype(np.float64)
        return np.concatenate([self.basis.aims(self.coordinates.predict(x)), self.difficulty.predict(x)], axis=1)

    def tflite(self, said: str) -> bytes:
        """The same as a file."""
        graph = Graph(len(self.features), said)
        aims = graph.dense(self.coordinates.draw(graph, graph.input), self.basis.directions, self.basis.mean)
        return graph.finished(graph.side_by_side([aims, self.difficulty.draw(graph, graph.input)]))


def fit(data: Data, grow: Grow, seed: int = 0) -> Fitted:
    """A model of the segments to fit with; how hard each is, is learnt from predictions out of the fold."""
    learn = data.of("fit")
    normal = normaliser(learn.features)
    x = normal.apply(learn.features).astype(np.float64)
    basis = fit_basis.of(learn)
    z = basis.coordinates(learn.aims)
    known = basis.aims(fit_spread.out_of_fold(grow, x, z, learn.group))
    wrong = (learn.aims - known)[:, : len(data.metrics) * len(data.rungs)]
    wrong /= wrong.std(axis=0)
    doubts = fit_spread.out_of_fold(lambda a, b: fit_spread.difficulty(a, b, seed), x, wrong, learn.group)[:, :1]
    rehearsed = np.concatenate([known, doubts], axis=1)
    return Fitted(data.names, normal, basis, grow(x, z), fit_spread.difficulty(x, wrong, seed), rehearsed)


def forest(seed: int = 0) -> Grow:
    """A random forest."""
    return lambda x, z: trees.forest(x, z, seed=seed)


def boosting(seed: int = 0) -> Grow:
    """Gradient boosting."""
    return lambda x, z: trees.boosting(x, z, seed=seed)


def net(recipe: fit_net.Recipe) -> Grow:
    """Small networks."""
    return lambda x, z: fit_net.train(x, z, recipe)


def kernel() -> Grow:
    """Likeness to known segments."""
    return lambda x, z: fit_kernel.train(x, z)


def mixed(*parts: tuple[float, Grow]) -> Grow:
    """Several kinds, averaged."""
    return lambda x, z: Mean(tuple((share, grow(x, z)) for share, grow in parts))


def normaliser(values: Floats) -> Normaliser:
    """Means and deviations of features [segments, features]; a feature that never changes gets the scale 1."""
    scale = values.std(axis=0)
    scale = np.where(scale > 1e-6 * (1 + np.abs(values.mean(axis=0))), scale, 1.0)
    return Normaliser(mean=_short(values.mean(axis=0)), scale=_short(scale))


def _short(values: Floats) -> tuple[float, ...]:
    """Six digits are as exact as the features, and keep a card readable."""
    return tuple(float(f"{value:.6g}") for value in values)
