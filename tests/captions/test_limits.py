"""The limits of readers, and telling which are broken."""

from __future__ import annotations

import pytest

from chasqui.captions import Cue
from chasqui.captions.limits import ENGLISH, SPANISH, faults, limits_for


@pytest.mark.parametrize(
    ("cue", "broken"),
    [
        (Cue(0, 2, ("Hola.",)), []),
        (Cue(0, 7, ("a", "b", "c")), ["lines"]),
        (Cue(0, 7, ("x" * 43,)), ["columns"]),
        (Cue(0, 7.01, ("Hola.",)), ["long"]),
        (Cue(0, 0.9, ("Hola.",)), ["short"]),
        (Cue(0, 2, ("x" * 40,)), ["fast"]),
    ],
)
def test_each_limit_of_one_cue(cue: Cue, broken: list[str]) -> None:
    assert [name for _, name in faults([cue])] == broken


def test_limits_between_cues() -> None:
    first = Cue(0, 2, ("Hola.",))
    assert faults([first, Cue(2.08, 4, ("Sí.",))]) == []
    assert faults([first, Cue(2.0, 4, ("Sí.",))]) == [(1, "gap")]
    assert faults([first, Cue(1.9, 4, ("Sí.",))]) == [(1, "overlap")]


def test_languages() -> None:
    assert limits_for("en") is ENGLISH
    assert limits_for("es") is limits_for("qu") is limits_for(None) is SPANISH
    assert SPANISH.reading_s(34) == 2.0
    assert SPANISH.reading_s(1) == 1.0
    assert SPANISH.reading_s(999) == 7.0
