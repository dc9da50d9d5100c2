"""Words that two texts have in common, also where a recogniser got half of them wrong."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from chasqui.records import Word
from chasqui.transcribe.anchors import anchors


def test_what_was_heard_right_is_found(words: list[Word]) -> None:
    said = [word.text for word in words]
    random = Random(3)
    heard = ["mumble" if random.random() < 0.4 else word for word in said]
    right = [(n, n) for n, word in enumerate(heard) if word == said[n]]
    found = anchors(said, heard)
    assert len(set(found) & set(right)) > 0.8 * len(right)
    assert len(set(found) - set(right)) < 0.05 * len(right)


def test_words_that_were_left_out_or_added_change_nothing(words: list[Word]) -> None:
    said = [word.text for word in words]
    heard = ["um", "well", *said[:100], "noise", *said[140:]]
    found = dict(anchors(said, heard))
    assert all(found[n] == n + 2 for n in range(5, 95))
    assert all(found[n] == n + 2 + 1 - 40 for n in range(145, len(said)))


def test_another_text_has_hardly_a_row_in_common(words: list[Word]) -> None:
    said = [word.text for word in words]
    assert len(anchors(said, said[::-1])) < 0.05 * len(said)
    assert anchors(said, []) == anchors([], said) == []


@given(st.lists(st.sampled_from("abcdefgh"), max_size=60), st.lists(st.sampled_from("abcdefgh"), max_size=60))
def test_pairs_rise_and_are_the_same_words(said: list[str], heard: list[str]) -> None:
    found = anchors(said, heard)
    assert all(said[a] == heard[b] for a, b in found)
    assert all(one[0] < other[0] and one[1] < other[1] for one, other in pairwise(found))
