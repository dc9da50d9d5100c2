"""Rows of numbers per clip, against NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from chasqui import features
from chasqui.errors import BadConfig
from chasqui.features import statistics

from .conftest import SPANISH, SPEECH, Read


def test_columns_have_names(read: Read) -> None:
    frames = features.extract([read(SPEECH), read(SPANISH)[:8_000]], 16_000, ("mfcc", "level_dbfs", "snr_db"))
    table = features.aggregate(frames, ("mean", "p90"))
    assert table.names[:2] == ("mfcc_00_mean", "mfcc_01_mean")
    assert table.names[-3:] == ("level_dbfs_mean", "level_dbfs_p90", "snr_db")
    assert table.values.shape == (2, 20 * 2 + 2 + 1)
    own = frames.clip(1)["level_dbfs"][:, 0]
    assert table.values[1, -3] == pytest.approx(own.mean(), rel=1e-5)
    assert table.values[1, -2] == pytest.approx(np.percentile(own, 90), rel=1e-5)


@settings(max_examples=60, deadline=None)
@given(arrays(np.float32, st.tuples(st.integers(1, 50), st.integers(1, 4)), elements=st.floats(-99, 99, width=16)))
def test_they_are_what_numpy_says(values: np.ndarray) -> None:
    for percent in (0, 5, 50, 90, 100):
        np.testing.assert_allclose(
            statistics.of(values, f"p{percent:02d}"), np.percentile(values, percent, axis=0), rtol=1e-4, atol=1e-4
        )
    np.testing.assert_allclose(statistics.of(values, "std"), values.std(axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(statistics.of(values, "range"), np.ptp(values, axis=0), rtol=1e-5)


def test_moments_are_what_scipy_says() -> None:
    values = np.random.default_rng(1).gamma(2.0, size=(500, 3)).astype(np.float32)
    np.testing.assert_allclose(statistics.skew(values), stats.skew(values), rtol=1e-4)
    np.testing.assert_allclose(statistics.kurtosis(values), stats.kurtosis(values), rtol=1e-3)
    assert statistics.skew(np.full((9, 1), -31.7, np.float32)).tolist() == [0]
    assert statistics.kurtosis(np.full((9, 1), -31.7, np.float32)).tolist() == [0]


def test_an_unknown_statistic_is_refused(read: Read) -> None:
    frames = features.extract(read(SPEECH), 16_000, ("rms",))
    with pytest.raises(BadConfig, match="no statistic 'median'; known: mean, std"):
        features.aggregate(frames, ("mean", "median"))
