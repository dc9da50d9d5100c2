"""Trees as flat arrays: what scikit-learn grew, walked the same way in NumPy and in a .tflite.

A tree ensemble is one long list of nodes. Children stand side by side, so that a step is `left + (x > threshold)`; a
leaf points at itself and never steps on. All trees walk at once, as many steps as the deepest has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chasqui.train.export_graph import Graph
from chasqui.train.fit_data import Floats


@dataclass(frozen=True)
class Trees:
    """An ensemble; its answer is base + the sum of the leaves reached.

    Leaves hold all outputs, or, where each tree speaks of one output only, one number; the trees of an output then
    stand side by side, as many for each.
    """

    roots: NDArray[np.int32]  # [trees]
    feature: NDArray[np.int32]  # [nodes]
    threshold: NDArray[np.float32]  # [nodes]; +inf in leaves
    left: NDArray[np.int32]  # [nodes]; itself in leaves
    values: NDArray[np.float32]  # [nodes, outputs] or [nodes, 1]; 0 inside
    base: Floats  # [outputs]
    depth: int

    def predict(self, x: Floats) -> Floats:
        """Answers of shape [segments, outputs] to normalised features [segments, features]."""
        narrow = x.astype(np.float32)
        at = np.broadcast_to(self.roots, (len(x), len(self.roots))).copy()
        lines = np.arange(len(x))[:, None]
        for _ in range(self.depth):
            at = self.left[at] + (narrow[lines, self.feature[at]] > self.threshold[at])
        reached = self.values[at].astype(np.float64)  # [segments, trees, outputs or 1]
        if self._apart:
            reached = reached.reshape(len(x), len(self.base), -1).swapaxes(1, 2)
        return np.asarray(self.base + reached.sum(axis=1))

    def draw(self, graph: Graph, x: int) -> int:
        """The same walk as operators; `x` is the tensor of normalised features, the outcome has shape [1, outputs]."""
        flat = graph.reshape(x, (graph.size(x),))
        feature, threshold, left = (graph.constant(part) for part in (self.feature, self.threshold, self.left))
        at = graph.constant(self.roots)
        for _ in range(self.depth):
            value = graph.gather(flat, graph.gather(feature, at))
            beyond = graph.greater(value, graph.gather(threshold, at))
            at = graph.add(graph.gather(left, at), graph.as_int(beyond))
        reached = graph.gather(graph.constant(self.values), at)
        outputs = len(self.base)
        if self._apart:
            total = graph.reshape(graph.sum(graph.reshape(reached, (outputs, -1)), axis=1), (1, outputs))
        else:
            total = graph.sum(reached, axis=0)
        return graph.add(total, graph.constant(self.base.astype(np.float32)[None]))

    @property
    def _apart(self) -> bool:
        return bool(self.values.shape[1] < len(self.base))


def gather(grown: Sequence[tuple[Any, Floats]], base: Floats) -> Trees:
    """One ensemble out of scikit-learn's trees.

    Args:
        grown: (`tree_` of a fitted tree, its leaf values as they shall be added up: [nodes, outputs] or [nodes, 1]).
        base: what is added to the sum, [outputs].
    """
    parts: list[tuple[NDArray[Any], ...]] = []
    roots, offset, depth = [], 0, 0
    for tree, values in grown:
        order, left = _side_by_side(tree.children_left, tree.children_right)
        leaf = tree.children_left[order] < 0
        threshold = np.where(leaf, np.float32(np.inf), _not_above(tree.threshold[order]))
        held = np.where(leaf[:, None], values[order], 0.0)
        parts.append((np.where(leaf, 0, tree.feature[order]), threshold, left + offset, held))
        roots.append(offset)
        offset += len(order)
        depth = max(depth, int(tree.max_depth))
    feature, threshold, left, values = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Trees(
        np.array(roots, np.int32),
        feature.astype(np.int32),
        threshold.astype(np.float32),
        left.astype(np.int32),
        values.astype(np.float32),
        base,
        depth,
    )


def _side_by_side(left: NDArray[Any], right: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Nodes in breadth-first order, and where each one's left child stands in it; the right one stands behind."""
    order, first = [0], []
    for place in range(len(left)):
        node = order[place]
        if left[node] < 0:
            first.append(place)
        else:
            first.append(len(order))
            order += [int(left[node]), int(right[node])]
    return np.array(order), np.array(first)


def _not_above(thresholds: NDArray[Any]) -> NDArray[np.float32]:
    """The largest float32 that is not above each threshold: for float32 features `x > t` stays what it was."""
    near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)


def forest(x: Floats, z: Floats, *, count: int = 200, leaf: int = 5, share: float = 0.3, seed: int = 0) -> Trees:
    """A random forest for all coordinates at once (Breiman 2001)."""
    from sklearn.ensemble import RandomForestRegressor

    model = RandomForestRegressor(
        count, min_samples_leaf=leaf, max_features=share, random_state=seed, n_jobs=1, max_depth=12
    ).fit(x.astype(np.float32), z)
    grown = [(tree.tree_, tree.tree_.value.reshape(-1, z.shape[1]) / count) for tree in model.estimators_]
    return gather(grown, np.zeros(z.shape[1]))


def boosting(
    x: Floats, z: Floats, *, count: int = 300, rate: float = 0.05, depth: int = 4, share: float = 0.15, seed: int = 0
) -> Trees:
    """Gradient-boosted trees, a sequence per coordinate, with a robust loss (Friedman 2001, 2002)."""
    from sklearn.ensemble import GradientBoostingRegressor

    grown, base = [], np.zeros(z.shape[1])
    for column in range(z.shape[1]):
        model = GradientBoostingRegressor(
            loss="huber", alpha=0.95, n_estimators=count, learning_rate=rate, max_depth=depth, subsample=0.6,
            max_features=share, min_samples_leaf=5, random_state=seed + column,
        ).fit(x.astype(np.float32), z[:, column])  # fmt: skip
        base[column] = float(np.ravel(model.init_.constant_)[0])
        grown += [(tree.tree_, rate * tree.tree_.value[:, 0]) for tree in model.estimators_[:, 0]]
    return gather(grown, base)
