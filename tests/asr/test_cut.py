"""Cutting what is too long, and joining what was heard of the pieces."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.asr import RATE_HZ, Heard, Span
from chasqui.asr.cut import cut, hear_in_pieces, join
from chasqui.records import Word


def span(seconds: float, start_s: float = 0.0, pauses_s: tuple[float, ...] = ()) -> Span:
    return Span(np.ones(round(seconds * RATE_HZ), np.float32), start_s, pauses_s)


@settings(deadline=None)
@given(
    seconds=st.floats(0, 40),
    start_s=st.floats(0, 1e5),
    pauses=st.lists(st.floats(0, 40), max_size=8),
    longest_s=st.floats(0.2, 12),
)
def test_pieces_are_the_whole_span_in_order_and_none_is_too_long(
    seconds: float, start_s: float, pauses: list[float], longest_s: float
) -> None:
    whole = span(seconds, start_s, tuple(start_s + pause for pause in pauses))
    whole.sound[:] = np.arange(len(whole.sound))
    pieces = cut(whole, longest_s)
    assert np.array_equal(np.concatenate([piece.sound for piece in pieces]), whole.sound)
    assert all(piece.seconds <= longest_s + 1e-4 for piece in pieces)
    assert len(pieces) == 1 or all(len(piece.sound) for piece in pieces)
    for before, after in pairwise(pieces):
        assert after.start_s == pytest.approx(before.end_s, abs=1e-4)


def test_it_cuts_at_the_last_pause_that_fits() -> None:
    pieces = cut(span(25, 100.0, (103.0, 108.5, 116.0, 119.0)), 10.0)
    assert [piece.start_s for piece in pieces] == pytest.approx([100.0, 108.5, 116.0])
    assert pieces[1].pauses_s == ()  # 116 is where the next begins
    assert pieces[2].pauses_s == (119.0,)


def test_without_a_pause_it_cuts_where_it_is_quietest() -> None:
    long = span(15)
    long.sound[int(9.2 * RATE_HZ) : int(9.4 * RATE_HZ)] = 0
    first, second = cut(long, 10.0)
    assert 9.2 <= first.seconds <= 9.4
    assert first.seconds + second.seconds == pytest.approx(15)


def test_pieces_are_asked_about_in_batches_and_joined_per_span() -> None:
    asked: list[int] = []

    def hear(pieces: list[Span]) -> list[Heard]:
        asked.append(len(pieces))
        return [Heard((Word(text="x", start_s=piece.start_s, end_s=piece.end_s),), "es") for piece in pieces]

    heard = hear_in_pieces([span(25), span(4, 50.0), span(11, 60.0)], 10.0, hear, batch=4)
    assert asked == [4, 2]
    assert [len(one.words) for one in heard] == [3, 1, 2]
    assert heard[1].words[0].start_s == 50.0


def test_the_longest_piece_with_words_speaks_for_the_language() -> None:
    word = Word(text="x", start_s=0, end_s=1)
    pieces = [span(1), span(9), span(4)]
    joined = join(pieces, [Heard((word,), "es", 0.9, 0.5), Heard((), "la", 0.3, None), Heard((word,), "en", 0.8, 0.9)])
    assert (joined.language, joined.language_probability, len(joined.words)) == ("en", 0.8, 2)
    assert joined.confidence == pytest.approx((1 * 0.5 + 4 * 0.9) / 5)  # pieces that say nothing of it do not count
    assert joined.silence is None
