"""Kernel ridge regression: what segments alike scored, weighted by how alike they are (Saunders et al. 1998).

With a thousand segments it is hard to beat, and all of it is one matrix of the segments learnt from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chasqui.train.export_graph import Graph
from chasqui.train.fit_data import Floats

#: exp(−WIDTH · sum of absolute differences): the Laplacian kernel forgives one strange feature better than a Gaussian.
WIDTH, RIDGE = 0.004, 0.1


@dataclass(frozen=True)
class Kernel:
    """base + likeness to each known segment @ weights."""

    known: Floats  # [known segments, features], normalised
    weights: Floats  # [known segments, outputs]
    base: Floats  # [outputs]
    width: float

    def predict(self, x: Floats) -> Floats:
        """Answers of shape [segments, outputs] to normalised features [segments, features]."""
        return self.base + likeness(x, self.known, self.width) @ self.weights

    def draw(self, graph: Graph, x: int) -> int:
        """The same as operators."""
        far = graph.sum(graph.absolute(graph.subtract(graph.constant(self.known.astype(np.float32)), x)), axis=1)
        alike = graph.exp(graph.times(graph.reshape(far, (1, len(self.known))), -self.width))
        return graph.dense(alike, self.weights, self.base)


def train(x: Floats, z: Floats, width: float = WIDTH, ridge: float = RIDGE) -> Kernel:
    """From normalised features x [segments, features] to z [segments, outputs]."""
    known = x.astype(np.float32).astype(np.float64)
    base = z.mean(axis=0)
    matrix = likeness(known, known, width) + ridge * np.eye(len(known))
    return Kernel(known, np.linalg.solve(matrix, z - base), base, width)


def likeness(x: Floats, known: Floats, width: float) -> Floats:
    """Of each of x to each of the known, shape [x, known], 1 where they are the same."""
    from scipy.spatial.distance import cdist

    return np.asarray(np.exp(-width * cdist(x, known, "cityblock")))
