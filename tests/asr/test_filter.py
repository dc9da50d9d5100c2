"""What nobody said is thrown out; what somebody said stays, however he says it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.asr import RATE_HZ, Heard, Span
from chasqui.asr.filter import kept
from chasqui.records import Word

START_S = 61.5


def span(seconds: float = 20.0, *, quiet: tuple[float, float] = (0, 0)) -> Span:
    sound = (np.random.default_rng(3).standard_normal(round(seconds * RATE_HZ)) * 0.1).astype(np.float32)
    sound[round(quiet[0] * RATE_HZ) : round(quiet[1] * RATE_HZ)] *= 1e-4
    return Span(sound, START_S)


def spoken(text: str, step_s: float = 0.4, at_s: float = 0.0) -> tuple[Word, ...]:
    return tuple(
        Word(text=word, start_s=START_S + at_s + n * step_s, end_s=START_S + at_s + (n + 0.9) * step_s)
        for n, word in enumerate(text.split())
    )


def test_what_was_said_stays() -> None:
    words = spoken("No, no, no. El agua sube y el agua baja, y el agua sube otra vez: ¡uno, dos, tres!")
    assert kept(Heard(words), span()) == (list(words), {})


def test_text_where_there_is_no_sound_goes() -> None:
    words = spoken("Hola a todos. Gracias por ver el video.", step_s=1.0)
    left, dropped = kept(Heard(words), span(quiet=(2.8, 20)))
    assert [word.text for word in left] == ["Hola", "a", "todos."]
    assert dropped == {"silence": 5}


def test_a_loop_stands_once() -> None:
    words = spoken("Vamos a ver. " + "Gracias por ver. " * 12 + "Bien.", step_s=0.35)
    left, dropped = kept(Heard(words), span())
    assert " ".join(word.text for word in left) == "Vamos a ver. Gracias por ver. Bien."
    assert dropped == {"repetition": 33}


def test_a_chant_that_is_no_loop_yet_stays() -> None:
    words = spoken("dos por dos, " * 3 + "cuatro")
    assert kept(Heard(words), span())[0] == list(words)


def test_what_no_tongue_could_say_goes() -> None:
    slow, fast = (
        spoken("Ahora empezamos con la clase."),
        spoken(" ".join(f"palabra{n}" for n in range(20)), step_s=0.05, at_s=6.0),
    )
    left, dropped = kept(Heard((*slow, *fast)), span())
    assert left == list(slow)
    assert dropped == {"rate": 20}


def test_words_of_no_length_stay_among_others() -> None:
    words = list(spoken("Algunas palabras no duran nada según quien las oye."))
    words[3] = words[3].model_copy(update={"end_s": words[3].start_s})
    assert kept(Heard(tuple(words)), span())[0] == words


@pytest.mark.parametrize(("silence", "confidence", "stays"), [(0.9, 0.2, False), (0.9, 0.8, True), (0.3, 0.2, True)])
def test_a_recogniser_that_hears_nobody_and_doubts_its_text_is_believed(
    silence: float, confidence: float, stays: bool
) -> None:
    words = spoken("Subtítulos realizados por la comunidad")
    left, dropped = kept(Heard(words, silence=silence, confidence=confidence), span())
    assert (left, dropped) == ((list(words), {}) if stays else ([], {"silence": 5}))


@given(st.lists(st.sampled_from(["a", "sí", "no,", "agua", "¿"]), max_size=60), st.floats(0.01, 0.5))
def test_nothing_is_added_or_moved_and_every_loss_is_counted(texts: list[str], step_s: float) -> None:
    words = spoken(" ".join(texts), step_s)
    left, dropped = kept(Heard(words), span(30.0, quiet=(5, 8)))
    places = [words.index(word) for word in left]
    assert places == sorted(set(places))
    assert len(words) - len(left) == sum(dropped.values())
    assert all(dropped.values())
