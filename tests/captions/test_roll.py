"""Captions that repeat themselves."""

from __future__ import annotations

from chasqui.captions import Cue
from chasqui.captions.read import parse
from chasqui.captions.roll import unrolled

#: As video sites give what they recognised: each line twice, and a moment without news between two of them.
ROLLING = """WEBVTT
Kind: captions
Language: es

00:00:00.160 --> 00:00:02.310 align:start position:0%
@
hola<00:00:00.480><c> a</c><00:00:00.640><c> todos</c>

00:00:02.310 --> 00:00:02.320 align:start position:0%
hola a todos
@

00:00:02.320 --> 00:00:04.550 align:start position:0%
hola a todos
hoy<00:00:02.600><c> veremos</c><00:00:03.000><c> la</c><00:00:03.200><c> célula</c>

00:00:04.550 --> 00:00:04.560 align:start position:0%
hoy veremos la célula
@

00:00:04.560 --> 00:00:06.000 align:start position:0%
hoy veremos la célula
y su membrana

00:00:06.000 --> 00:00:07.000 align:start position:0%
y su membrana
que la protege
""".replace("@", " ")


def test_each_line_of_rolling_captions_comes_once() -> None:
    found = parse(ROLLING.encode())
    assert [cue.text for cue in found.cues] == [
        "hola a todos",
        "hoy veremos la célula",
        "y su membrana",
        "que la protege",
    ]
    assert [cue.start_s for cue in found.cues] == [0.16, 2.32, 4.56, 6.0]
    assert found.language == "es"
    assert "the captions roll: each line that was repeated stands once" in found.mended


def test_a_sentence_that_is_said_twice_stays() -> None:
    cues = [Cue(n * 2.0, n * 2 + 2.0, (text,)) for n, text in enumerate(("sí", "sí", "no", "bien", "uno", "dos"))]
    assert unrolled(cues) == cues


def test_a_song_is_not_rolling() -> None:
    cues = [Cue(n * 5.0, n * 5 + 3.0, ("la la la",)) for n in range(8)]
    assert unrolled(cues) == cues
