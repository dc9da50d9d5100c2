"""The matrix product gives what SciPy's polyphase filter gives."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from hypothesis import assume, given
from hypothesis import strategies as st

from chasqui.metrics.resample import Resampler, third


@given(length=st.integers(0, 700), up=st.integers(1, 7), down=st.integers(1, 9), half=st.integers(1, 90))
def test_it_is_resample_poly(length: int, up: int, down: int, half: int) -> None:
    assume(np.gcd(up, down) == 1 and up != down)  # SciPy reduces the fraction first, and keeps the filter
    rng = np.random.default_rng(length)
    signal, taps = rng.standard_normal(length).astype(np.float32), rng.standard_normal(2 * half + 1) / half
    ours = Resampler(up, down, tuple(taps))(signal)
    if not length:
        assert not len(ours)
        return
    theirs = scipy.signal.resample_poly(signal.astype(np.float64), up, down, window=taps)
    assert ours == pytest.approx(theirs, abs=1e-3 * max(1, np.abs(theirs).max()))


@pytest.mark.parametrize("length", [1, 2, 3, 119, 120, 121, 48_000, 336_312])
def test_a_third_of_the_rate(length: int) -> None:
    signal = np.random.default_rng(length).standard_normal(length).astype(np.float32)
    theirs = scipy.signal.resample_poly(signal, 1, 3)
    assert third()(signal).dtype == np.float32
    assert third()(signal) == pytest.approx(theirs, abs=2e-6)
