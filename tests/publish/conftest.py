"""A small lesson with everything that publish reads: plausible records, and real bytes behind every blob."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from chasqui.codecs.opus import LADDER_VERSION, PACKET_SAMPLES, RATE_HZ, RUNGS
from chasqui.events import Report
from chasqui.media.flac import FlacWriter
from chasqui.media.ogg import write
from chasqui.media.opus import encode
from chasqui.records import (
    Analysis,
    Blob,
    Certificate,
    Master,
    Measured,
    Plan,
    Recording,
    Rendition,
    Renditions,
    Request,
    Scores,
    Stream,
    Transcript,
    Treatment,
    Turns,
)
from chasqui.store import Workspace
from chasqui.store.memory import MemoryStore

ID = "0123456789abcdef"
#: (packets, kind, rung, ESTOI, ViSQOL) of the parts, repeated as long as there is sound.
PARTS = [
    (100, "music", "audio-16", None, 3.6),
    (140, "speech", "voice-7", 0.86, 3.35),
    (180, "speech", "voice-6", 0.84, 3.21),
    (150, "speech", "voice-9", 0.81, 3.07),
    (90, "silence", "voice-5.5", None, None),
    (200, "speech", "voice-8", 0.83, 3.12),
    (170, "speech", "voice-12", 0.88, 3.02),
    (160, "speech", "voice-5.5", 0.90, 3.44),
    (120, "speech", "voice-16", 0.80, 3.01),
]
TREATMENTS = (
    Treatment(name="downmix", applied=False, why="one channel already"),
    Treatment(name="highpass", applied=True, effect={"rumble_s": 12.0}, why="rumble below the voice"),
    Treatment(name="declick", applied=False, why="no clicks found"),
    Treatment(name="denoise", applied=True, effect={"treated_s": 61.5, "of_s": 93.6}, why="noise 17 dB below speech"),
    Treatment(name="loudness", applied=True, effect={"gain_db": 4.5}, why="to -19 LUFS"),
    Treatment(name="limit", applied=False, why="no peak above the ceiling"),
)


def synthetic(duration_s: float = 20.0) -> np.ndarray:
    """Something like speech: a buzzing tone with syllables, float32 [samples]."""
    t = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    buzz = sum(np.sin(2 * np.pi * 140 * n * t) / n for n in range(1, 12))
    envelope = np.clip(np.sin(2 * np.pi * 2.3 * t) + 0.2, 0, None) * (0.6 + 0.4 * np.sin(2 * np.pi * 0.13 * t))
    return (0.25 * buzz * envelope).astype(np.float32)


def parts_of(samples: int) -> list[Measured]:
    whole = -(-samples // PACKET_SAMPLES)
    parts: list[Measured] = []
    at = 0
    while at < whole:
        packets, kind, rung, estoi, visqol = PARTS[len(parts) % len(PARTS)]
        end = min(at + packets, whole)
        parts.append(
            Measured(
                segment=len(parts),
                start_s=at * PACKET_SAMPLES / RATE_HZ,
                end_s=min(end * PACKET_SAMPLES, samples) / RATE_HZ,
                kind=kind,
                rung=rung,
                bytes=(end - at) * 60,
                scores=Scores(estoi=estoi, visqol=visqol),
                kept=None if kind == "silence" else "comfortable",
                reachable=True,
                stepped_up=0,
            )
        )
        at = end
    return parts


class Maker:
    """Writes a lesson's blobs into a workspace and makes the records around them."""

    def __init__(self, work: Workspace) -> None:
        self.work = work
        self._voices: dict[str, Blob] = {}

    def keep(self, name: str, data: bytes, media_type: str = "application/octet-stream") -> Blob:
        path = self.work.folder / name
        path.write_bytes(data)
        return self.work.keep(path, media_type)

    def lines(self, name: str, records: list[Any]) -> Blob:
        return self.keep(name, "".join(r.model_dump_json() + "\n" for r in records).encode(), "application/jsonl")

    def flac(self, name: str, pcm: np.ndarray) -> Blob:
        path = self.work.folder / name
        with FlacWriter(path) as flac:
            flac.write(pcm)
        return self.work.keep(path, "audio/flac")

    def voice(self, pcm: np.ndarray, parts: list[Measured]) -> Blob:
        """Each part at its own rung, as encode does (but without priming)."""
        key = f"{hash(pcm.tobytes())} {parts}"
        if key in self._voices:
            return self._voices[key]
        packets: list[bytes] = []
        for part in parts:
            start, end = (round(s * RATE_HZ) for s in (part.start_s, part.end_s))
            packets += encode(pcm[start:end], RUNGS[part.rung])
        if len(packets) * PACKET_SAMPLES < len(pcm) + 312:
            packets.append(packets[-1])
        path = self.work.folder / "voice.opus"
        with path.open("wb") as out:
            write(out, packets, len(pcm), serial=7, tags={"TITLE": "x"}, packet_samples=PACKET_SAMPLES)
        self._voices[key] = self.work.keep(path, "audio/ogg; codecs=opus")
        return self._voices[key]

    def lesson(
        self, pcm: np.ndarray | None = None, *, source_bytes: int | None = None, **change: Any
    ) -> dict[str, Any]:
        """The keyword arguments of `publish.run`. `change`: record name → fields to replace in it."""
        pcm = synthetic() if pcm is None else pcm
        duration_s = len(pcm) / RATE_HZ
        parts = change.pop("parts", None) or parts_of(len(pcm))
        source, master = self.flac("source.flac", pcm * 0.5), self.flac("master.flac", pcm)
        voice = self.voice(pcm, parts)
        mp3 = self.keep("voice.mp3", b"\xff\xf3" + bytes(30_000), "audio/mpeg")
        report = self.keep("certificate.json", b'{"method": "made up"}', "application/json")
        made: dict[str, Any] = {
            "request": Request(
                recording_id=ID,
                path="/home/maestra/secreto/El agua en los Andes.flac",
                name="El agua en los Andes.flac",
                sha256=source.sha256,
                bytes=source_bytes or source.bytes,
            ),
            "recording": Recording(
                recording_id=ID,
                source=source,
                container="flac",
                audio_index=0,
                codec="flac",
                rate_hz=48_000,
                channels=1,
                duration_s=duration_s,
                declared_duration_s=duration_s,
                streams=(Stream(index=0, kind="audio", codec="flac", rate_hz=48_000, channels=1),),
                tags={"artist": "I. E. 54002, Abancay", "date": "2024"},
                why="the only audio stream",
            ),
            "master": Master(
                recording_id=ID,
                audio=master,
                rate_hz=48_000,
                samples=len(pcm),
                duration_s=duration_s,
                gain_db=0.0,
                loudness_lufs=-19.0,
                true_peak_dbtp=-3.2,
                source_loudness_lufs=-23.5,
                snr_db=17.2,
                bandwidth_hz=8000.0,
                treatments=TREATMENTS,
            ),
            "analysis": Analysis(
                recording_id=ID,
                segments=self.keep("segments.jsonl", b""),
                features=self.keep("features.npz", b""),
                segment_count=len(parts),
                packets=-(-len(pcm) // PACKET_SAMPLES),
                speech_s=duration_s * 0.8,
                music_s=duration_s * 0.1,
                silence_s=duration_s * 0.1,
                feature_version="features-1",
            ),
            "transcript": Transcript(recording_id=ID, status="none", why="no recogniser was asked for"),
            "plan": Plan(
                recording_id=ID,
                choices=self.keep("choices.jsonl", b""),
                target="comfortable",
                promise="comfortable",
                budget_bytes=None,
                expected_bytes=voice.bytes,
                doubtful=2,
                unreachable=0,
                encodes=40,
                scored=40,
                remembered=0,
                ladder_version=LADDER_VERSION,
                targets_version="targets-1",
                predictor_version="none-1",
                why="searched",
            ),
            "renditions": Renditions(
                recording_id=ID,
                renditions=(
                    _rendition("voice.opus", voice, "opus", "ogg", "audio/ogg; codecs=opus", len(pcm)),
                    _rendition("voice.mp3", mp3, "mp3", "mp3", "audio/mpeg", len(pcm)),
                ),
                measured=self.lines("measured.jsonl", parts),
                encodes=len(parts),
                stepped_up=0,
                stepped_down=0,
                rung_seconds={},
            ),
            "certificate": Certificate(
                recording_id=ID,
                report=report,
                rendition_sha256=voice.sha256,
                promised="comfortable",
                kept="comfortable",
                segments=len(parts),
                scored_again=4,
                kept_share={"understood": 1.0, "comfortable": 1.0, "clear": 0.2},
                unreachable=0,
                overall={"estoi_mean": 0.85, "estoi_min": 0.80, "visqol_mean": 3.2, "visqol_min": 3.0},
                duration_s=duration_s,
            ),
            "turns": Turns(recording_id=ID, status="none", why="nobody asked who speaks"),
        }
        for name, fields in change.items():
            made[name] = made[name].model_copy(update=fields)
        return made

    def parts(self) -> list[Measured]:
        """The parts of the lesson that is made when nothing else is asked for."""
        return parts_of(len(synthetic()))


def _rendition(name: str, blob: Blob, codec: str, container: str, media_type: str, samples: int) -> Rendition:
    return Rendition(
        name=name,
        blob=blob,
        codec=codec,
        container=container,
        media_type=media_type,
        bitrate_bps=blob.bytes * 8 * RATE_HZ / samples,
        duration_s=samples / RATE_HZ,
        samples=samples,
        rate_hz=48_000,
        why="the plan",
    )


@pytest.fixture
def work() -> Iterator[Workspace]:
    with MemoryStore().workspace(ID, "publish") as work:
        yield work


@pytest.fixture
def maker(work: Workspace) -> Maker:
    return Maker(work)


@pytest.fixture
def publish(maker: Maker) -> Any:
    """`publish(options={…}, **change)` runs the stage on a made lesson; gives the Lesson, its files and events."""
    from chasqui.publish import Options, run

    def call(options: dict[str, Any] | None = None, pcm: np.ndarray | None = None, **change: Any) -> SimpleNamespace:
        events: list[Any] = []
        made = maker.lesson(pcm, **change)
        report = Report("publish", ID, events.append)
        lesson = run(**made, options=Options(**{"excerpt_s": 3.0, **(options or {})}), work=maker.work, report=report)
        files = {blob.name: maker.work.path(blob).read_bytes() for blob in lesson.files}
        return SimpleNamespace(lesson=lesson, files=files, events=events, made=made)

    return call


@pytest.fixture(scope="session")
def classroom(media: Path) -> np.ndarray:
    """About a minute and a half of real speech behind a few seconds of music, float32 [samples] at 48 kHz."""
    from chasqui.media.source import blocks

    music = sorted((media / "noise_music").rglob("*.wav"))[:1]
    speech = sorted((media / "speech").rglob("*.flac"))[:8]
    pieces = []
    for path in [*music, *speech]:
        pieces += [np.concatenate([b.mean(axis=0) for b in blocks(path, 0)])[: 14 * RATE_HZ], np.zeros(RATE_HZ // 2)]
    sound = np.concatenate(pieces).astype(np.float32)
    return np.asarray(sound / np.abs(sound).max() * 0.8, np.float32)
