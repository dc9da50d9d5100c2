"""Where somebody speaks, from what analyze kept."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from chasqui.diarize.speech import BRIDGE_S, CHUNK_S, PAD_S, SHORTEST_S, regions


def track(*stretches: tuple[int, int]) -> np.ndarray:
    likely = np.zeros(320, np.uint8)
    for start, stop in stretches:
        likely[start:stop] = 240
    return likely


def test_stretches_are_padded_and_joined_over_short_gaps() -> None:
    found = regions(track((31, 62), (66, 90), (150, 200)), np.ones(11, np.uint8))
    expected = [(31 * CHUNK_S - PAD_S, 90 * CHUNK_S + PAD_S), (150 * CHUNK_S - PAD_S, 200 * CHUNK_S + PAD_S)]
    assert np.allclose(found, expected)


def test_blips_are_nobody() -> None:
    assert regions(track((31, 34)), np.ones(11, np.uint8)) == []


def test_what_was_taken_for_music_is_no_speech() -> None:
    seconds = np.full(11, 2, np.uint8)
    assert regions(track((31, 90)), seconds) == []
    seconds[0] = 1  # speech in the second before: its end may reach over
    assert regions(track((31, 62)), seconds)


@given(arrays.arrays(np.uint8, st.integers(0, 400)), st.integers(0, 2))
def test_regions_are_in_order_apart_and_inside(likely: np.ndarray, kind: int) -> None:
    found = regions(likely, np.full(14, kind, np.uint8))
    for start, end in found:
        assert start >= 0 and end <= likely.size * CHUNK_S + 1e-9 and end - start >= SHORTEST_S - 1e-9
    for (_, before), (after, _) in pairwise(found):
        assert after - before >= BRIDGE_S - 1e-9
