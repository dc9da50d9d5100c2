"""Blocks of sound from every kind of source, whole and broken."""

from __future__ import annotations

import struct
import tracemalloc
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from sounds import CODECS, babble, write, write_wav

from chasqui.errors import Damaged, TooSlow
from chasqui.media import guard
from chasqui.media.source import BLOCK_S, Tally, as_float, blocks

LOSSLESS = ("wav", "flac", "mka", "aiff")


def whole(path: Path, rate_hz: int = 48000, tally: Tally | None = None, index: int = 0) -> np.ndarray:
    return np.concatenate(list(blocks(path, index, rate_hz=rate_hz, tally=tally)), axis=1)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", CODECS)
def test_every_kind_gives_its_sound(tmp_path: Path, kind: str, channels: int) -> None:
    sound = babble(3, channels=channels)
    tally = Tally()
    got = whole(write(tmp_path / f"x.{kind}", sound), tally=tally)
    assert got.dtype == np.float32
    assert got.shape[0] == channels
    assert abs(got.shape[1] - sound.shape[1]) < 5000  # codecs pad by up to two frames
    assert tally.errors == 0
    assert tally.seconds == pytest.approx(got.shape[1] / 48000)
    if kind in LOSSLESS:
        assert np.abs(got - sound).max() <= 1.01 / 32768
    else:
        piece = sound[0, 48000:60000]
        lag = int(np.argmax(np.correlate(got[0, 40000:70000], piece, "valid")))  # codecs delay by a few ms
        assert np.corrcoef(got[0, 40000 + lag : 52000 + lag], piece)[0, 1] > 0.9


@pytest.mark.parametrize("channels", [1, 2, 3, 5, 6, 7, 8, 12])
@pytest.mark.parametrize("rate_hz", [8000, 48000, 96000])
def test_any_number_of_channels_in_order(tmp_path: Path, channels: int, rate_hz: int) -> None:
    levels = (np.arange(channels) + 1) * 2000
    path = write_wav(tmp_path / "x.wav", np.tile(levels, rate_hz), rate_hz, channels)
    got = whole(path)
    assert got.shape == (channels, 48000)
    assert got[:, 20000:30000].mean(axis=1) == pytest.approx(levels / 32768, abs=1e-4)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 44100, 192000])
def test_resampling_keeps_length_and_level(tmp_path: Path, rate_hz: int) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(rate_hz * 3) / rate_hz)
    got = whole(write_wav(tmp_path / "x.wav", (tone * 16000).astype(np.int16), rate_hz))[0]
    assert abs(got.size - 3 * 48000) <= 1
    middle = got[48000:96000]
    wanted = np.sin(2 * np.pi * 1000 * np.arange(48000, 96000) / 48000) * 16000 / 32768
    assert np.abs(middle - wanted).max() < 2e-3


@pytest.mark.parametrize(
    ("kind", "raw", "wanted"),
    [
        ("u8", [0, 128, 255], [-1.0, 0.0, 127 / 128]),
        ("s16", [-32768, 0, 16384], [-1.0, 0.0, 0.5]),
        ("s32p", [-(2**31), 0, 2**30], [-1.0, 0.0, 0.5]),
        ("s64", [-(2**63), 0, 2**62], [-1.0, 0.0, 0.5]),
        ("flt", [-1.0, np.nan, np.inf], [-1.0, 0.0, 0.0]),
        ("dblp", [-1.0, 0.5, -np.inf], [-1.0, 0.5, 0.0]),
    ],
)
def test_sample_formats_have_one_full_scale(kind: str, raw: list[float], wanted: list[float]) -> None:
    dtype = {"u8": "u1", "s16": "i2", "s32p": "i4", "s64": "i8", "flt": "f4", "dblp": "f8"}[kind]
    assert as_float(np.array([raw], dtype), kind).tolist() == [pytest.approx(wanted)]


def test_blocks_stay_small_whatever_the_duration(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "long.wav", np.resize((babble(2, 8000)[0] * 20000).astype(np.int16), 8000 * 900))
    tracemalloc.start()
    sizes = [block.shape[1] for block in blocks(path, 0)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(sizes) == pytest.approx(900 * 48000, abs=2)
    assert max(sizes) <= 48000 * (BLOCK_S + 1)
    assert peak < 5e6  # the sound itself would be 172 MB


def test_a_change_of_rate_and_channels_on_the_way(tmp_path: Path) -> None:
    first = write(tmp_path / "a.mp3", babble(2, 44100, 2), 44100)
    second = write(tmp_path / "b.mp3", babble(2, 22050, 1), 22050)
    both = tmp_path / "both.mp3"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    tally = Tally()
    got = whole(both, tally=tally)
    assert set(tally.samples) == {44100, 22050}
    assert got.shape[0] == 2
    assert got.shape[1] / 48000 == pytest.approx(4.0, abs=0.15)
    assert np.array_equal(got[0, -20000:-5000], got[1, -20000:-5000])  # the mono half, on both channels


def test_absurd_timestamps_never_become_silence(tmp_path: Path) -> None:
    path = tmp_path / "x.mka"
    with av.open(str(path), "w", format="matroska") as out:
        stream = out.add_stream("pcm_s16le", rate=8000)
        stream.layout = "mono"
        for index in range(50):
            frame = av.AudioFrame.from_ndarray(np.full((1, 800), 5000, np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.time_base = 8000, Fraction(1, 8000)
            frame.pts = index * 800 + (8000 * 36_000 if index >= 25 else 0)  # ten hours later
            out.mux(stream.encode(frame))
    got = whole(path)
    assert got.shape[1] / 48000 == pytest.approx(5.0, abs=0.01)
    assert np.abs(got[0, 1000:-1000]).min() > 0.1


@pytest.mark.parametrize("kind", ["flac", "mp3", "opus", "m4a"])
def test_damage_in_the_middle_costs_only_the_middle(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / f"x.{kind}", babble(20))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(byte ^ 0xA5 for byte in data[middle : middle + 3000])
    path.write_bytes(data)
    assert 18 < whole(path).shape[1] / 48000 < 20.1


def test_what_cannot_be_decoded_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "x.m4a", babble(20))
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + 40_000
    data[middle : middle + 3000] = bytes(3000)
    path.write_bytes(data)
    tally = Tally()
    got = whole(path, tally=tally)
    assert tally.errors >= 1
    assert tally.first_error_s is not None
    assert 1 < tally.first_error_s < 19
    assert 18 < got.shape[1] / 48000 < 20.1


def test_the_time_limit_counts_work_and_not_the_consumer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "x.flac", babble(5))
    now = [0.0]
    monkeypatch.setattr(guard.time, "monotonic", lambda: now[0])
    seconds = 0.0
    for block in blocks(path, 0, limit_s=1):
        now[0] += 1000  # a slow consumer
        seconds += block.shape[1] / 48000
    assert seconds == pytest.approx(5, abs=0.01)

    def slow_clock() -> float:
        now[0] += 0.5
        return now[0]

    monkeypatch.setattr(guard.time, "monotonic", slow_clock)
    with pytest.raises(TooSlow):
        list(blocks(path, 0, limit_s=1))


def test_absurd_channel_counts_are_refused(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "x.wav", np.ones(64 * 800, np.int16), 8000, 1)
    data = bytearray(path.read_bytes())
    data[22:24] = struct.pack("<H", 64)
    data[32:34] = struct.pack("<H", 128)
    path.write_bytes(data)
    with pytest.raises(Damaged):
        whole(path)


def test_a_stream_that_is_not_there(tmp_path: Path) -> None:
    path = write(tmp_path / "x.flac", babble(1))
    with pytest.raises(Damaged):
        whole(path, index=3)
