"""Trees as flat arrays: the same as scikit-learn's, in NumPy and in LiteRT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chasqui.train import trees
from chasqui.train.export_graph import Graph, operators
from chasqui.train.fit_data import Floats


@pytest.fixture(scope="module")
def points(small_sweep: Path) -> tuple[Floats, Floats]:
    assert small_sweep  # skips where the extra is missing
    dice = np.random.default_rng(0)
    x = dice.normal(size=(300, 12)).astype(np.float32).astype(np.float64)
    return x, np.stack([x[:, 0] + x[:, 1] ** 2, x[:, 2] * x[:, 3]], axis=1)


def test_a_forest_says_what_scikit_learn_says(points: tuple[Floats, Floats]) -> None:
    from sklearn.ensemble import RandomForestRegressor

    x, z = points
    theirs = RandomForestRegressor(
        20, min_samples_leaf=5, max_features=0.3, random_state=3, n_jobs=1, max_depth=12
    ).fit(x.astype(np.float32), z)
    assert trees.forest(x, z, count=20, seed=3).predict(x) == pytest.approx(theirs.predict(x), abs=1e-5)


def test_boosting_says_what_scikit_learn_says(points: tuple[Floats, Floats]) -> None:
    from sklearn.ensemble import GradientBoostingRegressor

    x, z = points
    ours = trees.boosting(x, z, count=30, share=1.0, seed=4).predict(x)
    for column in range(2):
        theirs = GradientBoostingRegressor(
            loss="huber", alpha=0.95, n_estimators=30, learning_rate=0.05, max_depth=4, subsample=0.6,
            max_features=1.0, min_samples_leaf=5, random_state=4 + column,
        ).fit(x.astype(np.float32), z[:, column])  # fmt: skip
        assert ours[:, column] == pytest.approx(theirs.predict(x), abs=1e-5)


@pytest.mark.parametrize("grow", [trees.forest, trees.boosting], ids=["forest", "boosting"])
def test_litert_walks_the_same_way(grow: object, points: tuple[Floats, Floats]) -> None:
    from ai_edge_litert.interpreter import Interpreter

    x, z = points
    grown = grow(x, z, count=20)  # type: ignore[operator]
    graph = Graph(x.shape[1], "trees")
    model = graph.finished(grown.draw(graph, graph.input))
    assert set(operators(model)) <= {"ADD", "CAST", "GATHER", "GREATER", "RESHAPE", "SUM"}
    net = Interpreter(model_content=model, num_threads=1)
    net.allocate_tensors()
    given, asked = net.get_input_details()[0]["index"], net.get_output_details()[0]["index"]
    # On a threshold and just beside it too: there a rounded threshold would turn the other way.
    edge = x[0].copy()
    edge[grown.feature[0]] = grown.threshold[0]
    for line in [*x[:50], edge, np.nextafter(edge.astype(np.float32), np.float32(np.inf)).astype(np.float64)]:
        net.set_tensor(given, line.astype(np.float32)[None])
        net.invoke()
        assert net.get_tensor(asked)[0] == pytest.approx(grown.predict(line[None])[0], abs=1e-5)
