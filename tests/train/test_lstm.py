"""The LSTM: trained by Keras, converted as a twin for one segment, run by LiteRT. Slow to import, so alone here."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from absent import missing

from chasqui.errors import BadTraining
from chasqui.train import export, fit_card, fit_data, lstm


def test_packets_become_steps_without_losing_any() -> None:
    dice = np.random.default_rng(0)
    for packets in (20, 48, 100, 251):
        values = dice.normal(size=(packets, 3))
        found = lstm.steps(values, 48)
        assert found.shape == (48, 3)
        assert found.mean(axis=0) == pytest.approx(values.mean(axis=0))
    assert lstm.steps(np.arange(96.0)[:, None], 48)[:, 0] == pytest.approx(np.arange(0.5, 96, 2))


def test_segments_without_packets_are_left_out(small_sweep: Path) -> None:
    data = lstm.with_packets(fit_data.read(small_sweep, "speech"), small_sweep)
    assert len(data) == 32
    assert data.left_out["packets missing"] == 48
    assert data.features.shape == (32, lstm.STEPS * 27)


def test_a_sweep_without_packets_is_refused(small_sweep: Path, tmp_path: Path) -> None:
    with pytest.raises(BadTraining, match="no whole Parquet file"):
        lstm.with_packets(fit_data.read(small_sweep, "speech"), tmp_path)


def test_the_twin_says_what_was_trained_with_builtin_operators_alone(small_sweep: Path) -> None:
    if find_spec("tensorflow") is None:
        missing("TensorFlow (pip install 'chasqui[train]')")
    data = lstm.with_packets(fit_data.read(small_sweep, "speech"), small_sweep)
    made = fit_card.finished(data, lstm.fit(data, epochs=2), "lstm", "0.0.1")
    found = export.builtin(made.weights, "lstm")
    assert "WHILE" in found
    assert fit_card.compare(made.fitted, made.weights, data.of("test").features) < 1e-4
    assert made.card.algorithm == "lstm"
