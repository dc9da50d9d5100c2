"""The catalogues: every language knows the same keys, with the same facts in them."""

from __future__ import annotations

import re
from importlib.resources import files
from string import Formatter

import pytest

from chasqui.errors import BadConfig, ChasquiError, NotWritable
from chasqui.words import LANGUAGES, catalogue, explain, reason, say

ROOMS = sorted(file.name.removesuffix(".json") for file in (files("chasqui.words") / "es").iterdir())


def facts(text: str) -> set[tuple[str, str | None, str | None]]:
    return {(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("room", ROOMS)
def test_languages_have_the_same_keys_with_the_same_facts(room: str) -> None:
    first, *others = (catalogue(room, lang) for lang in LANGUAGES)
    for other in others:
        assert other.keys() == first.keys()
        for key in first:
            assert facts(other[key]) == facts(first[key]), key


def test_languages_have_the_same_rooms() -> None:
    for lang in LANGUAGES:
        assert sorted(f.name.removesuffix(".json") for f in (files("chasqui.words") / lang).iterdir()) == ROOMS


@pytest.mark.parametrize("room", ROOMS)
def test_no_text_is_empty_or_left_in_the_other_language(room: str) -> None:
    spanish, english = catalogue(room, "es"), catalogue(room, "en")
    for key, text in english.items():
        assert text.strip(), key
    same = [key for key in english if english[key] == spanish[key] and re.search(r"[a-z]{4} [a-z]{4}", english[key])]
    assert same == []


def test_facts_that_nobody_gave_read_as_a_question_mark() -> None:
    assert say("cli.story.budget", "es") == "Presupuesto: ?"
    assert say("cli.story.budget", "es", size=None) == "Presupuesto: ?"


def test_a_key_that_does_not_exist_is_a_slip_of_ours() -> None:
    for key in ("cli.nothing.like.this", "kitchen.sink"):
        with pytest.raises(KeyError):
            say(key, "es")


def test_reasons_with_gaps_are_filled() -> None:
    said = "choose: there is no option 'tarjet'; did you mean 'target'?"
    assert reason(said, "es") == "choose: no hay ninguna opción 'tarjet'; ¿quiso decir 'target'?"
    assert reason("choose: there is no option 'zzz'", "es") == "choose: no hay ninguna opción 'zzz'"
    assert reason(said, "en") == said
    assert reason("switched off; 10 s without speech (music, applause) were left as they are", "es") == (
        "desactivado; 10 s sin voz (música, aplausos) se dejaron como están"
    )
    assert reason("nobody wrote this down", "es") == "nobody wrote this down"


def test_reasons_in_english_are_their_own_keys() -> None:
    assert all(key == text for key, text in catalogue("reasons", "en").items())


@pytest.mark.parametrize(
    "error",
    [
        NotWritable(path="/x", why="permission denied"),
        BadConfig(why="'lots' is not a size; write for example 3MB, 800kB, 3MiB or 3000000"),
        BadConfig(why="settings.lang: String should match pattern '^(es|en)$' (got 'fr')"),
        BadConfig(why="The budget of 3000 bytes is too small: the cheapest encode needs 5904 bytes."),
    ],
    ids=str,
)
def test_common_reasons_are_said_in_spanish(error: ChasquiError) -> None:
    assert explain(error, "es") != explain(error, "en")
    assert error.evidence["why"] not in explain(error, "es")
