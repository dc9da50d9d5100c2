"""Speech in stretches that recognisers take in at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.asr.stretches import LONGEST_PACKETS, Stretch, stretches
from chasqui.media.flac import FlacWriter, read_span
from chasqui.metrics.resample import third
from chasqui.records import Segment


def segments(*parts: tuple[str, int]) -> list[Segment]:
    found, at = [], 0
    for index, (kind, packets) in enumerate(parts):
        found.append(Segment(index=index, start_packet=at, packets=packets, kind=kind, speech_share=0.5))  # type: ignore[arg-type]
        at += packets
    return found


def test_neighbours_are_joined_and_music_and_silence_left_out() -> None:
    parts = segments(("silence", 70), ("speech", 100), ("speech", 120), ("music", 90), ("speech", 80), ("silence", 70))
    assert list(stretches(parts)) == [Stretch(70, 290, (170,)), Stretch(380, 460, ())]


@given(st.lists(st.tuples(st.sampled_from(["speech", "music", "silence"]), st.integers(1, 250)), max_size=40))
def test_all_speech_is_covered_once_by_stretches_that_fit(parts: list[tuple[str, int]]) -> None:
    made, cut = list(stretches(segments(*parts))), segments(*parts)
    wanted = [p for s in cut if s.kind == "speech" for p in range(s.start_packet, s.end_packet)]
    assert [p for s in made for p in range(s.start_packet, s.end_packet)] == wanted
    assert all(s.end_packet - s.start_packet <= LONGEST_PACKETS for s in made)
    assert all(s.start_packet < pause < s.end_packet for s in made for pause in s.pauses)


def test_the_sound_is_that_of_its_place(tmp_path: Path) -> None:
    t = np.arange(48_000 * 12) / 48_000
    tone = (0.4 * np.sin(2 * np.pi * 440 * t) * (t > 6)).astype(np.float32)
    with FlacWriter(tmp_path / "master.flac") as flac:
        flac.write(tone)
    stretch = Stretch(50, 150, (110,))
    found = stretch.span(third()(read_span(tmp_path / "master.flac", 6.0206, *stretch.samples)))
    assert (found.start_s, found.seconds, found.pauses_s) == (3.0, 6.0, pytest.approx((6.6,)))
    at = np.arange(len(found.sound)) / 16_000 + 3.0
    expected = 0.8 * np.sin(2 * np.pi * 440 * at) * (at > 6)
    inner = (abs(at - 6) > 0.01) & (at < 8.99)
    assert np.abs(found.sound - expected)[inner].max() < 2e-3
