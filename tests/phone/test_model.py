"""The net, the curve and the rule on the phone give what LiteRT and the server give; a bad model is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from phone import server, twin
from phone.conftest import SHIPPED


@pytest.fixture(scope="module", params=["chance", "shipped"])
def net(request, names, missing):
    """(model.json as a dict, its .tflite)."""
    if request.param == "chance":
        model = twin.plain(names)
        return model, twin.tflite(model["layers"])
    if not (SHIPPED / "model.json").exists():
        missing("the model for phones")
    return json.loads((SHIPPED / "model.json").read_bytes()), (SHIPPED / "model.tflite").read_bytes()


@pytest.fixture(scope="module")
def rows(net):
    """Features around the model's means, some far out, where they are clipped."""
    model, _ = net
    swing = np.random.default_rng(5).standard_t(2, (200, len(model["features"])))
    return np.array(model["mean"]) + swing * np.array(model["scale"])


@pytest.fixture(scope="module")
def expected(net, rows):
    model, weights = net
    return twin.ask(weights, server.card(model).normaliser.apply(rows))


def test_outputs_equal_the_tflite(net, rows, expected, ask):
    found = np.array(ask("outputs", model=net[0], rows=rows.tolist())["gave"])
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-4


def test_the_choice_equals_the_servers(net, rows, expected, ask):
    model, _ = net
    told = ask("choose", model=model, rows=rows.tolist(), seconds=7.5)["gave"]
    card = server.card(model)
    known = [server.choices(card, row, 7.5) for row in expected]
    for name in model["targets"]:
        chances = np.array(
            [[one[name]["chance"], other[name]["chance"]] for one, other in zip(told, known, strict=True)]
        )
        assert np.abs(chances[:, 0] - chances[:, 1]).max() < 1e-3
        assert [one[name]["rung"] for one in told] == [one[name]["rung"] for one in known]
        assert len({one[name]["rung"] for one in told}) > 1, "a choice that never changes shows nothing"
    sizes, expecting = (np.array([one["sizes"] for one in both]) for both in (told, known))
    assert sizes == pytest.approx(expecting, rel=1e-4)


def test_quantiles_with_steps_and_ties(ask, names):
    """Far below, far above, on a quantile, and where two are alike."""
    model = twin.plain(names)
    model["quantiles"]["estoi"] = [-2.0, -1.0, -1.0, 0.0, 0.0, 1.5]
    zero = np.zeros((1, len(names)))
    model["layers"] = [{"w": np.zeros((52, len(names))).tolist(), "b": model["layers"][-1]["b"], "act": None}]
    logit = float(np.log(0.8 / 0.2))
    for lacking in (-9.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.75, 1.5, 9.0):
        model["layers"][0]["b"][:17] = [logit - 0.25 * lacking] * 17
        model["layers"][0]["b"][-1] = 0.0
        outputs = np.array(model["layers"][0]["b"])
        told = ask("choose", model=model, rows=zero.tolist(), seconds=8)["gave"][0]
        known = server.choices(server.card(model), outputs, 8)
        assert told["understood"]["chance"] == pytest.approx(known["understood"]["chance"], abs=1e-9), lacking


def broken(model, *path, value):
    part = model
    for step in path[:-1]:
        part = part[step]
    if value is None:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    return model


BREAKS = {
    "another format": (("format",), "phone-2"),
    "no format": (("format",), None),
    "other features": (("feature_version",), "segments-1"),
    "a feature nobody computes": (("features", 0), "snr_db"),
    "means too short": (("mean",), [0.0]),
    "a mean that is text": (("mean", 3), "0"),
    "a scale of nothing": (("scale", 2), 0.0),
    "no layers": (("layers",), []),
    "weights too narrow": (("layers", 1, "w", 7), [1.0]),
    "a bias too many": (("layers", 0, "b"), [0.0] * 25),
    "an output missing": (("layers", 1, "w"), [[0.0] * 24] * 51),
    "another activation": (("layers", 0, "act"), "tanh"),
    "rungs missing": (("rungs",), ["voice-5"]),
    "no metrics": (("metrics",), []),
    "deviations of one metric": (("deviation",), [[0.1] * 17]),
    "quantiles missing": (("quantiles", "visqol"), None),
    "quantiles fall": (("quantiles", "estoi", 98), -9.0),
    "no targets": (("targets",), {}),
    "a target without its threshold": (("targets", "clear", "visqol"), None),
    "no policy": (("policy", "clear"), None),
    "a level of one": (("policy", "clear", "level"), 1.0),
    "a constant off the ladder": (("policy", "clear", "constant"), "voice-99"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_model_is_refused(name, ask, names):
    path, value = BREAKS[name]
    told = ask("read", model=broken(twin.plain(names), *path, value=value))
    assert told["code"] == "model", told
    assert told["why"]


@pytest.mark.parametrize("model", [None, 7, "text", [], {}, {"format": "phone-1"}])
def test_what_is_no_model_is_refused(model, ask):
    assert ask("read", model=model)["code"] == "model"


def test_a_whole_model_is_taken(ask, names):
    assert ask("read", model=twin.plain(names)) == {"gave": "chance"}
