"""The likeliest course of speakers."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from chasqui.diarize.course import course, viterbi
from chasqui.diarize.windows import Voices

SCORES = arrays.arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 3)), elements=st.floats(0, 1, width=16))


@given(SCORES, st.floats(0, 2))
def test_no_other_path_is_better(scores: np.ndarray, price: float) -> None:
    prices = np.full(len(scores), price, np.float32)

    def worth(path: tuple[int, ...]) -> float:
        said = sum(float(scores[tick, speaker]) for tick, speaker in enumerate(path))
        return said - price * sum(a != b for a, b in pairwise(path))

    found = tuple(viterbi(scores, prices).tolist())
    best = max(worth(path) for path in product(range(scores.shape[1]), repeat=len(scores)))
    assert worth(found) >= best - 1e-3


def test_a_moment_that_sounds_like_somebody_else_changes_nothing() -> None:
    first, second = np.eye(2, 256, dtype=np.float32)
    own = [first, first, 0.6 * first + 0.62 * second, first, first, second, second, second, second]
    middles = np.arange(len(own)) * 0.8 + 0.8
    voices = Voices(
        middles, np.zeros(len(own), np.int64), np.array(own, np.float16), np.zeros((len(own), 16), np.float16)
    )
    found = course([(0.0, 8.0)], voices, np.stack([first, second]))
    changes = np.flatnonzero(np.diff(found.speaker))
    assert len(changes) == 1
    assert abs((changes[0] + 1) * 0.1 - 4.4) < 0.3


def test_regions_do_not_reach_into_each_other() -> None:
    """A region whose only window sounds like the second speaker is the second's, however near the first speaks."""
    first, second = np.eye(2, 256, dtype=np.float32)
    prints = np.array([first] * 4 + [second] + [first] * 4, np.float16)
    middles = np.array([0.8, 1.6, 2.4, 3.2, 5.0, 6.8, 7.6, 8.4, 9.2])
    regions = [(0.0, 4.0), (4.5, 5.5), (6.0, 10.0)]
    voices = Voices(middles, np.array([0] * 4 + [1] + [2] * 4), prints, np.zeros((9, 16), np.float16))
    found = course(regions, voices, np.stack([first, second]))
    assert found.starts.tolist() == [0, 40, 50, 90]
    assert set(found.speaker[40:50]) == {1} and set(found.speaker[:40]) | set(found.speaker[50:]) == {0}
