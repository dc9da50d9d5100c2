"""Frame features against plain loops and against signals whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chasqui.analyze import blocks, frames

from .conftest import CALL, LIBRI, Load

RNG = np.random.default_rng(5)
TIMES = np.arange(blocks.SAMPLES) / 48_000


def measure(sound: np.ndarray) -> tuple[frames.Measures, blocks.Bands]:
    (block,) = blocks.blocks([sound[: blocks.SAMPLES].astype(np.float32)])
    bands = blocks.lower(block)
    return frames.measure(block, bands), bands


def column(measures: frames.Measures, name: str) -> np.ndarray:
    return measures.frames[5:-5, frames.FRAME.index(name)]


def slow_mfcc(samples: np.ndarray) -> list[float]:
    """One frame, as a textbook would: DFT by definition, triangles on the mel scale, logarithm, DCT-II."""
    windowed = [float(x) * (0.5 - 0.5 * math.cos(2 * math.pi * n / 400)) for n, x in enumerate(samples)]
    window_energy = sum((0.5 - 0.5 * math.cos(2 * math.pi * n / 400)) ** 2 for n in range(400))
    grid = np.exp(-2j * np.pi * np.outer(np.arange(257), np.arange(400)) / 512)
    power = [abs(value) ** 2 * 2 / (512 * window_energy) for value in grid @ np.array(windowed)]
    mel = [2595 * math.log10(1 + f / 700) for f in (20, 7600)]
    edges = [700 * (10 ** ((mel[0] + (mel[1] - mel[0]) * k / 41) / 2595) - 1) for k in range(42)]
    logs = []
    for left, middle, right in zip(edges, edges[1:], edges[2:], strict=False):
        total = 0.0
        for index, value in enumerate(power):
            hertz = index * 16_000 / 512
            if left < hertz <= middle:
                total += value * (hertz - left) / (middle - left)
            elif middle < hertz < right:
                total += value * (right - hertz) / (right - middle)
        logs.append(math.log(total + 1e-10))
    return [
        math.sqrt((1 if k == 0 else 2) / 40) * sum(logs[m] * math.cos(math.pi * k * (m + 0.5) / 40) for m in range(40))
        for k in range(20)
    ]


@pytest.mark.parametrize("name", [CALL, LIBRI[0]])
def test_mfcc_is_the_textbooks(load: Load, name: str) -> None:
    measures, bands = measure(load(name))
    for index in (50, 123, 400, 777, 1001):
        start = blocks.MARGIN // 3 + index * 160 + 80 - 200
        np.testing.assert_allclose(
            measures.frames[index, 8:28], slow_mfcc(bands.at_16k[start : start + 400]), rtol=1e-3, atol=5e-3
        )


def test_a_full_scale_sine() -> None:
    measures, _ = measure(np.sin(2 * np.pi * 1000 * TIMES))
    assert column(measures, "level_dbfs") == pytest.approx(-3.01, abs=0.02)
    assert column(measures, "peak") == pytest.approx(1.0, abs=0.01)
    assert column(measures, "zero_crossings") == pytest.approx(2000 / 16_000, abs=0.01)
    assert column(measures, "centroid_hz") == pytest.approx(1000, abs=10)
    assert column(measures, "flux") == pytest.approx(0, abs=1e-3)
    assert column(measures, "flatness").max() < 0.01
    assert measures.seconds[:, frames.SECOND.index("steadiness")] == pytest.approx(1, abs=0.01)


def test_white_noise_is_flat() -> None:
    measures, _ = measure(RNG.normal(size=blocks.SAMPLES) * 0.1)
    assert column(measures, "flatness").mean() > 0.4  # exp(−0.577) = 0.56 for ideal noise, less the low-pass edge
    assert column(measures, "centroid_hz").mean() == pytest.approx(4000, rel=0.1)
    assert column(measures, "level_dbfs").mean() == pytest.approx(-20, abs=0.2)


def test_slope_tells_bright_from_dark() -> None:
    white = RNG.normal(size=blocks.SAMPLES)
    spectrum = np.fft.rfft(white)
    spectrum[1:] /= np.sqrt(np.arange(1, spectrum.size))  # pink: −3 dB per octave
    pink = np.fft.irfft(spectrum, n=white.size)
    difference = [column(measure(s / np.std(s) * 0.1)[0], "slope_db_per_octave").mean() for s in (pink, white)]
    assert difference[0] - difference[1] == pytest.approx(-3, abs=0.4)


def test_modulation_hears_syllables() -> None:
    noise = RNG.normal(size=blocks.SAMPLES) * 0.05
    depth = {
        rate: measure(noise * (1 + 0.9 * np.sin(2 * np.pi * rate * TIMES)))[0].seconds[:, 0].mean()
        for rate in (0.5, 4, 20)
    }
    assert depth[4] > 3 * depth[20]
    assert depth[4] > 3 * depth[0.5]


def test_silence_is_finite() -> None:
    measures, _ = measure(np.zeros(blocks.SAMPLES))
    assert all(np.isfinite(grid).all() for grid in measures)
