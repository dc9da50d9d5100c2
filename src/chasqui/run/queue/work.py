"""What a worker does with a letter: the stages of one job, as many in a row as it may, beating while it works, stopping
when it is told to.

Whoever delivers the letter (Celery, a test) calls `perform` with two strings; all else is in the catalog.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from chasqui.catalog import Catalog, jobs, lessons
from chasqui.catalog.tables import Job
from chasqui.config import Config, load
from chasqui.errors import CatalogAway, ChasquiError, Defect
from chasqui.pipeline import stages_for
from chasqui.records import Certificate, Lesson
from chasqui.run import run_stage
from chasqui.run.queue.beat import Beat, Stop
from chasqui.store import Store

T = TypeVar("T")

#: Waiting after trouble of the world doubles, from and to:
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 600.0
#: Stages by the queue they wait in.
QUEUE_OF = {"transcribe": "words"}
USUAL_QUEUE = "voice"
#: Stages that go on where they were stopped, by what they remember. Only these are cut into slices: any other would
#: begin anew each time and never end. One that takes longer than RabbitMQ waits for is delivered twice, which the
#: catalog bears: whoever gets the second letter finds the job at work and leaves it.
SLICED = frozenset({"transcribe", "choose"})
#: A database that is restarted is back within seconds. Work that is done is noted even if it takes minutes.
PATIENCE_S, AGAIN_S = 600.0, 0.5


def patiently(note: Callable[[], T], ending: Callable[[], bool]) -> T:
    """Done as soon as the database lets it; `note` must bear being done twice.

    Raises:
        CatalogAway: it was away for long, or the worker has to end.
    """
    until_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return note()
        except CatalogAway:
            if ending() or time.monotonic() > until_s:
                raise
            time.sleep(AGAIN_S)


def never() -> bool:
    """Nobody ends this worker."""
    return False


@dataclass(frozen=True)
class Worker:
    """Everything that a worker needs, opened once per process."""

    name: str
    catalog: Catalog
    stores: Callable[[str], Store]  # of schools, by their ids
    config: Callable[[dict[str, Any]], Config] = lambda settings: load(**settings)  # a job's own settings on top
    slice_s: float = 1200.0
    stuck_s: float = math.inf  # the longest that a stage may say nothing
    queues: frozenset[str] = frozenset()  # what this worker takes from; what follows there it does at once
    ending: Callable[[], bool] = never
    dead: Callable[[str], bool] = lambda _worker: False  # what is known of another worker by its name

    def perform(self, job_id: str, stage: str) -> None:
        """Do this stage of this job, unless it is done, taken, or not wanted any more; then the next ones, until one
        belongs to others, the slice is over, or the worker ends.

        Raises:
            CatalogAway: nothing could be noted down; the letter must come again.
        """
        ends_s = time.monotonic() + self.slice_s
        queue = queue_of(stage)
        job = self._noted(lambda: jobs.take(self.catalog, job_id, stage, self.name, self.dead, queue))
        while job is not None and job.state == "running":
            job = self._stage(job, ends_s)

    def _stage(self, job: Job, ends_s: float) -> Job | None:
        """The stage; the job as it is afterwards, None where it is not ours any more."""
        stage, made, store = job.stage or "", dict[str, Any](), self.stores(job.school_id)
        beat = Beat(_Hands(self, job), ends_s if stage in SLICED else None, self.ending, self.stuck_s)
        try:
            with beat.beating():
                run_stage(stage, job.recording_id, store, self.config(job.settings), beat.hear)
                if stage == job.goal:
                    made = facts(job.recording_id, store)
        except Stop:
            return self._noted(lambda: self._stopped(job, beat))
        except CatalogAway:
            raise
        except ChasquiError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - a defect met in one recording must not cost the others
            failure = Defect(name=job.recording_id, what=f"{type(error).__name__}: {error}")
        else:
            return self._noted(lambda: self._done(job, stage, ends_s, made))
        return self._noted(lambda: self._failed(job, failure))

    def _done(self, job: Job, stage: str, ends_s: float, made: dict[str, Any]) -> Job | None:
        following = _following(job.goal, stage)
        queue = queue_of(following)
        keep = queue in self.queues and time.monotonic() < ends_s and not self.ending()
        note = partial(lessons.made, facts=made)
        return jobs.go_on(self.catalog, job.id, self.name, following, queue, keep, note)

    def _stopped(self, job: Job, beat: Beat) -> None:
        queue = queue_of(job.stage)
        if beat.why == "slice":  # somebody goes on from what is remembered; without a step further it was for nothing
            jobs.wait(self.catalog, job.id, self.name, queue, 0.0, beat.done if beat.done > job.done else None)
        else:
            _Hands(self, job).let_go(beat.why)

    def _failed(self, job: Job, error: ChasquiError) -> None:
        if error.action == "retry" and job.attempts < jobs.ATTEMPTS:
            after_s = min(FIRST_WAIT_S * 2 ** (job.attempts - 1), LONGEST_WAIT_S)
            jobs.wait(self.catalog, job.id, self.name, queue_of(job.stage), after_s)
        else:
            jobs.fail(self.catalog, job.id, error.code, error.evidence, self.name)

    def _noted(self, note: Callable[[], T]) -> T:
        return patiently(note, self.ending)


@dataclass(frozen=True)
class _Hands:
    worker: Worker
    job: Job

    def beat(self, done: float) -> bool:
        return jobs.beat(self.worker.catalog, self.job.id, self.worker.name, done)

    def let_go(self, why: str) -> None:
        """The stage stopped, or the process ends in the middle of it."""
        mine = (self.worker.catalog, self.job.id, self.worker.name)
        if why == "ending":
            jobs.give_back(*mine, queue_of(self.job.stage))
        elif why == "stuck":  # counts as a beginning: a recording that stops everybody is given up in the end
            jobs.wait(*mine, queue_of(self.job.stage), FIRST_WAIT_S)
        else:
            jobs.cancelled(*mine)


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
