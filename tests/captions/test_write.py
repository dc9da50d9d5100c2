"""Files of every format: other people's parsers read in them what we wrote, and so do we."""

from __future__ import annotations

import json

import pytest
import srt
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.captions import Cue, cleaned, write
from chasqui.captions.read import parse

#: Without Ã and Â: before some signs they are what twice encoded letters look like, and would be put right.
ANY = st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="ÃÂ")
LINE = st.text(ANY, min_size=1, max_size=30).map(cleaned).filter(bool)
NAME = st.none() | st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=8)


@st.composite
def made(draw: st.DrawFn, lines: st.SearchStrategy[str] = LINE) -> list[Cue]:
    at, cues = 0, []
    for _ in range(draw(st.integers(1, 8))):
        at += draw(st.integers(0, 5_000_000))
        end = at + draw(st.integers(1, 7000))
        cues.append(Cue(at / 1000, end / 1000, tuple(draw(st.lists(lines, min_size=1, max_size=2))), draw(NAME)))
        at = end
    return cues


#: What every format and parser agrees on: no line that is a number alone, or looks like a tag or a time.
PLAIN = LINE.filter(lambda line: not set(line) & set("<>&{}\\") and not line.isdecimal() and "--" not in line)


@settings(deadline=None)
@given(made())
def test_webvtt_comes_back_as_it_was(cues: list[Cue]) -> None:
    again = parse(write.webvtt(cues, "es").encode())
    assert list(again.cues) == cues
    assert (again.format, again.mended) == ("webvtt", ())


@settings(deadline=None)
@given(made(PLAIN))
def test_srt_comes_back_as_it_was_but_for_speakers(cues: list[Cue]) -> None:
    again = parse(write.srt(cues).encode())
    assert list(again.cues) == [Cue(cue.start_s, cue.end_s, cue.lines) for cue in cues]
    assert (again.format, again.mended) == ("srt", ())


@settings(deadline=None)
@given(made())
def test_podcast_json_comes_back_as_it_was_in_one_line(cues: list[Cue]) -> None:
    again = parse(write.podcast_json(cues, "es").encode())
    assert list(again.cues) == [Cue(cue.start_s, cue.end_s, (cue.text,), cue.speaker) for cue in cues]
    assert again.format == "json"


@settings(deadline=None)
@given(made(PLAIN))
def test_others_read_our_webvtt(cues: list[Cue]) -> None:
    theirs = webvtt.from_string(write.webvtt(cues), strict=True)
    assert [(c.start_in_seconds, c.end_in_seconds) for c in theirs] == [
        (int(c.start_s), int(c.end_s)) for c in cues
    ] or [(c.start, c.end) for c in theirs] == [
        (write._clock(c.start_s, "."), write._clock(c.end_s, ".")) for c in cues
    ]
    assert [c.text for c in theirs] == ["\n".join(cue.lines) for cue in cues]
    assert [c.voice for c in theirs] == [cue.speaker for cue in cues]


@settings(deadline=None)
@given(made(PLAIN))
def test_others_read_our_srt(cues: list[Cue]) -> None:
    theirs = list(srt.parse(write.srt(cues)))
    assert [(c.start.total_seconds(), c.end.total_seconds()) for c in theirs] == [(c.start_s, c.end_s) for c in cues]
    assert [c.content for c in theirs] == ["\n".join(cue.lines) for cue in cues]
    assert [c.index for c in theirs] == list(range(1, len(cues) + 1))


def test_podcast_json_is_as_the_namespace_describes_it() -> None:
    whole = json.loads(write.podcast_json([Cue(0.5, 1.25, ("¿Qué", "tal?"), "Rosa"), Cue(2, 3, ("Bien.",))], "es"))
    assert whole == {
        "version": "1.0.0",
        "language": "es",
        "segments": [
            {"speaker": "Rosa", "startTime": 0.5, "endTime": 1.25, "body": "¿Qué tal?"},
            {"startTime": 2, "endTime": 3, "body": "Bien."},
        ],
    }


def test_text_has_paragraphs() -> None:
    cues = [
        Cue(0, 1, ("Buenos días.",), "Rosa"),
        Cue(1.1, 2, ("Hoy toca", "química."), "Rosa"),
        Cue(9, 10, ("El agua.",), "Rosa"),
        Cue(10.1, 11, ("¿Por qué?",), "Luis"),
    ]
    assert write.text(cues) == "Rosa: Buenos días. Hoy toca química.\n\nEl agua.\n\nLuis: ¿Por qué?\n"
    long = [Cue(n, n + 0.9, ("Una frase de treinta letras hay.",)) for n in range(40)]
    assert write.text(long).count("\n\n") == 2
    assert write.text([]) == ""


@pytest.mark.parametrize(
    ("seconds", "clock"), [(0, "00:00:00.000"), (3599.9996, "01:00:00.000"), (360000.5, "100:00:00.500")]
)
def test_clocks(seconds: float, clock: str) -> None:
    assert write.webvtt([Cue(seconds, seconds, ("x",))]).split()[1] == clock
