"""Word error rates: counted right, and the lost words named."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

import pytest
from absent import missing
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.metrics.wer import VERSION, Lost, WordErrors, compare, grouped, total


@pytest.fixture(autouse=True, scope="module")
def installed() -> None:
    if find_spec("jiwer") is None:
        missing("the package jiwer")


WORDS = st.lists(st.sampled_from(["agua", "roca", "sol", "luz", "mar"]), max_size=12)


def distance(one: list[str], other: list[str]) -> int:
    """Levenshtein's, by the book."""

    @cache
    def between(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        changed = between(i - 1, j - 1) + (one[i - 1] != other[j - 1])
        return min(changed, between(i - 1, j) + 1, between(i, j - 1) + 1)

    return between(len(one), len(other))


@settings(deadline=None)
@given(WORDS, WORDS)
def test_errors_are_the_distance(reference: list[str], heard: list[str]) -> None:
    found = compare(reference, heard, "es")
    errors = found.substitutions + found.deletions + found.insertions
    assert errors == distance(reference, heard)
    assert found.words == len(reference)
    assert found.rate == (None if not reference else errors / len(reference))
    assert len(found.lost) == found.substitutions + found.deletions
    assert all(reference[lost.position] == lost.text for lost in found.lost)
    assert len(reference) - len(found.lost) + found.substitutions + found.insertions == len(heard)


@settings(deadline=None)
@given(WORDS)
def test_the_same_words_have_no_errors_and_silence_loses_all(words: list[str]) -> None:
    loud = [word.upper() + "," for word in words]
    assert compare(words, loud, "es") == WordErrors(len(words), 0, 0, 0)
    assert [lost.text for lost in compare(words, [], "es").lost] == words


def test_the_lost_words_are_named_as_they_were_written() -> None:
    reference = ["Hoy,", "el", "35%", "del", "agua", "baja", "de", "la", "montaña."]
    heard = ["hoy", "el", "treinta", "y", "seis", "por", "ciento", "del", "baja", "por", "la", "montaña"]
    found = compare(reference, heard, "es")
    assert found.lost == (Lost(2, "35%", "seis"), Lost(4, "agua", None), Lost(6, "de", "por"))
    assert (found.words, found.substitutions, found.deletions, found.insertions) == (13, 2, 1, 0)
    assert found.rate == pytest.approx(3 / 13)


def test_accents_and_digits_are_no_errors_but_other_letters_are() -> None:
    assert compare(["¿Está?", "Sí,", "2"], ["esta", "si", "dos"], "es").rate == 0
    assert compare(["año"], ["ano"], "es").rate == 1


def test_where_nothing_was_said_nothing_can_be_lost() -> None:
    assert compare([], ["gracias"], "es") == WordErrors(0, 0, 0, 1)
    assert compare(["…", "eh"], [], "es").rate is None


def test_long_texts_count_more() -> None:
    parts = [compare(["a"] * 9, ["a"] * 9, "es"), compare(["b"], [], "es")]
    assert total(parts).rate == 0.1
    assert total([]).rate is None
    assert "spoken" in VERSION


@settings(deadline=None)
@given(WORDS, WORDS, st.data())
def test_groups_share_the_errors_of_the_whole(reference: list[str], heard: list[str], data: st.DataObject) -> None:
    def grouping(words: list[str]) -> list[int]:
        return data.draw(st.lists(st.integers(0, 2), min_size=len(words), max_size=len(words)))

    groups = grouping(reference)
    parts = grouped(reference, heard, "es", groups, grouping(heard))
    whole = compare(reference, heard, "es")
    assert total(parts.values()) == total([whole])
    assert sorted(lost.position for part in parts.values() for lost in part.lost) == [
        one.position for one in whole.lost
    ]
    assert all(groups[lost.position] == name for name, part in parts.items() for lost in part.lost)
