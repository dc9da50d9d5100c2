"""What services answer, in their dialects."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.asr import RATE_HZ, Span
from chasqui.asr.answer import code, dressed, heard
from chasqui.errors import BadAnswer

SPAN = Span(np.zeros(10 * RATE_HZ, np.float32), 100.0)


def words(answer: object) -> list[tuple[str, float, float, float | None]]:
    found = heard(answer, SPAN, None, "http://x").words
    return [(word.text, word.start_s, word.end_s, word.probability) for word in found]


def test_words_inside_segments() -> None:
    """As faster-whisper servers answer."""
    segment = {
        "start": 0,
        "end": 2,
        "text": " Hola.",
        "words": [{"word": " Hola.", "start": 0.5, "end": 1, "probability": 0.9}],
    }
    assert words({"text": "Hola.", "segments": [segment]}) == [("Hola.", 100.5, 101.0, 0.9)]


def test_segments_alone_give_words_as_long_as_their_letters() -> None:
    """As whisper.cpp answers."""
    segment = {"start": 1.0, "end": 5.0, "text": " si aquello", "avg_logprob": 0.0}
    found = words({"segments": [segment, {"start": 6, "end": 7, "text": ""}]})
    assert [word[0] for word in found] == ["si", "aquello"]
    assert [word[3] for word in found] == [1.0, 1.0]
    assert found[0][1:3] == (101.0, pytest.approx(101.0 + 4 * 3 / 11, abs=1e-3))
    assert found[1][2] == 105.0


def test_nothing_said_is_no_failure() -> None:
    assert words({"text": " ", "words": None, "segments": []}) == []
    assert words({}) == []


def test_times_outside_the_sound_are_put_inside() -> None:
    answer = {"words": [{"word": "a", "start": -2, "end": 1}, {"word": "b", "start": 0.5, "end": 99}]}
    assert [word[1:3] for word in words(answer)] == [(100.0, 101.0), (101.0, 110.0)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("es", "es"), ("Spanish", "es"), ("QUECHUA", "qu"), ("klingon", None), ("", None), (None, None)],
)
def test_languages_by_name_or_code(written: str | None, meant: str | None) -> None:
    assert code(written) == meant


def test_words_get_the_punctuation_of_the_text() -> None:
    text = "¿Qué? ¡Doña Ana—dijo! 3,5 km."
    assert dressed(["qué", "Doña", "Anadijo", "35", "mil", "km"], text) == [
        "¿Qué?",
        "¡Doña",
        "Ana—dijo!",
        "3,5",
        "mil",
        "km.",
    ]


@settings(deadline=None)
@given(st.lists(st.text(min_size=1, max_size=4), max_size=20), st.text(max_size=60))
def test_dressing_never_loses_a_word(spoken: list[str], text: str) -> None:
    assert len(dressed(spoken, text)) == len(spoken)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "words", "segments", "word", "start", "end", "language"]), inner, max_size=5
        )
    ),
)


@settings(deadline=None)
@given(JSON)
def test_any_json_is_a_transcript_or_a_named_error(answer: object) -> None:
    try:
        found = heard(answer, SPAN, None, "http://x").words
    except BadAnswer:
        return
    assert all(100.0 <= word.start_s <= word.end_s <= 110.0 for word in found)
