"""The coder of Lyra's indices: what goes in comes out, real speech gets smaller, damage is no crash."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.codecs.lyra import ABSENT, LEVELS, STAGES, Codes, Lyra, coarser
from chasqui.codecs.lyra_entropy import decode, encode
from tests import clips


def counts(codes: Codes) -> list[int]:
    return [int(count) for count in (codes != ABSENT).sum(axis=1)]


@st.composite
def any_codes(draw: st.DrawFn, most: int = 12) -> Codes:
    """Frames with stages that differ, uniform or heavily skewed, as learning meets them."""
    stages = draw(st.lists(st.integers(1, STAGES), max_size=most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    codes = np.full((len(stages), STAGES), ABSENT, np.int8)
    levels = draw(st.integers(1, LEVELS))
    for row, count in zip(codes, stages, strict=True):
        row[:count] = rng.integers(0, levels, count)
    return codes


@given(any_codes())
def test_what_goes_in_comes_out(codes: Codes) -> None:
    assert (decode(encode(codes), counts(codes)) == codes).all()


@settings(max_examples=5, deadline=None)
@given(st.integers(0, LEVELS - 1), st.integers(1, STAGES))
def test_what_never_changes_costs_next_to_nothing(value: int, stages: int) -> None:
    codes = coarser(np.full((1500, STAGES), value, np.int8), stages)
    coded = encode(codes)
    assert (decode(coded, counts(codes)) == codes).all()
    assert len(coded) < 1500 * stages * 4 / 8 / 20


def test_what_surprises_after_a_long_habit_still_comes_out() -> None:
    """The bounds of the coder are narrowest where it is surest and wrong."""
    rng = np.random.default_rng(3)
    codes = np.zeros((2000, STAGES), np.int8)
    codes[rng.random(codes.shape) < 0.002] = LEVELS - 1
    assert (decode(encode(codes), counts(codes)) == codes).all()


def test_noise_hardly_grows() -> None:
    codes = np.random.default_rng(5).integers(0, LEVELS, (1000, STAGES)).astype(np.int8)
    assert len(encode(codes)) < 1.04 * 1000 * STAGES * 4 / 8


def test_real_speech_gets_an_eighth_smaller(media: Path) -> None:
    lyra = Lyra(media / "models" / "lyra")
    # Different speakers in a row, which is harder to learn than one teacher.
    spoken = [
        coarser(lyra.encode(clips.at_rate(clips.excerpt(media / clip, 0, 12), 16_000)), 16) for clip in clips.SPEECH
    ]
    codes = np.concatenate(spoken)
    coded = encode(codes)
    assert len(coded) < 0.88 * len(codes) * 16 * 4 / 8
    assert (decode(coded, counts(codes)) == codes).all()


def test_the_bytes_stay_the_same_for_ever() -> None:
    """Files that exist must decode: whoever changes these bytes raises the version in lyra_file.py."""
    number, row = np.arange(200)[:, None], np.arange(STAGES)  # no random generator, which may change as well
    codes = ((number // 3 * row + (number * 7919 + row * 104729) % 97 // 24) % LEVELS).astype(np.int8)
    assert (
        hashlib.sha256(encode(codes)).hexdigest() == "6fcb16472db6a6f841e89eff4c959231507d9ad0ad8b622ba228ff9f1ae1afa7"
    )


def test_nothing_is_nothing() -> None:
    assert encode(np.zeros((0, STAGES), np.int8)) == b""
    assert decode(b"", []).shape == (0, STAGES)


@given(st.binary(max_size=300), st.lists(st.integers(1, STAGES), max_size=8))
def test_any_bytes_give_codes_or_an_error(data: bytes, stages: list[int]) -> None:
    try:
        codes = decode(data, stages)
    except ValueError as error:
        assert "left over" in str(error)
    else:
        assert counts(codes) == stages
        assert codes.max(initial=0) < LEVELS


@pytest.mark.parametrize("stages", [[0], [47], [16, -1]])
def test_stages_that_there_are_not(stages: list[int]) -> None:
    with pytest.raises(ValueError, match="1 to 46 stages"):
        decode(b"abc", stages)


def test_bytes_behind_the_last_frame_are_noticed() -> None:
    codes = np.ones((20, STAGES), np.int8)
    with pytest.raises(ValueError, match="left over"):
        decode(encode(codes) + b"\1" * 8, counts(codes))
