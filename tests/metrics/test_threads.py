"""Linear algebra keeps to one thread while asked to, and only then."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from chasqui.metrics.threads import one_blas_thread


def blas_threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_one_thread_while_entered_and_as_before_after() -> None:
    assert np.ones((2, 2)) @ np.ones(2) == pytest.approx([2, 2])  # NumPy's BLAS is loaded
    before = blas_threads()
    with one_blas_thread():
        assert blas_threads() == [1] * len(before)
    assert before
    assert blas_threads() == before
