"""What MP3 and WAV headers promise, also when most of the file is gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import babble, write, write_wav

from chasqui.media.headers import wav_seconds, xing_seconds


@pytest.mark.parametrize("rate_hz", [8000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_mp3_with_a_xing_header(tmp_path: Path, rate_hz: int, channels: int) -> None:
    path = write(tmp_path / "x.mp3", babble(5, rate_hz, channels), rate_hz, tags={"title": "Clase"})
    assert xing_seconds(path) == pytest.approx(5, abs=0.2)
    with path.open("r+b") as file:
        file.truncate(3000)
    assert xing_seconds(path) == pytest.approx(5, abs=0.2)


def test_mp3_without_one(tmp_path: Path) -> None:
    path = write(tmp_path / "x.mp3", babble(2), tags={})
    data = path.read_bytes().replace(b"Xing", b"\0\0\0\0").replace(b"Info", b"\0\0\0\0")
    path.write_bytes(data)
    assert xing_seconds(path) is None


@pytest.mark.parametrize("channels", [1, 2, 8])
def test_wav(tmp_path: Path, channels: int) -> None:
    path = write_wav(tmp_path / "x.wav", np.ones(24000 * channels, np.int16), 8000, channels)
    assert wav_seconds(path) == 3
    with path.open("r+b") as file:
        file.truncate(200)
    assert wav_seconds(path) == 3


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFDB])
def test_wav_sizes_that_mean_unknown(tmp_path: Path, size: int) -> None:
    path = write_wav(tmp_path / "x.wav", np.ones(24000, np.int16))
    data = bytearray(path.read_bytes())
    data[40:44] = size.to_bytes(4, "little")
    path.write_bytes(data)
    assert wav_seconds(path) is None


HEADS = st.sampled_from([b"", b"ID3\x04\x00\x00\x00\x00\x00\x05", b"RIFF\x00\x00\x00\x00WAVE", b"\xff\xfb\x90\x64Xing"])


@settings(deadline=None)  # other work on the machine is no failure
@given(HEADS, st.binary(max_size=200))
def test_any_bytes_get_an_answer(tmp_path_factory: pytest.TempPathFactory, head: bytes, rest: bytes) -> None:
    path = tmp_path_factory.mktemp("heads") / "x"
    path.write_bytes(head + rest)
    for seconds in (xing_seconds(path), wav_seconds(path)):
        assert seconds is None or seconds >= 0
