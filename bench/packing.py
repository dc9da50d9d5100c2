"""One recording through Chasqui's stages at every target, timed; each target from a store that saw no other target."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import NamedTuple, TypeVar

from bench.baselines import Shape
from bench.recordings import Take
from chasqui.config import Config
from chasqui.ingest import accept
from chasqui.records import Analysis, Certificate, Master, Plan, Record, Recording, Renditions, Request, Segment
from chasqui.run import run_stage
from chasqui.store import open_store

R = TypeVar("R", bound=Record)

TARGETS = ("understood", "comfortable", "clear")
SHARED = ("ingest", "clean", "analyze")
PER_TARGET = ("choose", "encode", "verify")


class Voice(NamedTuple):
    """voice.opus of one target. `verified` is the certificate's share of seconds at the target; `encodes` of
    `segments`: how often they were encoded, a search's trials included.
    """

    path: Path
    size: int
    seconds: float
    verified: float
    encodes: int
    segments: int


class Packed(NamedTuple):
    """One recording after Chasqui: its master, its segments, and a voice file per target, predicted and searched."""

    take: Take
    shape: Shape
    master: Path
    gain_db: float
    duration_s: float
    segments: tuple[Segment, ...]
    voices: dict[str, Voice]
    searched: dict[str, Voice]


def packed(take: Take, folder: Path) -> Packed:
    """Every stage up to `verify`, one thread, for every target. `folder` must be empty; the files stay there."""
    folder.mkdir(parents=True, exist_ok=True)
    base = f"file:{folder / 'base'}"
    store = open_store(base)
    request = accept(take.file(folder), store)
    seconds = sum(_run(stage, request, base, "understood") for stage in SHARED)
    recording = _got(store.get(request.recording_id, "ingest", Recording))
    master = _got(store.get(request.recording_id, "clean", Master))
    return Packed(
        take,
        Shape(recording.rate_hz, recording.channels),
        store.path(master.audio),
        master.gain_db,
        master.duration_s,
        _segments(base, request),
        {target: _voice(folder, request, target, "predict", seconds) for target in TARGETS},
        {target: _voice(folder, request, target, "search", seconds) for target in TARGETS},
    )


def _voice(folder: Path, request: Request, target: str, method: str, shared_s: float) -> Voice:
    own = folder / f"{method}-{target}"
    shutil.copytree(folder / "base", own)
    url = f"file:{own}"
    seconds = shared_s + sum(_run(stage, request, url, target, method) for stage in PER_TARGET)
    store = open_store(url)
    made = _got(store.get(request.recording_id, "encode", Renditions))
    certificate = _got(store.get(request.recording_id, "verify", Certificate))
    voice = next(rendition for rendition in made.renditions if rendition.name == "voice.opus")
    plan = _got(store.get(request.recording_id, "choose", Plan))
    encodes = plan.encodes + plan.remembered + made.encodes
    share = certificate.kept_share[target]
    return Voice(store.path(voice.blob), voice.blob.bytes, seconds, share, encodes, certificate.segments)


def _run(stage: str, request: Request, url: str, target: str, method: str = "predict") -> float:
    started = time.perf_counter()
    config = Config(store=url, threads=1, stages={"choose": {"target": target, "method": method}})
    run_stage(stage, request.recording_id, open_store(url), config)
    return time.perf_counter() - started


def _segments(url: str, request: Request) -> tuple[Segment, ...]:
    store = open_store(url)
    analysis = _got(store.get(request.recording_id, "analyze", Analysis))
    lines = store.path(analysis.segments).read_text(encoding="utf-8").splitlines()
    return tuple(Segment.model_validate_json(line) for line in lines)


def _got(record: R | None) -> R:
    """The record of a stage that has just run."""
    if record is None:
        raise RuntimeError("a finished stage left no record")
    return record
