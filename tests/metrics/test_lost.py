"""Lost words: in their segment, at their time, only sure ones, and more than chance before they count."""

from __future__ import annotations

from importlib.util import find_spec
from random import Random

import pytest
from absent import missing

from chasqui.metrics.lost import CHANCE, FLOOR, by_segment, too_many
from chasqui.records import Segment, Word


@pytest.fixture(autouse=True, scope="module")
def installed() -> None:
    if find_spec("jiwer") is None:
        missing("the package jiwer")


#: Two segments of 6 s, from 3 s on.
SEGMENTS = [
    Segment(index=n, start_packet=50 + 100 * place, packets=100, kind="speech", speech_share=1.0)
    for place, n in enumerate((7, 8))
]


def spoken(text: str, sure: float | None = 0.9, at_s: float = 3.2) -> list[Word]:
    """A word every second."""
    return [
        Word(text=word, start_s=at_s + n, end_s=at_s + n + 0.5, probability=sure) for n, word in enumerate(text.split())
    ]


SAID = "El agua baja de la montaña, hacia el mar azul y frío."


def test_the_same_words_are_all_kept() -> None:
    first, second = by_segment(spoken(SAID), spoken(SAID.upper()), SEGMENTS, "es")
    assert (first.segment, first.words, first.errors, first.sure, first.lost) == (7, 6, 0, 6, ())
    assert (second.segment, second.words, second.sure) == (8, 6, 6)


def test_a_lost_word_stands_where_it_was_said() -> None:
    heard = [w for w in spoken(SAID.replace("agua", "yegua")) if w.text != "mar"]
    first, second = by_segment(spoken(SAID), heard, SEGMENTS, "es")
    assert [(w.text, w.heard, w.start_s) for w in first.lost] == [("agua", "yegua", 4.2)]
    assert [(w.text, w.heard) for w in second.lost] == [("mar", None)]
    assert (first.errors, second.errors) == (1, 1)


def test_what_nobody_was_sure_of_is_not_lost_but_an_error() -> None:
    said = [w.model_copy(update={"probability": 0.3}) if w.text == "agua" else w for w in spoken(SAID)]
    first, _ = by_segment(said, [w for w in spoken(SAID) if w.text != "agua"], SEGMENTS, "es")
    assert (first.words, first.errors, first.sure, first.lost) == (6, 1, 5, ())


def test_without_probabilities_all_words_are_sure() -> None:
    first, second = by_segment(spoken(SAID, sure=None), [], SEGMENTS, "es")
    assert (first.sure, len(first.lost), second.errors) == (6, 6, 6)


def test_added_words_are_errors_where_they_were_heard() -> None:
    first, second = by_segment([], spoken("uno dos tres", at_s=9.5), SEGMENTS, "es")
    assert (first.errors, second.errors, second.words) == (0, 3, 0)


def test_words_at_the_very_edges_count_in_the_segments_there_are() -> None:
    first, second = by_segment(spoken("antes", at_s=2.2) + spoken("después", at_s=15.5), [], SEGMENTS, "es")
    assert (first.words, second.words) == (1, 1)


@pytest.mark.parametrize(
    ("sure", "lost", "usual", "counts"),
    [
        (20, 1, 0.0, False),  # one word proves nothing
        (1000, 10, 0.0, False),  # the noise floor
        (20, 2, 0.0, False),  # chance, once in twenty segments
        (20, 4, 0.0, True),
        (20, 3, 0.15, False),  # as everywhere in this recording
        (20, 12, 0.15, True),
        (20, 20, 1.0, False),
        (0, 0, 0.0, False),
    ],
)
def test_losses_count_where_chance_does_not_explain_them(sure: int, lost: int, usual: float, counts: bool) -> None:
    assert too_many(sure, lost, usual) is counts


def test_chance_alone_is_rarely_taken_for_a_loss() -> None:
    lot = Random(7)
    tries = [sum(lot.random() < FLOOR for _ in range(25)) for _ in range(5000)]
    assert sum(too_many(25, lost, 0.0) for lost in tries) / len(tries) <= CHANCE
