"""Pairs of packets: a byte saved, and not a sample changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from clips import excerpt
from hypothesis import given
from hypothesis import strategies as st

from chasqui.codecs.opus import LADDER, PACKET_SAMPLES, RUNGS
from chasqui.media import opus, pairs

SILK, HYBRID = 0b0001_1000, 0b0111_1011  # one 60 ms frame; a code 3 packet, which is never paired

frames = st.binary(min_size=1, max_size=1275)
packets = st.lists(st.tuples(st.sampled_from((SILK, SILK | 0b0010_0000, HYBRID)), frames), max_size=30)


@given(packets=packets)
def test_what_is_joined_is_split_again(packets: list[tuple[int, bytes]]) -> None:
    plain = [bytes([toc]) + frame for toc, frame in packets]
    joined = list(pairs.join(plain))
    assert [one for packet in joined for one in pairs.split(packet)] == plain
    assert sum(map(pairs.samples, joined)) == PACKET_SAMPLES * len(plain)


@given(a=frames, b=frames)
def test_a_pair_of_voice_packets_saves_a_byte(a: bytes, b: bytes) -> None:
    def in_container(packets: list[bytes]) -> int:
        return sum(len(packet) + len(packet) // 255 + 1 for packet in packets)

    plain = [bytes([SILK]) + a, bytes([SILK]) + b]
    saved = in_container(plain) - in_container(list(pairs.join(plain)))
    assert saved >= -1
    if len(a) + len(b) + 2 < 255:
        assert saved == 1


def test_modes_that_differ_are_not_paired() -> None:
    plain = [bytes([SILK, 1]), bytes([SILK | 0b0010_0000, 1]), bytes([HYBRID, 2, 1]), bytes([HYBRID, 2, 1])]
    assert list(pairs.join(plain)) == plain


def test_decoders_hear_the_same(media: Path) -> None:
    sound = excerpt(media / "speech" / "resemblyzer" / "1069-133699-0000.flac", 0, 3)
    for rung in LADDER:
        plain = opus.encode(sound, rung)
        joined = list(pairs.join(plain))
        assert np.array_equal(np.concatenate(list(opus.decode(plain))), np.concatenate(list(opus.decode(joined)))), rung
    voice = opus.encode(sound, RUNGS["voice-6"])
    assert len(list(pairs.join(voice))) == -(-len(voice) // 2)
