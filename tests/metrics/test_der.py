"""Diarization error, against pyannote.metrics and by hand."""

from __future__ import annotations

import random
import warnings
from importlib.util import find_spec
from typing import Any

import pytest
from absent import missing

from chasqui.metrics.der import Errors, Spoken, errors, matches

REFERENCE = [(0.0, 4.0, "ana"), (4.0, 8.0, "beto"), (7.0, 9.0, "ana")]


def test_by_hand() -> None:
    assert errors(REFERENCE, REFERENCE) == Errors(10, 0, 0, 0)
    assert errors(REFERENCE, [(0, 9, "x")]) == Errors(10, 1, 0, 3)  # six of the nine seconds are ana's
    assert errors(REFERENCE, [(1, 4, "x"), (4, 8, "y"), (7, 9.5, "x")]) == Errors(10, 1, 0.5, 0)
    assert errors(REFERENCE, []).rate == 1


def test_names_do_not_matter_but_one_name_is_one_speaker() -> None:
    swapped = [(start, end, {"ana": "beto", "beto": "ana"}[name]) for start, end, name in REFERENCE]
    assert errors(REFERENCE, swapped).rate == 0
    assert matches(REFERENCE, swapped) == {"ana": "beto", "beto": "ana"}
    many = [(start, end, str(number)) for number, (start, end, _) in enumerate(REFERENCE)]
    assert errors(REFERENCE, many).confused_s == 2


def test_collar_overlap_and_end() -> None:
    late = [(start + 0.2, end + 0.2, name) for start, end, name in REFERENCE]
    assert errors(REFERENCE, late).rate > 0 == errors(REFERENCE, late, collar_s=0.25).rate
    one = [(0.0, 4.0, "x"), (4.0, 8.0, "y"), (8.0, 9.0, "x")]
    assert errors(REFERENCE, one).missed_s == pytest.approx(1)
    assert errors(REFERENCE, one, skip_overlap=True) == Errors(8, 0, 0, 0)
    assert errors(REFERENCE, [(0, 4, "x"), (4, 30, "y")], until_s=6).rate == 0


def test_nobody_speaks() -> None:
    assert errors([], []).rate == 0
    assert errors([], [(0, 1, "x")]).rate == 1
    assert errors([(1, 1, "a")], []).speech_s == 0
    assert matches([], REFERENCE) == {}


def talk(dice: random.Random, names: str) -> list[Spoken]:
    """Turns of several speakers over each other; those of one do not overlap."""
    turns = []
    for name in names:
        at = dice.uniform(0, 5)
        for _ in range(dice.randint(0, 5)):
            end = at + dice.uniform(0.2, 6)
            turns.append((at, end, name))
            at = end + dice.uniform(0.01, 6)
    return turns


@pytest.mark.parametrize(("collar_s", "skip_overlap"), [(0.0, False), (0.25, False), (0.0, True), (0.25, True)])
def test_as_pyannote_counts_it(collar_s: float, skip_overlap: bool) -> None:
    if find_spec("pyannote.metrics") is None:
        missing("pyannote.metrics")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyannote.core import Annotation, Segment, Timeline
        from pyannote.metrics.diarization import DiarizationErrorRate

    def annotated(turns: list[Spoken]) -> Any:
        annotation = Annotation()
        for number, (start, end, name) in enumerate(turns):
            annotation[Segment(start, end), number] = name
        return annotation

    dice, compared = random.Random(7), 0
    judge = DiarizationErrorRate(collar=2 * collar_s, skip_overlap=skip_overlap)
    for _ in range(25):
        reference, hypothesis = talk(dice, "abc"), talk(dice, "wxyz")
        if not reference:
            continue
        theirs = judge(annotated(reference), annotated(hypothesis), uem=Timeline([Segment(0, 100)]))
        ours = errors(reference, hypothesis, collar_s=collar_s, skip_overlap=skip_overlap)
        if ours.speech_s > 0:
            assert ours.rate == pytest.approx(theirs, abs=1e-6)
            compared += 1
    assert compared > 15
