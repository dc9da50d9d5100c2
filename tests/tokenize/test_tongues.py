"""Which tokenizer cuts which language, and that none loses or moves a letter."""

from __future__ import annotations

import pytest
from absent import missing
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.errors import BadConfig
from chasqui.tokenize import tongues
from chasqui.tokenize.tongues import Tongue, plain, tongue

MIXED = st.text(
    st.one_of(st.characters(exclude_categories=("Cs",)), st.sampled_from(" .,'’-¿?áñÑ\u0303\u00ad你 好ก\u200d7"))
)


@pytest.fixture(scope="module")
def spacy() -> None:
    if not tongues.has_spacy():
        missing("spaCy")


def texts(how: Tongue, text: str) -> list[str]:
    return [text[piece.start : piece.end] for piece in how.cut(text)]


@given(MIXED)
def test_plain_pieces_are_in_order_and_cover_every_letter(text: str) -> None:
    at = 0
    for piece in plain(text):
        assert at <= piece.start < piece.end <= len(text)
        assert not any(letter.isalnum() for letter in text[at : piece.start])
        at = piece.end
    assert not any(letter.isalnum() for letter in text[at:])


@pytest.mark.parametrize("language", ["es", "en", "pt", "xx"])
@settings(max_examples=60, deadline=None)  # the first text waits for the rules
@given(text=MIXED)
def test_pieces_of_spacy_too(spacy: None, language: str, text: str) -> None:
    at = 0
    for piece in tongue(language).cut(text):
        assert at <= piece.start < piece.end <= len(text)
        assert not text[at : piece.start].strip()
        at = piece.end
    assert not text[at:].strip()


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("¿Qué pasó, pues?", ["¿", "Qué", "pasó", ",", "pues", "?"]),
        ("P'unchaw ch’aska", ["P'unchaw", "ch’aska"]),
        ("bien-être l'eau", ["bien-être", "l'eau"]),
        ("3,5 y 1.000.000.", ["3,5", "y", "1.000.000", "."]),
        ("'hola'", ["'", "hola", "'"]),
        ("fin. Otra", ["fin", ".", "Otra"]),
        ("an\u0303o", ["an\u0303o"]),
        ("हिन्दी", ["हिन्दी"]),
        (" \t\n", []),
    ],
)
def test_plain_cuts_by_categories_alone(text: str, pieces: list[str]) -> None:
    assert [text[piece.start : piece.end] for piece in plain(text)] == pieces


def test_spanish_has_rules_and_stop_words(spacy: None) -> None:
    how = tongue("es")
    assert (how.name, how.why_plain) == ("spacy-es", None)
    assert {"el", "también", "qué"} <= how.stops
    assert "fotosíntesis" not in how.stops
    assert texts(how, "EE.UU. tiene etc. hoy.") == ["EE.UU.", "tiene", "etc.", "hoy", "."]


@pytest.mark.parametrize("language", ["qu", "quz", "ay", "gn", None])
def test_a_language_without_a_list_has_no_stop_words(language: str | None) -> None:
    how = tongue(language)
    assert how.name == tongues.PLAIN
    assert how.stops == frozenset()
    assert how.why_plain


def test_a_language_whose_rules_need_more_packages_is_cut_by_ours(spacy: None) -> None:
    assert tongue("th").why_plain == "spaCy has no rules for th here"


def test_without_spacy_ours_cuts_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tongues, "find_spec", lambda name: None)
    assert tongue("es").why_plain == "spaCy is not installed"
    with pytest.raises(BadConfig, match="pip install"):
        tongue("es", "spacy")


def test_lemmas_without_tables_are_refused_in_words(spacy: None) -> None:
    how = tongue("es", lemmas=True)
    if how.why_no_lemmas is None:
        assert [piece.lemma for piece in how.cut("niñas")] == ["niño"]
    else:
        assert how.why_no_lemmas == "there are no lookup tables for es: pip install spacy-lookups-data"
        assert [piece.lemma for piece in how.cut("niñas")] == [None]
