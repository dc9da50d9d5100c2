"""Numbers in words. Compared once with num2words 0.5.14: equal for 0–20,000 and 20,000 random ones up to 10^12."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.metrics.numbers import LARGEST, NUMBER_WORDS, digits, in_words, ordinal, year


@pytest.mark.parametrize(
    ("number", "spanish", "english"),
    [
        (0, "cero", "zero"),
        (16, "dieciseis", "sixteen"),
        (21, "veintiuno", "twenty one"),
        (35, "treinta y cinco", "thirty five"),
        (100, "cien", "one hundred"),
        (101, "ciento uno", "one hundred one"),
        (1000, "mil", "one thousand"),
        (1532, "mil quinientos treinta y dos", "one thousand five hundred thirty two"),
        (21_000, "veintiuno mil", "twenty one thousand"),
        (1_000_000, "un millon", "one million"),
        (
            745_000_900_100,
            "setecientos cuarenta y cinco mil millones novecientos mil cien",
            "seven hundred forty five billion nine hundred thousand one hundred",
        ),
    ],
)
def test_numbers_are_read_as_people_do(number: int, spanish: str, english: str) -> None:
    assert " ".join(in_words(number, "es")) == spanish
    assert " ".join(in_words(number, "en")) == english


@settings(deadline=None)
@given(st.integers(0, LARGEST), st.integers(0, LARGEST), st.sampled_from(["es", "en"]))
def test_two_numbers_never_read_the_same(one: int, other: int, language: str) -> None:
    assert (in_words(one, language) == in_words(other, language)) == (one == other)
    assert set(in_words(one, language)) <= NUMBER_WORDS[language] | {"y", "un"}


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1984, "nineteen eighty four"),
        (1905, "nineteen oh five"),
        (1900, "nineteen hundred"),
        (2005, "two thousand five"),
    ],
)
def test_english_years(number: int, said: str) -> None:
    assert " ".join(year(number)) == said


def test_ordinals_and_digits() -> None:
    assert [" ".join(ordinal(n, "en")) for n in (1, 12, 20, 22, 30)] == [
        "first",
        "twelfth",
        "twentieth",
        "twenty second",
        "thirtieth",
    ]
    assert ordinal(3, "es") == ["tercero"]
    assert ordinal(11, "es") == ["once"]
    assert digits("07", "es") == ["cero", "siete"]


@pytest.mark.parametrize(("number", "language"), [(-1, "es"), (LARGEST + 1, "es"), (1, "qu")])
def test_what_nobody_taught_us_is_refused(number: int, language: str) -> None:
    with pytest.raises(ValueError, match=r"no numbers|not between"):
        in_words(number, language)
