"""Cues out of words: all the words, within the limits, whatever the words are like."""

from __future__ import annotations

import math

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chasqui.captions.cues import cues
from chasqui.captions.limits import ENGLISH, SPANISH, Limits, faults
from chasqui.records import Word

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=9) | st.sampled_from(
    ["de", "agua.", "la", "química,", "¿Qué?", "x" * 100, "dos palabras"]
)


@st.composite
def spoken(draw: st.DrawFn) -> list[Word]:
    """Words one after the other, as recognisers give them: some of no length, with pauses of all sizes."""
    at, words = draw(st.floats(0, 50)), []
    for _ in range(draw(st.integers(0, 40))):
        end = at + draw(st.just(0.0) | st.floats(0, 1.5))
        words.append(Word(text=draw(TEXT), start_s=at, end_s=end))
        at = end + draw(st.sampled_from([0.0, 0.0, 0.0, 0.1, 0.7, 3.0]))
    return words


def sentence(text: str, start_s: float = 0.0, each_s: float = 0.35) -> list[Word]:
    return [
        Word(text=word, start_s=start_s + n * each_s, end_s=start_s + (n + 0.9) * each_s)
        for n, word in enumerate(text.split())
    ]


@settings(deadline=None)
@given(spoken())
@example([Word(text="hola", start_s=0, end_s=0)] * 30)
def test_no_word_is_lost_and_no_hard_limit_broken(words: list[Word]) -> None:
    made = cues(words)
    assert "".join("".join(cue.text.split()) for cue in made) == "".join(
        "".join(c for c in " ".join(word.text.split()) if c.isprintable() and not c.isspace()) for word in words
    ) or any(not c.isprintable() for word in words for c in word.text)
    assert {name for _, name in faults(made)} <= {"short", "fast"}
    assert all(cue.end_s > cue.start_s >= 0 for cue in made)
    assert all(line == line.strip() != "" for cue in made for line in cue.lines)


@settings(deadline=None)
@given(spoken(), st.sampled_from([SPANISH, ENGLISH, Limits(columns=20, lines=3, longest_s=4)]))
def test_words_in_any_order_and_at_any_time_are_captioned_all_the_same(words: list[Word], limits: Limits) -> None:
    odd = [
        word.model_copy(update={"start_s": math.sin(n) * 20, "end_s": math.cos(n) * 20}) for n, word in enumerate(words)
    ]
    made = cues(odd, limits)
    assert {name for _, name in faults(made, limits)} <= {"short", "fast", "gap"} - (
        {"gap"} if limits is SPANISH else set()
    )


def test_sentences_are_not_torn_apart() -> None:
    words = sentence("El agua sube por el tallo. Las hojas la pierden de día.")
    assert [cue.text for cue in cues(words)] == ["El agua sube por el tallo.", "Las hojas la pierden de día."]


def test_without_punctuation_pauses_say_where_to_break() -> None:
    words = sentence("el agua sube por el tallo") + sentence("las hojas la pierden de dia", start_s=3.0)
    assert [cue.text for cue in cues(words)] == ["el agua sube por el tallo", "las hojas la pierden de dia"]


def test_long_sentences_break_after_commas_and_before_articles() -> None:
    text = (
        "Cuando llueve mucho en la parte alta de la cuenca, el río arrastra piedras, barro y troncos, "
        "y todo lo que encuentra en su camino hacia el mar termina en las casas de la gente."
    )
    made = cues(sentence(text, each_s=0.42))
    assert " ".join(cue.text for cue in made) == text
    assert len(made) <= 4
    for cue in made:
        for line in cue.lines[:-1] or cue.lines:
            assert line.split()[-1] not in ("el", "la", "de", "en", "y")
    assert faults(made) == []


def test_a_lone_word_stands_long_enough_to_be_read() -> None:
    (cue,) = cues([Word(text="Sí.", start_s=10.0, end_s=10.1)])
    assert (cue.start_s, cue.end_s) == (10.0, 11.0)


def test_a_short_cue_before_another_comes_a_little_early() -> None:
    words = [Word(text="Sí.", start_s=10.0, end_s=10.2), Word(text="Entonces…", start_s=10.9, end_s=13.0)]
    first, second = cues(words)
    assert (first.start_s, first.end_s) == (9.82, 10.82)
    assert second.start_s == 10.9


def test_nothing_stands_through_a_silence() -> None:
    first, second = cues([Word(text="uno", start_s=0, end_s=0.4), Word(text="dos", start_s=5, end_s=5.4)])
    assert first.end_s < 2
    assert second.start_s == 5


def test_english_readers_get_more_letters_per_second() -> None:
    text = "internationalisation of characterisation"
    words = [Word(text=word, start_s=n, end_s=n + 1) for n, word in enumerate(text.split())]
    (spanish,), (english,) = cues(words, SPANISH), cues(words, ENGLISH)
    assert spanish.seconds == 3.0  # as long as the words take
    assert english.seconds == 3.0
    quick = [word.model_copy(update={"start_s": 0.0, "end_s": 1.0}) for word in words]
    assert cues(quick, SPANISH)[0].seconds > cues(quick, ENGLISH)[0].seconds


def test_nothing_gives_nothing() -> None:
    assert cues([]) == []
    assert cues([Word(text=" \n", start_s=0, end_s=1)]) == []
