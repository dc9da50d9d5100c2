"""Our few filters are those of scipy.signal, which we do not import at work because it costs too much to."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.clean.loudness import K_WEIGHTING
from chasqui.clean.restless import HIGH
from chasqui.clean.rumble import TAPS, TRANSFORM, _through
from chasqui.metrics.filters import ROW, Sections, highpass, lowpass

CASCADES = {"K-weighting": K_WEIGHTING, "2–8 kHz": HIGH, "one": (K_WEIGHTING[1],)}


@pytest.mark.parametrize(("taps", "cutoff", "kaiser"), [(61, 1 / 3, 5.0), (49, 0.25, 6.0), (31, 0.5, None)])
def test_lowpass_is_firwin(taps: int, cutoff: float, kaiser: float | None) -> None:
    window = "hamming" if kaiser is None else ("kaiser", kaiser)
    np.testing.assert_allclose(
        lowpass(taps, cutoff, kaiser), scipy.signal.firwin(taps, cutoff, window=window), atol=1e-15
    )


@pytest.mark.parametrize("hz", [50.0, 80.0])
def test_highpass_is_firwin(hz: float) -> None:
    expected = scipy.signal.firwin(TAPS, hz, fs=48_000, pass_zero=False)
    np.testing.assert_allclose(highpass(TAPS, hz / 24_000), expected, atol=1e-15)


def test_the_band_is_butterworths() -> None:
    np.testing.assert_allclose(HIGH, scipy.signal.butter(4, [2000, 8000], "band", fs=48_000, output="sos"), rtol=1e-12)


@pytest.mark.parametrize("name", CASCADES)
@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 5 * ROW + 3), max_size=6), size=st.integers(1, 40_000), seed=st.integers(0, 99))
def test_sections_are_sosfilt_however_the_sound_arrives(name: str, cuts: list[int], size: int, seed: int) -> None:
    sound = (np.random.default_rng(seed).normal(0.1, 0.2, size)).astype(np.float32)
    filtered = Sections(CASCADES[name])
    out = np.concatenate([filtered(block) for block in np.split(sound, np.cumsum(cuts, dtype=int).clip(max=size))])
    expected = scipy.signal.sosfilt(np.array(CASCADES[name]), sound.astype(np.float64))
    np.testing.assert_allclose(out, expected, atol=1e-9)


@pytest.mark.parametrize("size", [TAPS, 2 * TAPS, TRANSFORM, TRANSFORM + 1, 480_000 + TAPS - 1])
@pytest.mark.parametrize("steep", [False, True])
def test_the_high_pass_is_a_convolution(size: int, steep: bool) -> None:
    sound = np.random.default_rng(size).normal(0, 0.1, size).astype(np.float32)
    taps = highpass(TAPS, (80.0 if steep else 50.0) / 24_000)
    expected = scipy.signal.fftconvolve(sound.astype(np.float64), taps, mode="valid")
    np.testing.assert_allclose(_through(sound, steep), expected, atol=2e-6)


def test_cleaning_does_not_import_scipy_signal() -> None:
    code = "import sys, chasqui.clean.master, chasqui.metrics.resample; print('scipy.signal' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
