"""Words of cues, laid into real speech, beside where a recogniser heard them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.captions import Cue
from chasqui.captions.cues import cues
from chasqui.records import Word
from chasqui.transcribe.spread import spread


def test_words_lie_near_where_they_were_heard(words: list[Word], speech: np.ndarray) -> None:
    laid = [word for cue in cues(words) for word in spread(cue, speech)]
    assert [word.text for word in laid] == [word.text for word in words]
    off_s = [abs(here.start_s - there.start_s) for here, there in zip(laid, words, strict=True)]
    assert np.median(off_s) < 0.13
    assert np.percentile(off_s, 95) < 0.4
    evenly = [
        cue.start_s + cue.seconds * place / len(cue.text.split())
        for cue in cues(words)
        for place in range(len(cue.text.split()))
    ]
    assert np.median([abs(a - b.start_s) for a, b in zip(evenly, words, strict=True)]) > 1.2 * np.median(off_s)


def test_no_word_lies_in_a_pause() -> None:
    speech = np.zeros(200, np.float32)
    speech[10:50] = speech[120:160] = 1.0
    first, second = spread(Cue(0.0, 6.0, ("hola aquí",)), speech)
    assert (first.start_s, first.end_s) == pytest.approx((10 * 0.032, 50 * 0.032), abs=0.2)
    assert (second.start_s, second.end_s) == pytest.approx((120 * 0.032, 160 * 0.032), abs=0.2)


def test_who_speaks_is_kept() -> None:
    (word,) = spread(Cue(0.0, 1.0, ("hola",), "Rosa"), np.ones(100, np.float32))
    assert word.speaker == "Rosa"


def test_without_speech_words_fill_their_cue() -> None:
    laid = spread(Cue(1.0, 3.0, ("uno dos",)), np.zeros(200, np.float32))
    assert [word.start_s for word in laid] == pytest.approx([1.0, 2.0], abs=0.05)
    assert laid[-1].end_s == pytest.approx(3.0, abs=0.05)


def test_marks_that_stand_alone_are_no_words() -> None:
    laid = spread(Cue(0.0, 2.0, ("- ¿Qué ?", "– Nada …")), np.ones(100, np.float32))
    assert [word.text for word in laid] == ["¿Qué?", "Nada…"]
    assert spread(Cue(0.0, 2.0, ("…",)), np.ones(100, np.float32)) == []


def test_words_that_were_heard_hold_the_others() -> None:
    cue = Cue(10.0, 14.0, ("uno dos tres cuatro",))
    laid = spread(cue, np.ones(1000, np.float32), {0: (20.0, 20.5), 3: (23.0, 23.5)})
    assert [word.text for word in laid] == ["uno", "dos", "tres", "cuatro"]
    assert (laid[0].start_s, laid[3].start_s) == (20.0, 23.0)
    starts = [word.start_s for word in laid]
    assert starts == sorted(starts)
    assert laid[2].end_s <= 23.0


@given(
    st.lists(st.text("abcñ .,¿", min_size=1, max_size=12), min_size=1, max_size=12).map(" ".join),
    st.floats(0, 30),
    st.floats(0.05, 9),
    st.lists(st.integers(0, 255), max_size=300),
    st.dictionaries(st.integers(0, 3), st.floats(0, 40), max_size=2),
)
def test_words_are_always_in_order(
    text: str, start_s: float, seconds: float, probability: list[int], heard: dict[int, float]
) -> None:
    cue = Cue(start_s, start_s + seconds, (text,))
    speech = np.array(probability, np.float32) / 255
    count = len(spread(cue, speech))
    known = {place: (at_s, at_s + 0.2) for place, at_s in heard.items() if place < count}
    for laid in (spread(cue, speech), spread(cue, speech, known)):
        times = [time for word in laid for time in (word.start_s, word.end_s)]
        assert times == sorted(times)
        assert all(np.isfinite(times))
