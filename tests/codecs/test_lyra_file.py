"""The file of Lyra's indices: whole, in part, and when somebody has tampered with it."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.codecs import lyra_file
from chasqui.codecs.lyra import ABSENT, FRAME, LEVELS, STAGES, Codes, coarser
from chasqui.codecs.lyra_file import BLOCK_FRAMES, LONGEST_S, MAGIC, read, write
from chasqui.errors import Damaged
from chasqui.words import explain
from tests.codecs.test_lyra_entropy import any_codes


def some(frames: int, stages: int = 8, seed: int = 1) -> Codes:
    rng = np.random.default_rng(seed)
    return coarser(rng.integers(0, LEVELS, (frames, STAGES)).astype(np.int8), stages)


@given(any_codes(), st.integers(0, FRAME - 1))
def test_what_is_written_is_read(codes: Codes, missing: int) -> None:
    samples = max(len(codes) * FRAME - missing, 0)
    opened = read(write(codes, samples))
    assert opened.samples == samples
    assert (np.concatenate([codes[:0], *opened.codes()]) == codes).all()


@pytest.mark.parametrize("frames", [1, BLOCK_FRAMES - 1, BLOCK_FRAMES, BLOCK_FRAMES + 1, 2 * BLOCK_FRAMES + 7])
def test_blocks(frames: int) -> None:
    codes = some(frames, stages=2)
    opened = read(write(codes, frames * FRAME))
    assert len(opened.payloads) == -(-frames // BLOCK_FRAMES)
    assert (np.concatenate(list(opened.codes())) == codes).all()


def test_seeking_reads_only_what_is_behind() -> None:
    codes = some(2 * BLOCK_FRAMES + 7, stages=2)
    opened = read(write(codes, len(codes) * FRAME))
    late = list(opened.codes(start_sample=(BLOCK_FRAMES + 40) * FRAME))
    assert [len(block) for block in late] == [BLOCK_FRAMES, 7]
    assert (late[0] == codes[BLOCK_FRAMES : 2 * BLOCK_FRAMES]).all()
    assert list(opened.codes(start_sample=10**9)) == []


def test_the_header_is_as_documented() -> None:
    codes = some(2)
    data = write(codes, 500)
    block = data[13:]
    assert data[:6] == b"CHLY\x01\x03"
    assert data[6:8] == bytes([500 & 127 | 128, 500 >> 7])
    assert data[8] == len(block)
    assert data[9:13] == struct.pack("<I", zlib.crc32(data[:9]))
    assert block[:2] == bytes([2, 8])  # two frames of eight stages
    assert block[-4:] == struct.pack("<I", zlib.crc32(block[:-4]))


def test_overhead_is_small() -> None:
    codes = some(3 * BLOCK_FRAMES, stages=16)
    data = write(codes, len(codes) * FRAME)
    coded = sum(len(lyra_file.lyra_entropy.encode(codes[i : i + BLOCK_FRAMES])) for i in range(0, 9000, BLOCK_FRAMES))
    assert len(data) - coded <= 13 + 3 * (4 + 4 + 4)


def whole(data: bytes) -> Codes:
    return np.concatenate(list(read(data, name="x").codes()))


DATA = write(some(120, stages=5), 120 * FRAME - 3)


@pytest.mark.parametrize("at", range(len(DATA)))
def test_every_changed_byte_is_noticed(at: int) -> None:
    for bit in (1, 128):
        data = DATA[:at] + bytes([DATA[at] ^ bit]) + DATA[at + 1 :]
        with pytest.raises(Damaged):
            whole(data)


def test_every_cut_and_every_addition_is_noticed() -> None:
    for data in [*(DATA[:end] for end in range(len(DATA))), DATA + b"\0", DATA + DATA]:
        with pytest.raises(Damaged):
            whole(data)


@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_are_refused_in_words(noise: bytes, dressed: bool) -> None:
    data = MAGIC + b"\x01\x03" + noise if dressed else noise
    with pytest.raises(Damaged, match="is damaged"):
        whole(data)


def sealed(body: bytes) -> bytes:
    return body + struct.pack("<I", zlib.crc32(body))


def leb128(number: int) -> bytes:
    return lyra_file._leb128(number)


HEAD = MAGIC + b"\x01\x03"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (sealed(HEAD + leb128(LONGEST_S * 16_000 + 1)), "24 hours long"),
        (sealed(HEAD + b"\xff" * 9 + b"\x01"), "too large"),
        (sealed(HEAD + leb128(LONGEST_S * 16_000) + leb128(2**34)), "cut short|checksum"),
        (sealed(HEAD + leb128(FRAME) + leb128(2**34)), "instead of"),
        (sealed(HEAD + b"\x80\x00"), "more bytes than it needs"),
        (sealed(HEAD + leb128(FRAME) + leb128(4)) + sealed(b""), "cut short"),
        (sealed(HEAD + leb128(FRAME) + leb128(2)) + b"ab", "block 0 does not match"),
        (sealed(HEAD + leb128(FRAME) + leb128(6)) + sealed(b"\x01\x00"), "0 stages are none"),
        (sealed(HEAD + leb128(FRAME) + leb128(6)) + sealed(b"\x01\x2f"), "47 stages are none"),
        (sealed(HEAD + leb128(FRAME) + leb128(6)) + sealed(b"\x02\x08"), "a run of 2 frames does not fit"),
        (sealed(HEAD + leb128(FRAME) + leb128(6)) + sealed(b"\x00\x08"), "a run of 0 frames does not fit"),
        (sealed(HEAD + leb128(FRAME) + leb128(7)) + sealed(b"\xff\x7f\x08"), "a run of 16383 frames does not fit"),
        (sealed(HEAD + leb128(FRAME) + leb128(16)) + sealed(b"\x01\x01" + b"\x01" * 10), "left over"),
        (b"CHLY\x02\x03" + DATA[6:], "version 02.03"),
        (b"CHLY\x01\x04" + DATA[6:], "version 01.04"),
        (b"", "does not begin like"),
        (b"OggS" + DATA[4:], "does not begin like"),
    ],
    ids=range(17),
)
def test_lies_with_a_right_checksum_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(Damaged, match=said):
        whole(data)


def test_refusals_are_said_in_spanish() -> None:
    with pytest.raises(Damaged) as raised:
        read(b"RIFF", name="clase.chly")
    assert explain(raised.value, "es").startswith("clase.chly está dañado")
    assert "no empieza como un archivo" in explain(raised.value, "es")


@settings(max_examples=20)
@given(st.integers(-2, 5), st.integers(-2, 2000))
def test_only_as_many_frames_as_the_samples_need(frames: int, samples: int) -> None:
    codes = some(max(frames, 0))
    if len(codes) == -(-samples // FRAME) and samples >= 0:
        assert read(write(codes, samples)).samples == samples
    else:
        with pytest.raises(ValueError, match="cannot hold"):
            write(codes, samples)


def test_stages_may_change_within_a_file() -> None:
    codes = np.concatenate([some(30, 8), some(50, 30, seed=2), some(1, 1, seed=3), some(40, 46, seed=4)])
    data = write(codes, len(codes) * FRAME)
    assert (whole(data) == codes).all()
    assert set((whole(data) != ABSENT).sum(axis=1)) == {8, 30, 1, 46}
