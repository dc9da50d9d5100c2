"""The error tree: codes, actions, messages that never fail, and a drawing that matches."""

from __future__ import annotations

import inspect
import pickle
from collections import Counter

import pytest

from chasqui import errors
from chasqui.errors import SOME_REFUSED, ChasquiError, TooShort, TryAgain
from chasqui.words import LANGUAGES, catalogue, explain

ALL = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ChasquiError)]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_speaks_even_without_its_evidence(kind: type[ChasquiError]) -> None:
    assert str(kind())
    for lang in LANGUAGES:
        assert explain(kind(), lang)
        assert kind.__name__ in catalogue("errors", lang)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_crosses_a_process_border(kind: type[ChasquiError]) -> None:
    error = pickle.loads(pickle.dumps(kind(name="a.mp3", why="x")))
    assert type(error) is kind
    assert error.evidence == {"name": "a.mp3", "why": "x"}


def test_the_tree_at_the_top_is_the_tree_below() -> None:
    drawing = inspect.getdoc(errors) or ""
    assert all(
        f" {kind.__name__}" in drawing or drawing.startswith(kind.__name__) or kind is ChasquiError for kind in ALL
    )


def test_exit_codes_tell_errors_apart() -> None:
    codes = Counter(kind.exit_code for kind in ALL if kind.__name__ not in ("Ambiguous", "Defect"))
    assert max(codes.values()) == 1
    assert SOME_REFUSED not in codes
    assert all(0 < code < 126 for code in codes)  # above that, shells mean signals


def test_only_what_the_world_did_is_to_be_tried_again() -> None:
    assert {kind.__name__ for kind in ALL if kind.action == "retry"} == {
        kind.__name__ for kind in ALL if issubclass(kind, TryAgain)
    }


def test_facts_fill_the_message_in_both_languages() -> None:
    error = TooShort(name="a.mp3", duration_s=0.5, minimum_s=1.0)
    assert explain(error, "en") == str(error) == "a.mp3 holds only 0.50 s of sound; a lesson needs at least 1 s."
    assert explain(error, "es") == "a.mp3 tiene solo 0.50 s de sonido; una clase necesita al menos 1 s."


def test_braces_in_a_name_are_only_a_name() -> None:
    assert "{why}.mp3" in str(TooShort(name="{why}.mp3"))


def test_the_english_catalogue_says_what_the_code_says() -> None:
    for kind in ALL:
        if kind.__name__ != "BadConfig":  # its text is its reason alone; the catalogue says that it is a setting
            assert catalogue("errors", "en")[kind.__name__] == kind.text
