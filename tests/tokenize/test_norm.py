"""One text for one word, however it was typed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.tokenize.norm import norm


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Año", "an\u0303o"),  # composed and not
        ("P’unchaw", "p'unchaw"),
        ("PʼUNCHAW", "p'unchaw"),
        ("«Hola»", '"hola"'),
        ("STRASSE", "straße"),
        ("bien‑être", "Bien-Être"),
        ("foto\u00adsíntesis", "fotosíntesis"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ],
)
def test_the_same_word_counts_as_one(one: str, other: str) -> None:
    assert norm(one) == norm(other)


@pytest.mark.parametrize(("one", "other"), [("ano", "año"), ("si", "sí"), ("cómo", "como"), ("qanchis", "q'anchis")])
def test_marks_that_make_another_word_stay(one: str, other: str) -> None:
    assert norm(one) != norm(other)


@given(st.text())
def test_counting_twice_changes_nothing(text: str) -> None:
    once = norm(text)
    assert norm(once) == once
    assert unicodedata.is_normalized("NFC", once)
