"""YIN finds the pitch of notes whose pitch is known."""

from __future__ import annotations

import numpy as np
import pytest

from chasqui.features import Settings, extract, pitch
from chasqui.features.pitch import Yin

from .conftest import Read

AT_8K = Yin.speech(8_000)


@pytest.mark.parametrize(
    ("name", "hertz"),
    [("flute-A4", 440.0), ("oboe-A4", 440.0), ("trumpet-A4", 440.0), ("violin-B3", 246.9), ("soprano-E4", 329.6)],
)
@pytest.mark.parametrize("rate_hz", [8_000, 16_000])
def test_real_notes(read: Read, name: str, hertz: float, rate_hz: int) -> None:
    sound = read(f"noise_music/sms-tools/{name}.wav", rate_hz)
    contour = extract(sound, rate_hz, ("f0_hz",)).values["f0_hz"][0, :, 0]
    assert np.median(contour[contour > 0]) == pytest.approx(hertz, rel=0.03)
    assert np.mean(contour > 0) > 0.7


@pytest.mark.parametrize("hertz", [65.0, 100.0, 137.3, 220.0, 440.0, 700.0])
def test_buzzing_tones(hertz: float) -> None:
    times = np.arange(AT_8K.size) / 8_000
    buzz = sum(np.sin(2 * np.pi * hertz * k * times) / k for k in range(1, 5)).astype(np.float32)
    f0, aperiodicity = pitch.yin(buzz[None], AT_8K)
    assert f0[0] == pytest.approx(hertz, rel=0.01)
    assert aperiodicity[0] < 0.1


def test_noise_and_silence_have_no_pitch() -> None:
    noise = np.random.default_rng(3).normal(size=(200, AT_8K.size)).astype(np.float32)
    assert np.mean(voiced(noise)[0] > 0) < 0.02
    f0, aperiodicity = voiced(np.zeros((2, AT_8K.size), np.float32))
    assert f0.tolist() == [0, 0]
    assert aperiodicity.tolist() == [1, 1]


def voiced(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    f0, aperiodicity = pitch.yin(frames, AT_8K)
    return pitch.voiced_only(f0, aperiodicity), aperiodicity


def test_children_and_basses_need_their_own_range() -> None:
    times = np.arange(16_000) / 16_000
    for hertz, lowest, highest in ((45.0, 40, 300), (1000.0, 60, 1200)):
        sound = sum(np.sin(2 * np.pi * hertz * k * times) / k for k in range(1, 4)).astype(np.float32)
        chosen = Settings.at(16_000, yin=Yin.speech(16_000, lowest, highest))
        contour = extract(sound, 16_000, ("f0_hz",), settings=chosen).values["f0_hz"][0, 10:-10, 0]
        np.testing.assert_allclose(contour, hertz, rtol=0.01)
