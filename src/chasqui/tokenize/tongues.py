"""Which tokenizer cuts which language: spaCy's rules for the languages it has, ours for all others.

A language has its own list of words that say nothing (stop words), or none: Quechua and Aymara are never counted by
Spanish ones, although half of their speakers' recordings are taken for Spanish by recognisers.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from itertools import groupby
from typing import Any, NamedTuple

from chasqui.errors import BadConfig
from chasqui.tokenize.norm import norm

#: Of ours. Raise it whenever the same text may be cut otherwise.
PLAIN = "plain-1"
#: Marks that hold a word together between two letters: don't, l·l, p'unchaw, bien-être.
_INSIDE = frozenset("'’ʼ·‧-‐‑")


class Piece(NamedTuple):
    """Where a token stands in the text that was cut."""

    start: int
    end: int
    lemma: str | None = None


class Tongue(NamedTuple):
    """How one language is cut."""

    name: str  # spacy-es, plain
    cut: Callable[[str], list[Piece]]
    stops: frozenset[str]  # normalised
    why_plain: str | None = None  # why it is not spaCy that cuts
    why_no_lemmas: str | None = None


def has_spacy() -> bool:
    """Whether spaCy is installed; does not import it, which takes seconds."""
    return find_spec("spacy") is not None


def tongue(language: str | None, wanted: str = "auto", lemmas: bool = False) -> Tongue:
    """How a language (ISO 639; None: unknown) is cut.

    Raises:
        BadConfig: spaCy was asked for by name and is not installed.
    """
    if wanted == "spacy" and not has_spacy():
        raise BadConfig(why="the tokenizer spacy needs a package that is missing: pip install 'chasqui[data]'")
    if wanted == "plain":
        return _plain("ours was asked for")
    if not has_spacy():
        return _plain("spaCy is not installed")
    return _spacy(language, lemmas) if language else _plain("the language is not known")


def plain(text: str) -> list[Piece]:
    """Words and single marks of any text, by Unicode's categories alone.

    A word is letters, combining marks and digits; an apostrophe, a hyphen or a middle dot between two of its letters
    belongs to it, a comma or point between digits too. Scripts that put no spaces between words give long ones.
    """
    found: list[Piece] = []
    at = 0
    for kind, run in groupby(text, _kind):
        end = at + len(list(run))
        if kind == "word":
            found.append(Piece(at, end))
        elif kind == "mark":
            found += [Piece(place, place + 1) for place in range(at, end)]
        at = end
    return list(_joined(text, found))


def _kind(letter: str) -> str:
    if letter.isspace():
        return "space"
    category = unicodedata.category(letter)
    # Cf: joiners and marks of direction stay with their word; Cc and the like are nobody's tokens.
    return "word" if category[0] in "LMN" or category in ("Cf", "Pc") else "space" if category == "Cc" else "mark"


def _joined(text: str, pieces: list[Piece]) -> Iterator[Piece]:
    """Pieces with the marks between two letters or two digits taken into their word."""
    place = 0
    while place < len(pieces):
        piece = pieces[place]
        while place + 2 < len(pieces) and _holds(text, piece, pieces[place + 1], pieces[place + 2]):
            piece = Piece(piece.start, pieces[place + 2].end)
            place += 2
        yield piece
        place += 1


def _holds(text: str, before: Piece, mark: Piece, after: Piece) -> bool:
    if before.end != mark.start or mark.end != after.start or mark.end - mark.start != 1:
        return False
    left, middle, right = text[before.end - 1], text[mark.start], text[after.start]
    letters = unicodedata.category(left)[0] in "LM" and unicodedata.category(right)[0] in "LM"
    return (letters and middle in _INSIDE) or (left.isdigit() and right.isdigit() and middle in ".,")


def _plain(why: str) -> Tongue:
    return Tongue(PLAIN, plain, frozenset(), why, "only spaCy has them")


@cache
def _spacy(language: str, lemmas: bool) -> Tongue:
    """spaCy's rules for a language, made once: French alone takes a second or more."""
    import spacy

    try:
        nlp: Any = spacy.blank(language)
    except ImportError:  # no such language, or one that needs yet another package (ja, ko, th, vi)
        return _plain(f"spaCy has no rules for {language} here")
    missing = _add_lemmas(nlp) if lemmas else None
    stops = frozenset(norm(word) for word in nlp.Defaults.stop_words)

    def cut(text: str) -> list[Piece]:
        with nlp.memory_zone():  # else its vocabulary keeps every word that it ever met
            return [
                Piece(token.idx, token.idx + len(token.text), (token.lemma_ or None) if lemmas else None)
                for token in nlp(text)
                if not token.is_space and token.text
            ]

    return Tongue(f"spacy-{language}", cut, stops, None, missing)


def _add_lemmas(nlp: Any) -> str | None:
    """Lemmas from spaCy's lookup tables, if they are there for this language; else why not."""
    try:
        nlp.add_pipe("lemmatizer", config={"mode": "lookup"})
        nlp.initialize()
    except (ValueError, KeyError):  # E1004: no table; E912: none of this kind
        if nlp.has_pipe("lemmatizer"):
            nlp.remove_pipe("lemmatizer")
        return f"there are no lookup tables for {nlp.lang}: pip install spacy-lookups-data"
    return None
