"""Windows over speech, and the voices in them, whatever the blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chasqui.diarize import windows
from chasqui.diarize.windows import BLOCK_S, HOP_S, WINDOW_S, listen
from chasqui.metrics.resample import third
from chasqui.models import voiceprint

from .conftest import Talk


@given(st.lists(st.tuples(st.floats(0.3, 20), st.floats(0.25, 9)), max_size=8))
def test_windows_cover_their_region_and_stay_inside_it(parts: list[tuple[float, float]]) -> None:
    regions, at = [], 0.0
    for gap, length in parts:
        regions.append((at + gap, at + gap + length))
        at = regions[-1][1]
    found = windows.windows(regions)
    assert [window.region for window in found] == sorted(window.region for window in found)
    for number, (start, end) in enumerate(regions):
        middles = [window.middle_s for window in found if window.region == number]
        if end - start <= WINDOW_S:
            assert np.allclose(middles, [(start + end) / 2])
        else:
            assert min(middles) - WINDOW_S / 2 >= start - 1e-6 and max(middles) + WINDOW_S / 2 <= end + 1e-6
            assert np.all(np.diff(middles) <= HOP_S + 1e-6)
            assert np.allclose([middles[0] - WINDOW_S / 2, middles[-1] + WINDOW_S / 2], [start, end])


def test_a_window_is_heard_the_same_across_the_edge_of_a_block(talk: Talk, tmp_path: Path) -> None:
    """Between two blocks of 24 s, and at both ends of the recording, against the encoder on the cut sound itself."""
    sound = np.tile(talk.sound, 2)[: 30 * 48_000]
    regions = [(0.0, 1.6), (23.1, 24.7), (28.4, 30.0)]
    pieces = [sound[: BLOCK_S * 48_000], sound[BLOCK_S * 48_000 :]]
    found = listen(pieces, regions, 1.0, tmp_path)
    padded = np.pad(sound, 48_000)
    for number, (start, _) in enumerate(regions):
        low = third()(padded[round((start + 0.5) * 48_000) : round((start + 3.1) * 48_000)])
        mels = voiceprint.mels(low[8_000 - 200 :])[:160]
        alone = voiceprint.voiceprints(mels[None])
        assert np.allclose(found.prints[number], alone.prints[0], atol=2e-3)
        assert np.allclose(found.overlap[number], alone.overlap[0], atol=2e-2)


def test_nothing_to_listen_to(tmp_path: Path) -> None:
    found = listen([np.zeros(1000, np.float32)], [], 1.0, tmp_path)
    assert found.prints.shape == (0, 256) and found.overlap.shape == (0, 16) and found.middles_s.size == 0
