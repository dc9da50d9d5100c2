"""Small nets: they learn, and LiteRT computes the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from chasqui.train import fit_kernel, fit_net
from chasqui.train.export_graph import Graph, operators
from chasqui.train.fit_data import Floats

QUICK = fit_net.Recipe(hidden=(24, 12), members=3, epochs=60, batch=16, dropout=0.05)


@pytest.fixture(scope="module")
def points() -> tuple[Floats, Floats]:
    dice = np.random.default_rng(0)
    x = dice.normal(size=(400, 8))
    return x, np.stack([np.tanh(x[:, 0] + x[:, 1]), 0.5 * x[:, 2] - np.abs(x[:, 3])], axis=1)


def test_nets_explain_most_of_what_can_be_explained(points: tuple[Floats, Floats]) -> None:
    x, z = points
    nets = fit_net.train(x[:300], z[:300], QUICK)
    left = np.mean((nets.predict(x[300:]) - z[300:]) ** 2, axis=0) / z[300:].var(axis=0)
    assert (left < 0.35).all(), left


def test_the_same_seed_gives_the_same_nets_and_another_others(points: tuple[Floats, Floats]) -> None:
    x, z = points
    short = replace(QUICK, epochs=2)
    one, two, other = (fit_net.train(x, z, replace(short, seed=seed)).predict(x[:5]) for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.allclose(one, other)


def test_slopes_are_those_of_the_loss(points: tuple[Floats, Floats]) -> None:
    x, z = (part[:16].astype(np.float32) for part in points)
    plain = replace(QUICK, members=1, dropout=0.0, blur=0.0, robust=10.0, hidden=(6,))
    dice = np.random.default_rng(0)
    params = [p for pair in ((8, 6), (6, 2)) for p in fit_net._start(pair, 1, dice)]

    def loss() -> float:
        hidden = np.maximum(x.astype(np.float64) @ params[0][0] + params[1][0], 0)
        return float(np.sum((hidden @ params[2][0] + params[3][0] - z) ** 2) / 2 / len(x))

    slopes = fit_net._slopes(params, x[None], z[None], plain, dice)
    for param, slope in zip(params, slopes, strict=True):
        at = np.unravel_index(int(np.argmax(np.abs(slope))), slope.shape)
        kept, step = param[at], np.float32(1e-2)
        param[at] = kept + step
        above = loss()
        param[at] = kept - step
        below = loss()
        param[at] = kept
        assert (above - below) / (2 * step) == pytest.approx(slope[at], rel=0.02)


@pytest.mark.parametrize("kind", ["nets", "kernel"])
def test_litert_computes_the_same(kind: str, points: tuple[Floats, Floats]) -> None:
    from ai_edge_litert.interpreter import Interpreter

    x, z = points
    fitted = fit_net.train(x, z, replace(QUICK, epochs=3)) if kind == "nets" else fit_kernel.train(x, z)
    graph = Graph(8, kind)
    model = graph.finished(fitted.draw(graph, graph.input))
    assert not [name for name in operators(model) if name.startswith(("Flex", "VAR", "READ"))]
    net = Interpreter(model_content=model, num_threads=1)
    net.allocate_tensors()
    given, asked = net.get_input_details()[0]["index"], net.get_output_details()[0]["index"]
    for line in x[:20]:
        net.set_tensor(given, line.astype(np.float32)[None])
        net.invoke()
        assert net.get_tensor(asked)[0] == pytest.approx(fitted.predict(line[None])[0], abs=2e-4)


def test_a_kernel_comes_near_what_it_knows(points: tuple[Floats, Floats]) -> None:
    x, z = points
    fitted = fit_kernel.train(x, z, width=0.1, ridge=1e-3)
    assert np.abs(fitted.predict(x) - z).max() < 0.05
    far = fitted.predict(np.full((1, 8), 1e4))
    assert far[0] == pytest.approx(z.mean(axis=0))  # like nothing it knows: the mean
