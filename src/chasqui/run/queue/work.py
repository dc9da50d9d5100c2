"""What a worker does with a letter: one stage of one job, beating while it works, stopping when it is told to.

Whoever delivers the letter (Celery, a test) calls `perform` with two strings; all else is in the catalog.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from chasqui.catalog import Catalog, jobs, lessons
from chasqui.catalog.tables import Job
from chasqui.config import Config, load
from chasqui.errors import CatalogAway, ChasquiError, Defect
from chasqui.events import Event
from chasqui.pipeline import stages_for
from chasqui.records import Certificate, Lesson
from chasqui.run import run_stage
from chasqui.store import Store

#: Somebody who cancels waits for this at most; also the longest that a progress bar stands still.
BEAT_S = 1.0
#: A stage that does not stop in this time after it was told to is ended with its process.
GRACE_S = 1.0
#: Waiting after trouble of the world doubles, from and to:
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 600.0
#: Stages by the queue they wait in.
QUEUE_OF = {"transcribe": "words"}
USUAL_QUEUE = "voice"


class _Stop(BaseException):
    """Raised in the middle of a stage. Not an Exception: no stage may take it for a failure of its own."""


@dataclass(frozen=True)
class Worker:
    """Everything that a worker needs, opened once per process."""

    name: str
    catalog: Catalog
    store: Store
    config: Callable[[dict[str, Any]], Config] = lambda settings: load(**settings)  # a job's own settings on top
    slice_s: float = 1200.0

    def perform(self, job_id: str, stage: str) -> None:
        """Do this stage of this job, unless it is done, taken, or not wanted any more.

        Raises:
            CatalogAway: nothing could be noted down; the letter must come again.
        """
        job = jobs.take(self.catalog, job_id, stage, self.name)
        if job is None:
            return
        beat = _Beat(self, job)
        try:
            with beat.beating():
                run_stage(stage, job.recording_id, self.store, self.config(job.settings), beat.hear)
        except _Stop:
            self._stopped(job, beat)
        except CatalogAway:
            raise
        except ChasquiError as error:
            self._failed(job, error)
        except Exception as error:  # noqa: BLE001 - a defect met in one recording must not cost the others
            self._failed(job, Defect(name=job.recording_id, what=f"{type(error).__name__}: {error}"))
        else:
            following = _following(job.goal, stage)
            if following is None:  # noted first: a crash in between does this again, not never
                lessons.made(self.catalog, job_id, facts(job.recording_id, self.store))
            jobs.go_on(self.catalog, job_id, self.name, following, queue_of(following))

    def _stopped(self, job: Job, beat: _Beat) -> None:
        if beat.why == "slice":  # more than one slice of work: somebody goes on from what is remembered
            jobs.wait(self.catalog, job.id, self.name, queue_of(job.stage), 0.0)
        else:
            jobs.cancelled(self.catalog, job.id, self.name)

    def _failed(self, job: Job, error: ChasquiError) -> None:
        if error.action == "retry" and job.attempts < jobs.ATTEMPTS:
            after_s = min(FIRST_WAIT_S * 2 ** (job.attempts - 1), LONGEST_WAIT_S)
            jobs.wait(self.catalog, job.id, self.name, queue_of(job.stage), after_s)
        else:
            jobs.fail(self.catalog, job.id, error.code, error.evidence, self.name)


class _Beat:
    """Says that the worker lives and how far it is, and stops the stage when nobody wants it any more."""

    def __init__(self, worker: Worker, job: Job) -> None:
        self._worker, self._job = worker, job
        self._done = 0.0
        self._over = threading.Event()
        self._ends = time.monotonic() + worker.slice_s
        self.why = ""

    def hear(self, event: Event) -> None:
        """How far the stage is."""
        if event.kind == "advanced" and event.total:
            self._done = (event.done or 0.0) / event.total

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Beat while the body runs. The body must run in the main thread, because signals stop it."""
        before = signal.signal(signal.SIGUSR2, _stop)
        thread = threading.Thread(target=self._beats, name="beat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            signal.signal(signal.SIGUSR2, signal.SIG_IGN)
            thread.join()
            signal.signal(signal.SIGUSR2, before)

    def _beats(self) -> None:
        while not self._over.wait(BEAT_S):
            try:
                wanted = jobs.beat(self._worker.catalog, self._job.id, self._worker.name, self._done)
            except CatalogAway:
                continue  # it may be back before anybody takes us for dead
            if not wanted or time.monotonic() > self._ends:
                self.why = "slice" if wanted else "unwanted"
                self._end()
                return

    def _end(self) -> None:
        os.kill(os.getpid(), signal.SIGUSR2)
        if self.why == "unwanted" and not self._over.wait(GRACE_S):
            jobs.cancelled(self._worker.catalog, self._job.id, self._worker.name)
            os._exit(0)  # deep in a library; what it was writing lies aside and is swept up


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise _Stop


def _following(goal: str, stage: str) -> str | None:
    names = [one.name for one in stages_for(goal)]
    after = names[names.index(stage) + 1 :]
    return after[0] if after else None


def queue_of(stage: str | None) -> str:
    """The queue in which a stage waits."""
    return QUEUE_OF.get(stage or "", USUAL_QUEUE)


def facts(recording_id: str, store: Store) -> dict[str, Any]:
    """What lists show of a lesson that is made."""
    lesson, certificate = store.get(recording_id, "publish", Lesson), store.get(recording_id, "verify", Certificate)
    if lesson is None:
        return {}
    named = {blob.name: {"bytes": blob.bytes, "sha256": blob.sha256, "type": blob.media_type} for blob in lesson.files}
    return {
        "slug": lesson.slug,
        "bytes": lesson.bytes,
        "source_bytes": lesson.source_bytes,
        "files": named,
        "duration_s": certificate.duration_s if certificate else None,
        "promised": certificate.promised if certificate else None,
        "kept": certificate.kept if certificate else None,
        "degraded": certificate.degraded if certificate else None,
    }
