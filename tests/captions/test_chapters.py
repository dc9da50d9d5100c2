"""Chapters of texts with known topics: where they begin, what they are called, and when there are none."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from chasqui.captions.chapters import SHORTEST_S, chapters
from chasqui.records import Word

DOCS = Path(__file__).parents[2] / "docs"

#: What a teacher says about four things, sentence by sentence; each is told at length with the same few words.
TOPICS = {
    "la célula": (
        "La célula es la unidad de los seres vivos. La membrana rodea a la célula y deja pasar el agua. Dentro de "
        "la membrana está el citoplasma. El núcleo guarda la información de la célula. En las plantas la célula "
        "tiene además una pared. Las mitocondrias dan energía a la célula. Sin membrana no hay célula que viva. El "
        "núcleo manda y el citoplasma obedece. Miren en el microscopio cómo se ve el núcleo."
    ),
    "las fracciones": (
        "Una fracción tiene numerador y denominador. El denominador dice en cuántas partes se divide el entero. El "
        "numerador cuenta las partes que tomamos. Para sumar fracciones buscamos un denominador común. Multiplicar "
        "fracciones es más fácil que sumarlas. Simplificar una fracción es dividir numerador y denominador. Dos "
        "fracciones son equivalentes si valen igual. El denominador nunca puede ser cero."
    ),
    "los incas": (
        "Los incas gobernaron desde el Cusco. El imperio se llamaba Tahuantinsuyo. Pachacútec extendió el imperio "
        "hacia el norte. Los caminos del imperio unían el Cusco con Quito. Los chasquis corrían por los caminos "
        "llevando quipus. En los quipus se anotaban las cosechas del imperio. Los españoles llegaron al Cusco en "
        "mil quinientos treinta y tres. Manco Inca se rebeló contra los españoles. Los tambos guardaban alimentos "
        "junto a los caminos."
    ),
    "la electricidad": (
        "La corriente eléctrica es un movimiento de electrones. El voltaje empuja a los electrones por el cable. La "
        "resistencia se opone a la corriente. La ley de Ohm relaciona voltaje, corriente y resistencia. Una pila da "
        "voltaje al circuito. Si el circuito se abre la corriente se detiene. En un circuito en serie la corriente "
        "es la misma. La resistencia se mide en ohmios y el voltaje en voltios."
    ),
}


def told(texts: list[str], minutes: float, seed: int = 1, pause_s: float = 0.3) -> tuple[list[Word], list[float]]:
    """Words with times, so many minutes for each text (its sentences over and over, in any order), and the borders."""
    random, words, at_s, borders = Random(seed), list[Word](), 1.0, list[float]()
    for text in texts:
        if words:
            borders.append(at_s)
        until_s = at_s + 60 * minutes
        while at_s < until_s:
            sentence = random.choice([part + "." for part in text.rstrip(".").split(". ")])
            for word in sentence.split():
                length_s = 0.07 * (len(word) + 1)
                words.append(Word(text=word, start_s=round(at_s, 3), end_s=round(at_s + 0.9 * length_s, 3)))
                at_s += length_s
            at_s += pause_s
    return words, borders


def test_chapters_begin_where_the_topic_changes() -> None:
    words, borders = told(list(TOPICS.values()), 3.0)
    found = chapters(words, "es", words[-1].end_s)
    assert [chapter.start_s for chapter in found] == pytest.approx([0.0, *borders], abs=10)
    assert [a.end_s for a in found[:-1]] == [b.start_s for b in found[1:]]
    assert found[-1].end_s == words[-1].end_s
    for chapter, own in zip(found, ("célula", "denominador", "imperio", "corriente"), strict=True):
        assert own in chapter.title.lower(), chapter


def test_without_punctuation_and_with_a_language_nobody_knows() -> None:
    words, borders = told(list(TOPICS.values()), 3.0)
    bare = [word.model_copy(update={"text": word.text.strip(".,").lower()}) for word in words]
    found = chapters(bare, None, words[-1].end_s)
    assert [chapter.start_s for chapter in found[1:]] == pytest.approx(borders, abs=30)


def test_one_topic_is_one_piece() -> None:
    for text in TOPICS.values():
        words, _ = told([text], 12.0)
        assert chapters(words, "es", words[-1].end_s) == []


def test_short_recordings_have_none() -> None:
    words, _ = told(list(TOPICS.values()), 1.2)
    assert words[-1].end_s < 360
    assert chapters(words, "es", words[-1].end_s) == []
    assert chapters([], "es", 4000.0) == []


def test_no_chapter_is_shorter_than_anybody_needs() -> None:
    words, _ = told([*TOPICS.values()] * 3, 0.8)
    found = chapters(words, "es", words[-1].end_s)
    assert all((c.end_s or 0) - c.start_s >= SHORTEST_S - 1 for c in found)


def test_a_pause_decides_between_places_that_are_as_good() -> None:
    first, second = list(TOPICS.values())[:2]
    words, (border_s,) = told([first, second], 4.0)
    late = [
        word
        if word.start_s < border_s
        else word.model_copy(update={"start_s": word.start_s + 3, "end_s": word.end_s + 3})
        for word in words
    ]
    found = chapters(late, "es", late[-1].end_s)
    assert found[1].start_s == pytest.approx(border_s + 2.5, abs=0.6)


def test_pages_of_these_docs_are_told_apart() -> None:
    """Written text of one field, by the same people: harder than a class that goes from one topic to another."""
    pages = [(DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("store", "captions", "neural", "phone")]
    random, words, borders, at_s = Random(2), list[Word](), list[float](), 0.0
    for page in pages:
        if words:
            borders.append(at_s)
        for text in page.split()[:700]:
            words.append(Word(text=text, start_s=at_s, end_s=at_s + 0.35))
            at_s += 0.4 + (0.4 if text.endswith(".") else 0) * random.random()
    found = [chapter.start_s for chapter in chapters(words, "en", at_s)[1:]]
    assert sum(min(abs(start - border) for start in found) < 30 for border in borders) >= 2
    assert len(found) <= 5
