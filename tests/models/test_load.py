"""Opening models, asking them, and refusing what is none."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import standin

from chasqui.errors import BadModel
from chasqui.models import load
from chasqui.models.load import SHIPPED, Model


def test_it_says_what_it_was_made_to_say(models: Path) -> None:
    model = load.load("speech", models)
    curve = model.curve(np.array([6.0, -20.0, 1.0]), 6.0)
    assert curve is not None
    assert curve.scores("voice-8").estoi == pytest.approx(0.875, abs=1e-3)
    assert curve.sizes[0] == pytest.approx(5000 / 8 * 0.95 * 6, rel=1e-3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_features_that_are_no_numbers_give_no_curve(models: Path, bad: float) -> None:
    assert load.load("speech", models).curve(np.array([6.0, bad, 1.0]), 6.0) is None


def test_a_model_that_answers_nonsense_gives_no_curve(tmp_path: Path) -> None:
    outputs = standin.bias("music")
    outputs[0] = np.nan
    standin.write(tmp_path, "music", outputs)
    assert load.load("music", tmp_path).curve(np.zeros(3), 6.0) is None


def test_threads_take_turns(models: Path) -> None:
    model = load.load("music", models)
    with ThreadPoolExecutor(8) as pool:
        curves = list(pool.map(lambda _: model.curve(np.zeros(3), 6.0), range(200)))
    assert all(curve is not None and (curve.mean == curves[0].mean).all() for curve in curves)


def test_a_model_of_another_kind_is_refused(models: Path, tmp_path: Path) -> None:
    (tmp_path / "music").symlink_to(models / "speech")
    with pytest.raises(BadModel, match="a model for speech"):
        load.load("music", tmp_path)


def test_weights_that_are_no_network_are_refused(tmp_path: Path) -> None:
    import hashlib

    junk = b"TFL3" + bytes(range(256)) * 4
    folder = standin.write(tmp_path, "speech", sha256=hashlib.sha256(junk).hexdigest())
    (folder / "model.tflite").write_bytes(junk)
    with pytest.raises(BadModel, match="LiteRT"):
        Model(folder)


def test_a_network_of_another_size_is_refused(tmp_path: Path) -> None:
    folder = standin.write(tmp_path, "speech", standin.bias("music"))
    with pytest.raises(BadModel, match="the card says otherwise"):
        Model(folder)


def test_nothing_is_written_to_the_terminal(models: Path) -> None:
    code = f"from pathlib import Path; from chasqui.models.load import load; load('speech', Path({str(models)!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("kind", ["speech", "music"])
def test_the_shipped_models_open_and_answer(kind: load.ModelKind) -> None:
    model = load.load(kind, SHIPPED)
    curve = model.curve(np.asarray(model.card.normaliser.mean), 6.0)
    assert curve is not None
    assert set(model.card.policy) == {"understood", "comfortable", "clear"}
