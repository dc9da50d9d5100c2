"""Each kind of bad input has its own answer; what is good or half good comes in with its facts."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from sounds import CODECS, babble, write, write_wav

from chasqui import ingest
from chasqui.config import Config
from chasqui.errors import (
    ChasquiError,
    Damaged,
    IsReference,
    NoAudio,
    NotMedia,
    OnlySilence,
    Rejected,
    TooShort,
    TooSlow,
)
from chasqui.events import Event
from chasqui.media import guard
from chasqui.records import Recording
from chasqui.run import run_stage
from chasqui.store import Store

TakeIn = Callable[..., Recording]


# --- good input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CODECS)
def test_every_kind_comes_in_whatever_its_name(tmp_path: Path, take_in: TakeIn, store: Store, kind: str) -> None:
    path = write(tmp_path / f"x.{kind}", babble(3, channels=2), tags={"title": "La célula"})
    wrong = path.rename(tmp_path / "x.txt")
    record = take_in(wrong)
    assert record.container.split(",")[0] in (CODECS[kind][0], "mov", "matroska")
    assert (record.rate_hz, record.channels) == (48000, 2)
    assert record.duration_s == pytest.approx(3, abs=0.1)
    assert record.damage is None
    assert record.why == "the only sound stream"
    assert [stream.kind for stream in record.streams] == ["audio"]
    assert store.path(record.source).read_bytes() == wrong.read_bytes()
    if kind not in ("wav", "aiff", "ts"):
        assert record.tags["title"] == "La célula"


def test_a_cover_picture_is_no_video_and_no_bomb(tmp_path: Path, take_in: TakeIn) -> None:
    path = write(tmp_path / "x.flac", babble(2))
    data = path.read_bytes()
    width = height = 60_000  # 14 GB if somebody unpacked it
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 6, 0, 0, 0) + bytes(200)
    block = struct.pack(">II", 3, 9) + b"image/png" + struct.pack(">I", 0) + struct.pack(">IIII", width, height, 32, 0)
    block += struct.pack(">I", len(png)) + png
    picture = bytes([6]) + len(block).to_bytes(3, "big") + block
    path.write_bytes(data[:42] + picture + data[42:])  # after fLaC and STREAMINFO
    record = take_in(path)
    assert {stream.kind for stream in record.streams} == {"audio", "video"}
    assert record.source.media_type == "audio/flac"


def two_streams(path: Path, marks: tuple[int, int], seconds: tuple[float, float] = (3, 3)) -> Path:
    with av.open(str(path), "w", format="matroska") as out:
        streams = [out.add_stream("pcm_s16le", rate=8000) for _ in marks]
        for stream, mark in zip(streams, marks, strict=True):
            stream.layout = "mono"
            stream.disposition = mark
        for stream, length in zip(streams, seconds, strict=True):
            samples = (babble(length, 8000) * 20000).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 8000, 0
            out.mux(stream.encode(frame))
    return path


def test_the_stream_that_makes_most_sense(tmp_path: Path, take_in: TakeIn) -> None:
    plain, default, comment = 0, int(Disposition.default), int(Disposition.comment | Disposition.default)
    assert take_in(two_streams(tmp_path / "a.mka", (plain, default))).audio_index == 1
    chosen = take_in(two_streams(tmp_path / "b.mka", (comment, plain)))
    assert chosen.audio_index == 1
    assert "2 sound streams" in chosen.why


def test_progress_is_reported(tmp_path: Path, store: Store) -> None:
    path = write_wav(tmp_path / "x.wav", np.resize((babble(2, 8000)[0] * 20000).astype(np.int16), 8000 * 120))
    events: list[Event] = []
    run_stage("ingest", ingest.accept(path, store).recording_id, store, Config(), events.append)
    done = [event.done for event in events if event.kind == "advanced"]
    assert len(done) >= 3
    assert done == sorted(done)


# --- damaged, and something is saved ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["flac", "mp3", "wav", "ogg-opus", "mka"])
def test_half_a_file_gives_half_a_lesson(tmp_path: Path, take_in: TakeIn, kind: str) -> None:
    kind = kind.removeprefix("ogg-")
    path = write(tmp_path / f"x.{kind}", babble(40))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    record = take_in(path)
    assert record.duration_s == pytest.approx(20, abs=1.5)
    if kind in ("flac", "mp3", "wav"):  # their headers say how long they were
        assert record.damage is not None
        assert record.damage.kept_s == record.duration_s
        assert record.damage.declared_s == pytest.approx(40, abs=0.1)


def test_half_an_mp4_whose_index_comes_first(tmp_path: Path, take_in: TakeIn) -> None:
    path = write(tmp_path / "whole.m4a", babble(40))
    front = tmp_path / "front.m4a"
    with av.open(str(path)) as source, av.open(str(front), "w", format="mp4", options={"movflags": "faststart"}) as out:
        stream = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    data = front.read_bytes()
    front.write_bytes(data[: len(data) // 2])
    record = take_in(front)
    assert record.duration_s == pytest.approx(20, abs=2)
    assert record.damage is not None
    assert "missing" in record.damage.why


def test_damage_at_minute_40_still_gives_40_minutes(tmp_path: Path, take_in: TakeIn) -> None:
    minute = (babble(60, 8000)[0] * 20000).astype(np.int16)
    whole = write_wav(tmp_path / "x.wav", np.tile(minute, 60))
    with whole.open("r+b") as file:
        file.truncate(44 + 40 * minute.nbytes)
    record = take_in(whole)
    assert record.duration_s == pytest.approx(2400, abs=0.1)
    assert record.damage is not None
    assert record.damage.declared_s == pytest.approx(3600)
    assert "40:00" in record.damage.why


@pytest.mark.parametrize("kind", ["flac", "mp3", "m4a", "opus"])
def test_flipped_bytes_in_the_middle(tmp_path: Path, store: Store, kind: str) -> None:
    path = write(tmp_path / f"x.{kind}", babble(20))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = np.random.default_rng(1).bytes(4000)
    path.write_bytes(data)
    events: list[Event] = []
    record = run_stage("ingest", ingest.accept(path, store).recording_id, store, Config(), events.append)
    assert isinstance(record, Recording)
    assert 18 < record.duration_s < 20.2
    assert record.damage is not None or kind == "mp3"  # MP3 has no checksums: some damage is only heard
    assert (record.damage is not None) == any(event.kind == "warned" for event in events)
    if kind == "flac":
        assert record.damage is not None
        assert record.damage.first_error_s == pytest.approx(10, abs=1)


def test_an_absurd_header_is_not_believed(tmp_path: Path, take_in: TakeIn) -> None:
    path = write(tmp_path / "x.flac", babble(5))
    data = bytearray(path.read_bytes())
    samples = 48000 * 3600 * 200  # 200 hours in the 36 bits of STREAMINFO
    data[21] = data[21] & 0xF0 | samples >> 32
    data[22:26] = (samples & 0xFFFFFFFF).to_bytes(4, "big")
    path.write_bytes(data)
    record = take_in(path)
    assert record.duration_s == pytest.approx(5)
    assert record.declared_duration_s == pytest.approx(720_000)


# --- refused ----------------------------------------------------------------------------------------------------------


def png() -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", 1, 1, 8, 6, 0, 0, 0, 0x1F15C489)


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("clase.mp3", b"x" * 999)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"Hoy vemos la celula.\n" * 50, NotMedia),
        (b"<html><body>Clase</body></html>", NotMedia),
        (b"\x1b[31mrojo\x1b[0m\n" * 40, NotMedia),
        (png(), NotMedia),
        (archive(), NotMedia),
        (bytes(5000), NotMedia),
        (bytes(range(256)) * 20, NotMedia),
        (b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x80MTrk" + bytes(200), NotMedia),
        (b"#EXTM3U\n#EXTINF:3,\nhttp://127.0.0.1:9/x.ts\n", IsReference),
        (b"ffconcat version 1.0\nfile '/etc/hostname'\n", IsReference),
        (b"<?xml version='1.0'?><MPD></MPD>", IsReference),
        (b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00", Damaged),
        (b"OggS" + bytes(100), Damaged),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00", Damaged),
        (b"fLaC" + bytes(60), Damaged),
        (b"\x1a\x45\xdf\xa3" + bytes(100), Damaged),
        (b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00M4A mp42", Damaged),
    ],
)
def test_what_is_no_sound(
    tmp_path: Path, take_in: TakeIn, store: Store, data: bytes, error: type[ChasquiError]
) -> None:
    path = tmp_path / "clase.mp3"
    path.write_bytes(data)
    with pytest.raises(error) as caught:
        take_in(path)
    assert type(caught.value) is error
    assert "clase.mp3" in str(caught.value)
    assert "?" not in str(caught.value)
    assert all(store.get(known, "ingest", Recording) is None for known in store.recordings())


def test_video_without_sound(tmp_path: Path, take_in: TakeIn) -> None:
    path = tmp_path / "x.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(10):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), format="yuv420p")))
        out.mux(stream.encode(None))
    with pytest.raises(NoAudio, match="mpeg4"):
        take_in(path)


@pytest.mark.parametrize("level", [0, 3])
def test_only_silence(tmp_path: Path, take_in: TakeIn, level: int) -> None:
    samples = np.random.default_rng(0).integers(-level, level + 1, 8000 * 5).astype(np.int16)
    with pytest.raises(OnlySilence, match="dBFS"):
        take_in(write_wav(tmp_path / "x.wav", samples))
    assert take_in(write_wav(tmp_path / "y.wav", samples * 5 + 100), silence_dbfs=-80)


@pytest.mark.parametrize("seconds", [0, 0.5, 0.999])
def test_less_than_a_second(tmp_path: Path, take_in: TakeIn, seconds: float) -> None:
    with pytest.raises(TooShort):
        take_in(write_wav(tmp_path / "x.wav", (babble(seconds, 8000)[0] * 20000).astype(np.int16)))


def test_exactly_a_second_is_enough(tmp_path: Path, take_in: TakeIn) -> None:
    assert take_in(write(tmp_path / "x.flac", babble(1, 44100), 44100)).duration_s == 1


def test_more_than_a_day_is_refused_early(tmp_path: Path, take_in: TakeIn) -> None:
    path = write_wav(tmp_path / "x.wav", np.resize((babble(2, 8000)[0] * 20000).astype(np.int16), 8000 * 60))
    with pytest.raises(Rejected, match="maximum_h"):
        take_in(path, maximum_h=30 / 3600)


def test_too_slow(tmp_path: Path, take_in: TakeIn, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "x.flac", babble(2))
    now = [0.0]

    def slow_clock() -> float:
        now[0] += 10.0
        return now[0]

    monkeypatch.setattr(guard.time, "monotonic", slow_clock)
    with pytest.raises(TooSlow):
        take_in(path)


def test_a_refusal_leaves_nothing_behind(tmp_path: Path) -> None:
    from chasqui.store import open_store

    store = open_store(f"file:{tmp_path / 'store'}")
    path = tmp_path / "clase.mp3"
    path.write_bytes(b"Hoy vemos la celula.\n" * 5000)
    request = ingest.accept(path, store)
    with pytest.raises(NotMedia):
        run_stage("ingest", request.recording_id, store, Config())
    assert sum(file.stat().st_size for file in (tmp_path / "store").rglob("*") if file.is_file()) < 5000
