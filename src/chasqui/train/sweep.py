"""The sweep: all takes of a folder of recordings, labelled in parallel, and the tables that come of it.

    takes/<take>.json      the take is done; or why it was refused
    store/                 masters, segments, features, and every trial that was made
    split.json             who is learnt from and who is held out
    rows.parquet segments.parquet frames.parquet sweep.json      see `table.py`

Cut off at any point, the same command goes on where it stopped. The tables are written on the way too.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from chasqui.codecs.opus import LADDER_VERSION, RUNGS
from chasqui.errors import BadConfig, NoSpeech, OneSpeaker, StoreBusy
from chasqui.events import Listener, Report
from chasqui.metrics.threads import one_blas_thread
from chasqui.store.guard import disk
from chasqui.train import crosscheck, material
from chasqui.train.extra import need
from chasqui.train.label import Done, Folder, Job, label
from chasqui.train.material import Recipe, Take
from chasqui.train.sources import Skipped, Source, sources
from chasqui.train.table import Tables

#: How often the tables are written while the sweep goes on.
COLLECT_EVERY_S = 600.0
AHEAD = 4  # takes handed out per worker


@dataclass(frozen=True)
class Asked:
    """What is to be swept, and how. `seed`, `recipe` and `rungs` decide the outcome; the rest does not."""

    media: Path
    out: Path
    seed: int = 1
    recipe: Recipe = field(default_factory=Recipe)
    rungs: tuple[str, ...] = ()  # empty: every rung of the ladder
    limit: int | None = None  # only so many takes, from the beginning
    jobs: int = 0  # 0: as many as there are cores
    again: bool = False  # analyse the kept masters anew; only segments that come out different are labelled
    pesq: float = 0.0  # share of the speech segments that PESQ scores too, as a cross-check


@dataclass(frozen=True)
class Planned:
    """What a sweep will do."""

    takes: tuple[Take, ...]
    parts: dict[str, str]
    skipped: tuple[Skipped, ...]


def plan(asked: Asked) -> Planned:
    """Takes and split of a folder of recordings.

    Raises:
        BadConfig: no such folder or rung.
        NoSpeech: no speech in it.
        OneSpeaker: nobody could be held out.
    """
    unknown = [name for name in asked.rungs if name not in RUNGS]
    if unknown:
        raise BadConfig(why=f"there is no rung {unknown[0]!r}; known: {', '.join(RUNGS)}")
    if not asked.media.is_dir():
        raise BadConfig(why=f"there is no folder {asked.media}")
    found, skipped = sources(asked.media)
    _enough(found, asked.media)
    parts = material.split(found, asked.seed)
    return Planned(tuple(material.takes(found, parts, asked.recipe, asked.seed)), dict(parts), tuple(skipped))


def _enough(found: list[Source], folder: Path) -> None:
    speakers = {source.group for source in found if source.content in ("speech", "words")}
    if not speakers:
        raise NoSpeech(path=folder)
    if len(speakers) == 1:
        raise OneSpeaker(path=folder, speaker=speakers.pop())


def sweep(asked: Asked, listener: Listener | None = None, planned: Planned | None = None) -> dict[str, Any]:
    """Label what is not labelled yet, and write the tables; gives what stands in sweep.json. The plan is made here if
    nobody has it.

    Raises:
        BadConfig: the folder holds a sweep that was asked for differently.
        DiskFull, NotWritable: with everything kept that was done.
        NoSpeech, OneSpeaker
        StoreBusy: another sweep is at work in this folder.
    """
    need("pyarrow")
    planned = planned or plan(asked)
    if asked.pesq:
        crosscheck.needed()
    with disk(asked.out):
        asked.out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(asked.out / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise StoreBusy(what=str(asked.out), limit_s=0) from error
    try:
        _same(asked)
        return _swept(asked, planned, Report("sweep", "", listener))
    finally:
        lock.release()


def collect(asked: Asked, planned: Planned | None = None) -> dict[str, Any]:
    """Only write the tables, of what is done so far; also while a sweep is at work.

    Raises:
        BadConfig: the folder holds a sweep that was asked for differently.
        DiskFull, NotWritable, NoSpeech, OneSpeaker
    """
    need("pyarrow")
    planned = planned or plan(asked)
    _same(asked)
    return Tables(asked.out, planned, facts(asked)).write()


def facts(asked: Asked) -> dict[str, Any]:
    """What decides the outcome of a sweep."""
    return {
        "seed": asked.seed,
        "recipe": vars(asked.recipe),
        "rungs": list(asked.rungs or RUNGS),
        "ladder_version": LADDER_VERSION,
    }


def _same(asked: Asked) -> None:
    """A folder holds one sweep."""
    path = asked.out / "asked.json"
    wanted = facts(asked)
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        other = [name for name in wanted if before.get(name) != wanted[name]]
        if other:
            said = ", ".join(f"{name}: {before.get(name)}" for name in other)
            raise BadConfig(why=f"{asked.out} holds a sweep with other settings ({said}); give another folder")
    with disk(asked.out):
        path.write_text(json.dumps(wanted, indent=1), encoding="utf-8")


def _swept(asked: Asked, planned: Planned, report: Report) -> dict[str, Any]:
    takes = planned.takes[: asked.limit]
    folder = Folder(asked.out)
    report.say("started")
    marks = {take.take_id: Done.read(folder.mark(take.take_id)) for take in takes}
    left = [take for take in takes if asked.again or not _finished(marks[take.take_id], asked)]
    done, total = len(takes) - len(left), len(takes)
    report.advanced(done, total, "takes")
    tables, written = Tables(asked.out, planned, facts(asked)), time.monotonic()
    jobs = [Job(take, asked.media.resolve(), folder, asked.rungs, asked.again, asked.pesq) for take in left]
    for finished in _labelled(jobs, asked.jobs or os.cpu_count() or 1):
        done += 1
        if finished.error:
            report.warned(finished.why, take=finished.take_id, error=finished.error)
        report.advanced(done, total, "takes")
        if time.monotonic() - written > COLLECT_EVERY_S:
            tables.write()
            written = time.monotonic()
    outcome = tables.write()
    report.say("finished", facts={"rows": outcome["rows"]})
    return outcome


def _finished(done: Done | None, asked: Asked) -> bool:
    """Whether nothing is left to do for a take: labelled as asked, or refused."""
    return done is not None and (bool(done.error) or done.pesq >= asked.pesq)


def _labelled(jobs: list[Job], workers: int) -> Iterator[Done]:
    """As they are finished. Some per worker are handed out, so that nobody waits while the tables are written, and a
    stop is soon a stop.
    """
    workers = min(workers, len(jobs))
    if workers <= 1:  # nothing to gain from a process of its own
        with one_blas_thread():
            yield from map(label, jobs)
        return
    spawn = multiprocessing.get_context("spawn")  # FFmpeg's and BLAS's threads do not survive a fork
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=_alone) as pool:
        waiting: set[Future[Done]] = set()
        rest = iter(jobs)
        try:
            while True:
                while len(waiting) < AHEAD * workers and (job := next(rest, None)) is not None:
                    waiting.add(pool.submit(label, job))
                if not waiting:
                    break
                ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in ready:
                    yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _alone() -> None:
    """In each worker: one BLAS thread, Ctrl-C left to the parent, and an end when the parent is killed."""
    import signal
    import threading

    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
