"""Where lines break."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.captions.lines import breath, ends_sentence, wrapped


@settings(deadline=None)
@given(st.lists(st.text("abc", min_size=1, max_size=12), min_size=1, max_size=14), st.integers(1, 3))
def test_lines_hold_all_words_or_nothing(words: list[str], lines: int) -> None:
    made = wrapped(words, 20, lines)
    possible = _fits(words, 20, lines)
    assert (made is not None) == possible
    if made is not None:
        assert " ".join(made) == " ".join(words)
        assert len(made) <= lines
        assert all(len(line) <= 20 for line in made)


def _fits(words: list[str], columns: int, lines: int) -> bool:
    """Filling each line as far as it goes needs the fewest lines."""
    used, room = 1, columns
    for word in words:
        if len(word) > columns:
            return False
        if len(word) + (room < columns) > room:
            used, room = used + 1, columns
        room -= len(word) + (room < columns)
    return used <= lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Una línea basta.", ("Una línea basta.",)),
        (
            "Primero el agua se evapora, después sube y se enfría.",
            ("Primero el agua se evapora,", "después sube y se enfría."),
        ),
        (
            "Los volcanes del sur de los Andes están entre los más activos",
            ("Los volcanes del sur de los Andes", "están entre los más activos"),
        ),
    ],
)
def test_lines_end_where_one_would_breathe(text: str, lines: tuple[str, ...]) -> None:
    assert wrapped(text.split(), 42) == lines


def test_what_a_break_costs() -> None:
    costs = [breath(word) for word in ("fin.", "¿sí?»", "luego,", "agua", "la")]
    assert costs == sorted(costs)
    assert ends_sentence("fin…")
    assert not ends_sentence("fin,")
