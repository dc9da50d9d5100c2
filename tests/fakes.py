"""Tiny rooms in the place of the real ones: the same records, no sound. What a file says decides what happens to it:

`TEXT…` is refused by ingest, `BUG…` meets a defect in clean, `FULL…` meets a full disk in encode, all else is packed.
"""

from __future__ import annotations

import errno
import json
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

import chasqui.ingest
from chasqui.errors import NotMedia
from chasqui.records import (
    Analysis,
    Certificate,
    Choice,
    Lesson,
    Master,
    Measured,
    Plan,
    Recording,
    Rendition,
    Renditions,
    Scores,
    Segment,
    TargetName,
    Transcript,
    Treatment,
    Turns,
)

ROOMS = ("ingest", "clean", "analyze", "transcribe", "diarize", "choose", "encode", "verify", "publish")


class Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    threads: int = Field(default=0, exclude=True)


class ChooseOptions(Options):
    target: TargetName = "comfortable"
    budget_bytes: int | None = None


class DiarizeOptions(Options):
    speakers: str = "none"


class PublishOptions(Options):
    pen_per_mb: float = 0.01
    lang: str = "es"


def _lines(work: Any, name: str, lines: list[Any]) -> Any:
    (work.folder / name).write_text("".join(line.model_dump_json() + "\n" for line in lines))
    return work.keep(work.folder / name, "application/jsonl")


class Rooms:
    """The `run` functions, and how often each was called."""

    def __init__(self) -> None:
        self.runs: Counter[str] = Counter()

    def ingest(self, got: Any, *, options: Any, work: Any, report: Any) -> Recording:
        handed = got.request.handed
        data = (work.path(handed) if handed else Path(got.request.path)).read_bytes()
        if data.startswith(b"TEXT"):
            raise NotMedia(name=got.request.name, why="text")
        (work.folder / "source").write_bytes(data)
        return Recording(
            recording_id=got.request.recording_id,
            source=work.keep(work.folder / "source"),
            container="wav",
            audio_index=0,
            codec="pcm",
            rate_hz=48000,
            channels=1,
            duration_s=12.0,
            declared_duration_s=None,
            streams=(),
            tags={},
            why="the only one",
        )

    def clean(self, got: Any, *, options: Any, work: Any, report: Any) -> Master:
        data = work.path(got.recording.source).read_bytes()
        if data.startswith(b"BUG"):
            raise ZeroDivisionError("nobody expected this")
        for second in range(1001):
            report.advanced(second / 100, 10.0)
        report.warned("it was noisy")
        (work.folder / "master.flac").write_bytes(b"clean " + data)
        treatment = Treatment(name="denoise", applied=True, effect={"snr_db": 3.0}, why="noise was measured")
        return Master(
            recording_id=got.recording.recording_id,
            audio=work.keep(work.folder / "master.flac"),
            rate_hz=48000,
            samples=576000,
            duration_s=12.0,
            gain_db=1.5,
            loudness_lufs=-19.0,
            true_peak_dbtp=-3.0,
            source_loudness_lufs=None,
            snr_db=20.0,
            bandwidth_hz=8000.0,
            treatments=(treatment,),
        )

    def analyze(self, got: Any, *, options: Any, work: Any, report: Any) -> Analysis:
        segments = [Segment(index=i, start_packet=100 * i, packets=100, kind="speech", speech_share=1) for i in (0, 1)]
        (work.folder / "features.npz").write_bytes(b"features")
        return Analysis(
            recording_id=got.master.recording_id,
            segments=_lines(work, "segments.jsonl", segments),
            segment_count=2,
            features=work.keep(work.folder / "features.npz"),
            packets=200,
            speech_s=12.0,
            music_s=0.0,
            silence_s=0.0,
            feature_version="fake",
        )

    def transcribe(self, got: Any, *, options: Any, work: Any, report: Any) -> Transcript:
        return Transcript(recording_id=got.master.recording_id, status="none", why="no recogniser was asked for")

    def diarize(self, got: Any, *, options: Any, work: Any, report: Any) -> Turns:
        return Turns(recording_id=got.master.recording_id, status="none", why="nobody asked who speaks")

    def choose(self, got: Any, *, options: Any, work: Any, report: Any) -> Plan:
        known = work.recall("score") is not None
        work.remember("score", b"1")
        choices = [
            Choice(
                segment=i,
                rung=rung,
                expected=Scores(estoi=0.9),
                measured=True,
                doubtful=False,
                reachable=True,
                bytes=6000,
                why="the cheapest that reaches it",
            )
            for i, rung in enumerate(("voice-6", "voice-8"))
        ]
        return Plan(
            recording_id=got.master.recording_id,
            choices=_lines(work, "choices.jsonl", choices),
            target=options.target,
            promise=options.target,
            budget_bytes=options.budget_bytes,
            expected_bytes=12000,
            doubtful=0,
            unreachable=0,
            encodes=2,
            scored=0 if known else 1,
            remembered=1 if known else 0,
            ladder_version="l",
            targets_version="t",
            predictor_version="p",
            why="searched",
        )

    def encode(self, got: Any, *, options: Any, work: Any, report: Any) -> Renditions:
        data = work.path(got.master.audio).read_bytes()
        if data.startswith(b"clean FULL"):
            raise OSError(errno.ENOSPC, "No space left on device")
        (work.folder / "voice.opus").write_bytes(b"opus " + got.plan.target.encode() + data)
        measured = [
            Measured(
                segment=i,
                start_s=6.0 * i,
                end_s=6.0 * i + 6,
                kind="speech",
                rung="voice-6",
                bytes=6000,
                scores=Scores(estoi=0.9),
                kept="understood",
                reachable=True,
                stepped_up=0,
            )
            for i in (0, 1)
        ]
        voice = Rendition(
            name="voice.opus",
            blob=work.keep(work.folder / "voice.opus", "audio/ogg"),
            codec="opus",
            container="ogg",
            media_type="audio/ogg",
            bitrate_bps=8000.0,
            duration_s=12.0,
            samples=576000,
            rate_hz=48000,
            why="the voice",
        )
        return Renditions(
            recording_id=got.master.recording_id,
            renditions=(voice,),
            measured=_lines(work, "measured.jsonl", measured),
            encodes=2,
            stepped_up=0,
            stepped_down=0,
            rung_seconds={"voice-6": 12.0},
        )

    def verify(self, got: Any, *, options: Any, work: Any, report: Any) -> Any:
        (work.folder / "certificate.json").write_text("{}")
        return Certificate(
            recording_id=got.master.recording_id,
            report=work.keep(work.folder / "certificate.json"),
            rendition_sha256=got.renditions.renditions[0].blob.sha256,
            promised=got.plan.target,
            kept=got.plan.target,
            segments=2,
            scored_again=1,
            kept_share={got.plan.target: 1.0},
            unreachable=0,
            overall={"estoi_mean": 0.9},
            duration_s=12.0,
        )

    def publish(self, got: Any, *, options: Any, work: Any, report: Any) -> Lesson:
        (work.folder / "lesson.json").write_text(
            json.dumps(
                {"id": got.request.recording_id, "title": got.request.name, "files": ["voice.opus", "certificate.json"]}
            )
        )
        files = (got.renditions.renditions[0].blob, got.certificate.report, work.keep(work.folder / "lesson.json"))
        return Lesson(
            recording_id=got.request.recording_id,
            slug=Path(got.request.name).stem.lower().replace(" ", "-"),
            title=Path(got.request.name).stem,
            files=files,
            bytes=files[0].bytes,
            source_bytes=got.request.bytes,
        )


@pytest.fixture
def fake_rooms(monkeypatch: pytest.MonkeyPatch) -> Rooms:
    """The fake rooms in place; its `runs` counts the calls."""
    rooms = Rooms()
    options = {"diarize": DiarizeOptions, "choose": ChooseOptions, "publish": PublishOptions}
    for name in ROOMS:

        def run(*needs: Any, _name: str = name, **rest: Any) -> Any:
            rooms.runs[_name] += 1
            got = SimpleNamespace(**{type(need).__name__.lower(): need for need in needs})
            return getattr(rooms, _name)(got, **rest)

        kind = options.get(name, Options)
        if name == "ingest":  # its doors `find` and `accept` stay the real ones
            monkeypatch.setattr(chasqui.ingest, "Options", kind)
            monkeypatch.setattr(chasqui.ingest, "run", run)
        else:
            monkeypatch.setitem(sys.modules, f"chasqui.{name}", SimpleNamespace(Options=kind, run=run))
    return rooms
