"""What a container says, and what counting shows."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sounds import babble, write, write_wav

from chasqui.errors import Damaged
from chasqui.media.probe import count, look


@pytest.mark.parametrize("kind", ["wav", "flac", "opus", "m4a", "mka", "mp3"])
def test_look_and_count_agree(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / f"x.{kind}", babble(3, channels=2), tags={"artist": "Ana"})
    found = look(path, "x")
    assert found.audio == (0,)
    assert (found.streams[0].rate_hz, found.streams[0].channels) == (48000, 2)
    counted = count(path, 0, name="x", most_s=100, audible=1e-4)
    assert counted.tally.seconds == pytest.approx(3, abs=0.03)
    assert found.declared_s[0] == pytest.approx(counted.tally.seconds, abs=0.06)
    assert (counted.rate_hz, counted.channels, counted.complete) == (48000, 2, True)
    if kind != "wav":
        assert "Ana" in found.tags.values()


def test_the_peak_is_exact_while_nothing_is_audible(tmp_path: Path) -> None:
    samples = np.zeros(80000, np.int16)
    samples[70000] = -33
    path = write_wav(tmp_path / "x.wav", samples)
    assert count(path, 0, name="x", most_s=100, audible=0.01).peak == pytest.approx(33 / 32768)


def test_counting_stops_at_the_limit(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "x.wav", np.ones(8000 * 60, np.int16))
    counted = count(path, 0, name="x", most_s=10, audible=0.01)
    assert not counted.complete
    assert 10 < counted.tally.seconds < 12


def test_a_header_that_the_bytes_cannot_hold_is_not_believed(tmp_path: Path) -> None:
    path = write(tmp_path / "x.mp3", babble(2))
    data = bytearray(path.read_bytes())
    at = next(at for tag in (b"Xing", b"Info") if (at := data.find(tag)) > 0)
    data[at + 8 : at + 12] = (2**31).to_bytes(4, "big")
    path.write_bytes(data)
    assert look(path, "x").declared_s[0] is None


def test_a_gap_without_an_error_is_found(tmp_path: Path) -> None:
    path = write(tmp_path / "x.flac", babble(10))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle] ^= 0xFF
    path.write_bytes(data)
    counted = count(path, 0, name="x", most_s=100, audible=0.01)
    assert counted.tally.errors or counted.gap_s == pytest.approx(5, abs=0.6)
    assert counted.tally.seconds < 10


def test_no_media(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(range(256)) * 40)
    with pytest.raises(Damaged):
        look(tmp_path / "x", "x")


CHAPTERS = """;FFMETADATA1
[CHAPTER]
TIMEBASE=1/1000
START=0
END=1200
title=Los viajes
[CHAPTER]
TIMEBASE=1/1000
START=1200
END=3000
title=El agua y la niña
"""


@pytest.mark.parametrize("kind", ["m4a", "mp3", "mka", "ogg", "mp4"])
def test_chapters_are_read_from_every_kind_that_has_them(tmp_path: Path, tool: Callable[[str], str], kind: str) -> None:
    """MP4 keeps them as text or in a list, MP3 as ID3 CHAP, Matroska and Ogg each in their own way."""
    plain, told = write(tmp_path / "plain.wav", babble(3)), tmp_path / "chapters.txt"
    told.write_text(CHAPTERS, encoding="utf-8")
    path = tmp_path / f"class.{kind}"
    codec = {"mp3": "libmp3lame", "ogg": "libopus", "mka": "flac"}.get(kind, "aac")
    command = [tool("ffmpeg"), "-v", "error", "-i", str(plain), "-i", str(told), "-map", "0:a", "-map_chapters", "1"]
    subprocess.run([*command, "-c:a", codec, str(path)], check=True)
    found = look(path, "x").chapters
    assert [title for _, title in found] == ["Los viajes", "El agua y la niña"]
    assert [start_s for start_s, _ in found] == pytest.approx([0.0, 1.2], abs=0.06)
    assert look(plain, "x").chapters == ()
