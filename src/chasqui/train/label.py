"""One take through the real stages, and every segment of it at every rung: what a sweep's workers do.

Ingest, clean and analyze are those of `pack`, so the segments are the ones it would make. Trials are remembered in the
store by master, segment and rung: whatever was labelled once is not labelled again, also after a kill.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chasqui.choose.trial import Bench, Counts
from chasqui.codecs.opus import Rung
from chasqui.codecs.opus import ladder as opus_ladder
from chasqui.config import Config, load
from chasqui.errors import ChasquiError, Defect, DiskFull, NotReady, NotWritable, TryAgain
from chasqui.ingest import accept
from chasqui.records import Analysis, Master, Recording, Segment
from chasqui.run import run_stage
from chasqui.store import Store, lines, open_store
from chasqui.store.guard import disk
from chasqui.train import packets
from chasqui.train.crosscheck import chosen, measure
from chasqui.train.material import Take
from chasqui.train.mixing import render


@dataclass(frozen=True)
class Folder:
    """Where a sweep keeps what."""

    root: Path

    @property
    def store(self) -> Store:
        return open_store(f"file:{self.root / 'store'}")

    @property
    def config(self) -> Config:
        """One thread: the takes are done in parallel, and each in the same way whatever their number."""
        return load(None, env={}, store=f"file:{self.root / 'store'}", threads=1)

    def mark(self, take_id: str) -> Path:
        """The file that says that a take is done, and how."""
        return self.root / "takes" / f"{take_id}.json"


@dataclass(frozen=True)
class Job:
    """One take to label."""

    take: Take
    media: Path
    folder: Folder
    rungs: tuple[str, ...] = ()  # empty: the whole ladder
    again: bool = False  # analyse the kept master anew, whatever `clean` would make of the recording now
    pesq: float = 0.0  # share of the segments that PESQ scores too


@dataclass
class Done:
    """What became of a take."""

    take_id: str
    recording_id: str = ""
    segments: int = 0  # of speech and music
    pesq: float = 0.0
    encodes: int = 0  # made now; the others were remembered
    audio_s: float = 0.0
    cpu_s: dict[str, float] = field(default_factory=dict)  # by step
    error: str = ""  # the class of what refused it, its words, and its evidence
    why: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def read(path: Path) -> Done | None:
        """What a mark says; None where there is none, or half of one."""
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            return Done(**{key: value for key, value in facts.items() if key in Done.__dataclass_fields__})
        except (OSError, ValueError, TypeError, AttributeError):
            return None

    def write(self, path: Path) -> None:
        """Leave the mark, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".part")
        aside.write_text(json.dumps(vars(self), default=str), encoding="utf-8")
        aside.replace(path)


def ladder(segment: Segment, wanted: tuple[str, ...] = ()) -> list[Rung]:
    """The rungs at which a segment is labelled; none for silence."""
    if segment.kind == "silence":
        return []
    whole = opus_ladder("audio" if segment.kind == "music" else "voip")
    return [rung for rung in whole if not wanted or rung.name in wanted]


def label(job: Job) -> Done:
    """Everything about one take; its mark stands when this returns.

    A take that a stage refuses is marked with the reason; what the world was in the way of is tried again next time.

    Raises:
        DiskFull, NotWritable: no other take would fare better.
    """
    mark = job.folder.mark(job.take.take_id)
    before = Done.read(mark)
    done = Done(job.take.take_id, pesq=job.pesq)
    try:
        _label(job, done, before.recording_id if before else "")
    except (DiskFull, NotWritable):
        raise
    except ChasquiError as error:
        done.error, done.why, done.evidence = error.code, str(error), error.evidence
        if isinstance(error, TryAgain):
            return done
    except Exception as error:  # a defect met in one take must not cost the others
        if os.environ.get("CHASQUI_DEBUG"):
            raise
        what = f"{type(error).__name__}: {error}"
        done.error, done.why = Defect.__name__, str(Defect(name=job.take.sources[0], what=what))
        done.evidence = {"name": job.take.sources[0], "what": what}
        return done
    if before is not None and done.encodes == 0 and not done.error:
        done.cpu_s = before.cpu_s  # no label was made now: they cost what they cost then
    with disk(mark.parent):
        done.write(mark)
    return done


def _label(job: Job, done: Done, recording_id: str) -> None:
    store, config = job.folder.store, job.folder.config
    clock = _Clock(done.cpu_s)
    if not recording_id or store.get(recording_id, "ingest", Recording) is None:
        recording_id = _taken_in(job, store, config)
        clock.lap("mixing")
    done.recording_id = recording_id
    with store.workspace(recording_id, "label") as work:
        master = store.get(recording_id, "clean", Master) if job.again else None
        if master is None:
            run_stage("clean", recording_id, store, config)
            clock.lap("clean")
        run_stage("analyze", recording_id, store, config)
        clock.lap("analyze")
        master, analysis = read(recording_id, store)
        counts = Counts()
        segments = lines.read(work.path(analysis.segments), Segment)
        for segment in segments:
            rungs = ladder(segment, job.rungs)
            bench = Bench(work.path(master.audio), master, segment, work, counts)
            for rung in rungs:
                bench.attempt(rung, quality=True)
            clock.lap("label")
            if segment.kind == "speech" and chosen(place(job.take, segment), job.pesq):
                measure(work.path(master.audio), master, segment, rungs, work)
                clock.lap("pesq")
            done.segments += segment.kind != "silence"
        with disk(job.folder.root):
            packets.kept(
                job.folder.root, work.path(master.audio), master, [one for one in segments if one.kind != "silence"]
            )
        clock.lap("packets")
    done.encodes, done.audio_s = counts.encodes, master.duration_s


def read(recording_id: str, store: Store) -> tuple[Master, Analysis]:
    """The master of a labelled recording and what was found in it.

    Raises:
        NotReady: it was not labelled, or has vanished from the store.
    """
    master = store.get(recording_id, "clean", Master)
    analysis = store.get(recording_id, "analyze", Analysis)
    if master is None or analysis is None:
        raise NotReady(stage="label", needs="analyze" if master else "clean", recording_id=recording_id)
    return master, analysis


def place(take: Take, segment: Segment) -> str:
    """The name of a segment: by place and not by number, so that the same stretch keeps it when others are cut anew."""
    return f"{take.take_id}-{segment.start_packet:05d}-{segment.packets:03d}"


def _taken_in(job: Job, store: Store, config: Config) -> str:
    """Mix the take and hand it in; the store keeps its own copy."""
    mixture = job.folder.root / "mixtures" / f"{job.take.take_id}.flac"
    try:
        with disk(job.folder.root):
            mixture.parent.mkdir(parents=True, exist_ok=True)
            render(job.take, job.media, mixture)
        request = accept(mixture, store)
        run_stage("ingest", request.recording_id, store, config)
    finally:
        mixture.unlink(missing_ok=True)
    return request.recording_id


class _Clock:
    """CPU seconds of this process by step."""

    def __init__(self, laps: dict[str, float]) -> None:
        self._laps = laps
        self._last = time.process_time()

    def lap(self, name: str) -> None:
        now = time.process_time()
        self._laps[name] = round(self._laps.get(name, 0.0) + now - self._last, 4)
        self._last = now
