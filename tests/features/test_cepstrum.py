"""Cepstra and changes against SciPy and straight lines."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import fft, signal

from chasqui.features import cepstrum

RNG = np.random.default_rng(3)


def test_cepstra_are_an_orthonormal_cosine_transform() -> None:
    logs = RNG.normal(size=(7, 40)).astype(np.float32)
    np.testing.assert_allclose(cepstrum.mfcc(logs, 20), fft.dct(logs, norm="ortho")[:, :20], atol=1e-5)


def test_the_change_of_a_line_is_its_slope() -> None:
    line = np.arange(50, dtype=np.float32)[:, None] * np.float32([1.0, -0.5])
    np.testing.assert_allclose(cepstrum.delta(line)[4:-4], np.broadcast_to([1.0, -0.5], (42, 2)), rtol=1e-5)
    np.testing.assert_allclose(cepstrum.delta(line, order=2)[4:-4], 0, atol=1e-4)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("reach", [2, 4])
def test_changes_are_those_of_savitzky_and_golay(order: int, reach: int) -> None:
    columns = RNG.normal(size=(30, 3)).astype(np.float32)
    theirs = signal.savgol_filter(columns, 2 * reach + 1, order, deriv=order, axis=0, mode="nearest")
    np.testing.assert_allclose(cepstrum.delta(columns, reach, order), theirs, atol=1e-5)


def test_what_lies_behind_a_clip_does_not_matter() -> None:
    columns = RNG.normal(size=(2, 30, 3)).astype(np.float32)
    counts = np.array([30.0, 17.0], np.float32)
    found = cepstrum.delta(cepstrum.held(columns, counts))
    np.testing.assert_allclose(found[1, :17], cepstrum.delta(columns[1, :17]), atol=1e-6)
    np.testing.assert_allclose(found[0], cepstrum.delta(columns[0]), atol=1e-6)
