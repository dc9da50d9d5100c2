"""The outline of a sound."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chasqui.publish.wave import outline


def direct(sound, columns):
    """The same by definition, one column after the other."""
    columns = min(columns, len(sound))
    where = np.arange(len(sound)) * columns // len(sound)
    parts = [sound[where == n] for n in range(columns)]
    return (
        [min(0, p.min()) for p in parts],
        [max(0, p.max()) for p in parts],
        [np.sqrt(np.mean(p.astype(float) ** 2)) for p in parts],
    )


@given(st.integers(1, 3000), st.integers(1, 400), st.integers(1, 50), st.integers(0, 2**32 - 1))
def test_blocks_of_any_size_give_the_outline_by_definition(samples, block, columns, seed):
    sound = np.random.default_rng(seed).normal(size=samples).astype(np.float32)
    found = outline((sound[n : n + block] for n in range(0, samples, block)), samples, columns)
    low, high, rms = direct(sound, columns)
    np.testing.assert_array_equal(found.low, np.float32(low))
    np.testing.assert_array_equal(found.high, np.float32(high))
    np.testing.assert_allclose(found.rms, rms, rtol=1e-5)


def test_silence_has_no_peak():
    assert outline([np.zeros(5000, np.float32)], 5000).peak == 0.0


def test_more_samples_than_announced_are_left_out():
    sound = np.concatenate([np.zeros(1000), np.ones(1000)]).astype(np.float32)
    assert outline([sound], 1000).peak == 0.0


def test_fewer_samples_than_announced_leave_the_rest_silent():
    found = outline([np.ones(1000, np.float32)], 2000, 4)
    assert found.high.tolist() == [1, 1, 0, 0]
