"""Lower rates keep what they can hold, in stretches of any length, without seams."""

from __future__ import annotations

import numpy as np
import pytest

from chasqui.features import lower


def tone(hertz: float, samples: int) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(samples) / 48_000).astype(np.float32)


@pytest.mark.parametrize("hertz", [100.0, 1000.0, 3300.0])
@pytest.mark.parametrize("samples", [20_000, 48_001, 7_200 * 5])
def test_tones_pass_untouched(hertz: float, samples: int) -> None:
    sound = tone(hertz, samples)
    for found, factor in zip(lower.lower(sound), (3, 6), strict=True):
        assert found.shape == (-(-samples // factor),)
        inner = slice(600, -600)  # beyond both ends are zeros, which ring into the first milliseconds
        np.testing.assert_allclose(found[inner], sound[::factor][inner], atol=1e-4)


@pytest.mark.parametrize(("hertz", "factor"), [(9_000.0, 3), (15_000.0, 3), (4_500.0, 6), (11_000.0, 6)])
def test_what_does_not_fit_is_gone(hertz: float, factor: int) -> None:
    (found,) = lower.lower(tone(hertz, 96_000), (factor,))
    assert np.abs(found[600:-600]).max() < 1e-4


def test_silence_stays_silence() -> None:
    assert not lower.lower(np.zeros(30_000, np.float32))[0].any()
