"""Texts made comparable: the same words, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.metrics.numbers import in_words
from chasqui.metrics.spoken import plain, tokens

ANY = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6), max_size=8)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("¿Qué? ¡Está BIEN, señor!", "que esta bien señor"),
        ("El 25 % de 1.532 niños", "el veinticinco por ciento de mil quinientos treinta y dos niños"),
        ("1,532 o 3,5 o 3.14", "mil quinientos treinta y dos o tres coma cinco o tres punto catorce"),
        ("1.234.567,05", "un millon doscientos treinta y cuatro mil quinientos sesenta y siete coma cero cinco"),
        ("10:30, 007", "diez treinta cero cero siete"),
        ("2º, 1er y 3ª", "segundo primero y tercero"),
        ("la primera de veintiún mil doscientas", "la primero de veintiuno mil doscientos"),
        ("treinta y una", "treinta y uno"),
        ("una y una", "una y una"),
        ("eh... el H2O, mmm", "el h dos o"),
        ("Sr. Pérez, Ud. etc.", "señor perez usted etcetera"),
        ("pingüino ñandú", "pinguino ñandu"),
    ],
)
def test_spanish(written: str, spoken: str) -> None:
    assert plain(written, "es") == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Don’t, Mr. Smith!", "don't mister smith"),
        ("one hundred and five", "one hundred five"),
        ("salt and five", "salt and five"),
        ("In 1984, 1,984 cafés", "in nineteen eighty four one thousand nine hundred eighty four cafes"),
        ("the 21st; 2nd", "the twenty first second"),
        ("50% well-being", "fifty percent well being"),
        ("3.14", "three point one four"),
    ],
)
def test_english(written: str, spoken: str) -> None:
    assert plain(written, "en") == spoken


def test_other_languages_keep_letters_and_digits() -> None:
    assert plain("Ñuqa 25, wasi-y!", "qu") == "ñuqa 25 wasi y"
    assert plain("Ça, été", "fr") == "ça été"


@settings(deadline=None)
@given(st.integers(0, 10**12 - 1), st.sampled_from(["es", "en"]))
def test_a_number_is_the_same_in_digits_and_in_words(number: int, language: str) -> None:
    grouped = f"{number:,}"
    said = plain(" ".join(in_words(number, language)), language)
    assert plain(grouped, language) == said
    if language == "es":
        assert plain(str(number), "es") == said
        assert plain(grouped.replace(",", "."), "es") == said


@settings(deadline=None)
@given(ANY, st.sampled_from(["es", "en", "qu"]))
def test_tokens_know_where_they_come_from_and_what_is_plain_stays(words: list[str], language: str) -> None:
    found = tokens(words, language)
    assert [token.source for token in found] == sorted(token.source for token in found)
    assert all(0 <= token.source < len(words) and token.text and " " not in token.text for token in found)
    upper = tokens([word.upper() for word in words if word.upper().lower() == word.lower()], language)
    lower = tokens([word.lower() for word in words if word.upper().lower() == word.lower()], language)
    assert [token.text for token in upper] == [token.text for token in lower]


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=40), st.sampled_from(["es", "en"]))
def test_what_is_comparable_compares_the_same_again(text: str, language: str) -> None:
    once = plain(text, language)
    assert plain(once, language) == once
