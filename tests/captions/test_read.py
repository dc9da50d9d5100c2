"""Captions that somebody else made, good and bad."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.captions import Cue
from chasqui.captions.read import parse, read
from chasqui.errors import BadCaptions

VTT = "WEBVTT Kind: captions; Language: es\n\nSTYLE\n::cue { color: red }\n\nNOTE a --> b\n\n"


def lines(text: str | bytes) -> list[tuple[str, ...]]:
    return [cue.lines for cue in parse(text if isinstance(text, bytes) else text.encode()).cues]


def test_webvtt_with_all_that_it_may_hold() -> None:
    text = VTT + (
        "intro\n00:01.000 --> 00:02.500 align:start position:0%\n"
        "<v.loud Rosa María>¡<i>Hola</i>!&nbsp;a &lt; b &amp; c\n\n"
        "01:00:00.000 --> 01:00:01.000\n<00:00:00.100><c.yellow>dos</c>\ntres\n"
    )
    found = parse(text.encode())
    assert found.cues == (
        Cue(1.0, 2.5, ("¡Hola! a < b & c",), "Rosa María"),
        Cue(3600.0, 3601.0, ("dos", "tres")),
    )
    assert (found.format, found.encoding, found.mended) == ("webvtt", "utf-8", ())


def test_srt_as_it_is_found() -> None:
    text = (
        "\ufeff1\r\n00:00:01,000 --> 00:00:02,500  X1:40 X2:600\r\n"
        "{\\an8}<font color='red'>Uno</font> < dos\r\n\r\n\r\n"
        "2\r\n0:0:3.5 -> 0:0:4\r\nsin línea vacía\r\n3\r\n00:00:05,000 --> 00:00:06,000\r\ntres\r\n42"
    )
    assert [(cue.start_s, cue.end_s, cue.lines) for cue in parse(text.encode()).cues] == [
        (1.0, 2.5, ("Uno < dos",)),
        (3.5, 4.0, ("sin línea vacía",)),
        (5.0, 6.0, ("tres", "42")),
    ]


def test_json_as_others_write_it() -> None:
    text = '[{"start": 1, "end": 2.5, "text": " uno "}, {"start": 3, "text": "dos"}, {"end": 1}, 7]'
    assert [(cue.start_s, cue.end_s, cue.text) for cue in parse(text.encode()).cues] == [(1, 2.5, "uno"), (3, 4, "dos")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "iso8859-1"])
def test_encodings(encoding: str) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\n¿Qué año, señor?\n"
    found = parse(text.encode(encoding))
    assert found.cues[0].text == "¿Qué año, señor?"
    assert bool(found.mended) == (encoding in ("cp1252", "iso8859-1"))


def test_letters_that_were_encoded_twice() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nLa educación del niño\n"
    found = parse(text.encode().decode("cp1252").encode())
    assert found.cues[0].text == "La educación del niño"
    assert found.mended == ("its letters were encoded twice, which was undone",)
    assert parse("1\n00:00:01,000 --> 00:00:02,000\nÃrbol y Â\n".encode()).mended == ()
    half = parse("1\n00:00:01,000 --> 00:00:02,000\nniÃ±o 山\n".encode())
    assert half.mended == ("its letters seem to be encoded twice, which could not be undone",)


@pytest.mark.parametrize(
    ("times", "expected", "note"),
    [
        ([(-2, 1)], [(0, 1)], "1 cues that began before the beginning begin with it"),
        ([(-3, -1), (1, 2)], [(1, 2)], "1 cues before the beginning were left out"),
        ([(5, 6), (1, 2)], [(1, 2), (5, 6)], "the cues were not in order and were sorted"),
        ([(1, 4), (3, 5)], [(1, 3), (3, 5)], "1 cues that lay over the next one were shortened"),
        ([(3, 2)], [(3, 4)], "1 cues that ended before they began got an end"),
        ([(3, 3), (3.5, 5)], [(3, 3.5), (3.5, 5)], "1 cues that ended before they began got an end"),
        ([(1, 2), (1, 3)], [(1, 3)], "1 cues with the same times were joined"),
    ],
)
def test_odd_times_are_put_right_and_said(
    times: list[tuple[float, float]], expected: list[tuple[float, float]], note: str
) -> None:
    def clock(seconds: float) -> str:
        return f"{'-' if seconds < 0 else ''}00:{abs(seconds):06.3f}"

    blocks = [f"{clock(start)} --> {clock(end)}\nHola {n}\n" for n, (start, end) in enumerate(times)]
    found = parse("\n".join(["WEBVTT\n", *blocks]).encode())
    assert [(cue.start_s, cue.end_s) for cue in found.cues] == expected
    assert note in found.mended


def test_cues_without_text_are_left_out() -> None:
    found = parse(b"WEBVTT\n\n00:01.000 --> 00:02.000\n<i></i>\n\n00:03.000 --> 00:04.000\nsi\n")
    assert [cue.text for cue in found.cues] == ["si"]
    assert found.mended == ("1 cues without text were left out",)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"Hola, esto es una clase.\n", "a time and a text"),
        (b"WEBVTT\n\n", "a time and a text"),
        (b'{"segments": []}', "a time and a text"),
        (b'{"segments": ', "begins like JSON"),
        (b"[" * 100_000, "begins like JSON"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "not a text"),
    ],
)
def test_what_is_no_caption_is_said(data: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "clase.srt"
    file.write_bytes(data)
    with pytest.raises(BadCaptions, match=rf"clase\.srt.*{said}"):
        read(file)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadCaptions, match="No such file"):
        read(tmp_path / "gone.vtt")
    (tmp_path / "big.vtt").write_bytes(b"x" * 20_000_001)
    with pytest.raises(BadCaptions, match="larger than 20 MB"):
        read(tmp_path / "big.vtt")


PIECES = st.sampled_from(
    [
        "WEBVTT",
        "1",
        "\n",
        "\n\n",
        "00:00:01,000",
        " --> ",
        "-00:05.000",
        "00:99:99.9",
        "<v A>",
        "hola",
        "&#x0;",
        "{",
        "[]",
        "Ã¡",
        "\r",
    ]
)


@settings(deadline=None)
@given(
    st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=80), st.sampled_from(["utf-8", "utf-16", "cp1252"])
)
def test_any_text_is_captions_or_a_named_error(text: str, encoding: str) -> None:
    try:
        found = parse(text.encode(encoding, "ignore"))
    except BadCaptions:
        return
    ends = [time for cue in found.cues for time in (cue.start_s, cue.end_s)]
    assert ends == sorted(ends)
    assert ends[0] >= 0
    assert all(cue.lines and cue.end_s > cue.start_s for cue in found.cues)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_captions_or_a_named_error(data: bytes) -> None:
    try:
        parse(data)
    except BadCaptions:
        return
