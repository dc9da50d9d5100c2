"""Who speaks when, as NIST writes it, read back by pyannote.database too."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest
from absent import missing
from hypothesis import given
from hypothesis import strategies as st

from chasqui.captions.rttm import read_rttm, rttm
from chasqui.errors import BadCaptions
from chasqui.records import Turn

TURNS = [Turn(start_s=0.5, end_s=4.25, speaker="1"), Turn(start_s=4.0, end_s=5.5, speaker="2")]
MILLISECONDS = st.integers(0, 40_000_000)


def test_nine_fields_and_no_blank_in_a_name() -> None:
    text = rttm(TURNS, "La clase de hoy.mp3")
    assert text.splitlines()[0] == "SPEAKER La_clase_de_hoy_mp3 1 0.500 3.750 <NA> <NA> speaker1 <NA> <NA>"
    assert all(len(line.split()) == 10 for line in text.splitlines())


@given(st.lists(st.tuples(MILLISECONDS, st.integers(1, 10**6), st.integers(1, 20)), unique=True, max_size=20))
def test_what_was_written_is_read(rows: list[tuple[int, int, int]]) -> None:
    turns = [
        Turn(start_s=start / 1000, end_s=(start + length) / 1000, speaker=str(number)) for start, length, number in rows
    ]
    read = read_rttm(rttm(turns, "clase")).get("clase", [])
    told = sorted((turn.start_s, turn.end_s, f"speaker{turn.speaker}") for turn in turns)
    assert [(turn.start_s, turn.end_s, turn.speaker) for turn in read] == [
        (pytest.approx(start), pytest.approx(end), name) for start, end, name in told
    ]


def test_others_read_it(tmp_path: Path) -> None:
    if find_spec("pyannote.database") is None:
        missing("pyannote.database")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyannote.database.util import load_rttm
    (tmp_path / "clase.rttm").write_text(rttm(TURNS, "clase"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = load_rttm(tmp_path / "clase.rttm")["clase"]
    told = [(piece.start, piece.end, name) for piece, _, name in read.itertracks(yield_label=True)]
    assert told == [(0.5, 4.25, "speaker1"), (4.0, 5.5, "speaker2")]


def test_files_of_others_are_read(media: Path) -> None:
    known = read_rttm((media / "speech/pyannote-audio/debug.train.rttm").read_text(encoding="utf-8"))
    assert len(known) >= 8
    assert [(turn.start_s, turn.speaker) for turn in known["trn02"]] == [(20.704, "FEO066")]
    assert len(known["trn01"]) == 6


def test_comments_other_lines_and_repetitions() -> None:
    line = "SPEAKER a 1 1.0 2.0 <NA> <NA> x <NA>\n"
    text = "\ufeff;; a comment\nSPKR-INFO a 1 <NA> <NA> <NA> unknown x <NA>\n\n" + line + line
    assert read_rttm(text) == {"a": [Turn(start_s=1.0, end_s=3.0, speaker="x")]}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 2 3", "line 1 is not RTTM"),
        ("WEBVTT\n\n00:00.000 --> 00:01.000\nhola", "line 1 is not RTTM"),
        ("SPEAKER a 1 one 2.0 <NA> <NA> x <NA>", "line 1 has no times"),
        ("SPEAKER a 1 1.0 -2.0 <NA> <NA> x <NA>", "line 1 has no times"),
        ("SPEAKER a 1 nan 2.0 <NA> <NA> x <NA>", "line 1 has no times"),
        ("SPEAKER a 1 1.0 2.0", "line 1 is not RTTM"),
    ],
)
def test_what_is_no_rttm(text: str, why: str) -> None:
    with pytest.raises(BadCaptions, match=why):
        read_rttm(text, "x.rttm")
