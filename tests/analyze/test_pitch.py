"""YIN finds the pitch of notes whose pitch is known."""

from __future__ import annotations

import numpy as np
import pytest

from chasqui.analyze import pitch
from chasqui.analyze.features import NAMES

from .conftest import Load, analyze


@pytest.mark.parametrize(
    ("name", "hertz"),
    [("flute-A4", 440.0), ("oboe-A4", 440.0), ("trumpet-A4", 440.0), ("violin-B3", 246.9), ("soprano-E4", 329.6)],
)
def test_real_notes(load: Load, name: str, hertz: float) -> None:
    values = dict(zip(NAMES, analyze(load(f"noise_music/sms-tools/{name}.wav")).values[0], strict=True))
    assert values["f0_median_hz"] == pytest.approx(hertz, rel=0.03)
    assert values["voiced_share"] > 0.7


@pytest.mark.parametrize("hertz", [65.0, 100.0, 137.3, 220.0, 440.0, 700.0])
def test_buzzing_tones(hertz: float) -> None:
    times = np.arange(pitch.FRAME_SAMPLES) / pitch.RATE_HZ
    buzz = sum(np.sin(2 * np.pi * hertz * k * times) / k for k in range(1, 5)).astype(np.float32)
    f0, aperiodicity = pitch.yin(buzz[None])
    assert f0[0] == pytest.approx(hertz, rel=0.01)
    assert aperiodicity[0] < 0.1


def test_noise_and_silence_have_no_pitch() -> None:
    noise = np.random.default_rng(3).normal(size=(200, pitch.FRAME_SAMPLES)).astype(np.float32)
    assert np.mean(pitch.yin(noise)[0] > 0) < 0.02
    f0, aperiodicity = pitch.yin(np.zeros((2, pitch.FRAME_SAMPLES), np.float32))
    assert f0.tolist() == [0, 0]
    assert aperiodicity.tolist() == [1, 1]
