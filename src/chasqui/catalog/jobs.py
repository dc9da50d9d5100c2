"""The truth about work: who asked for what, who does it, how far it is, how it ended.

    waiting ⇄ running → done | failed | cancelled

A worker that takes a job beats; one whose beat has stopped is taken for dead and its job waits again. Nobody compares
the clocks of two machines for that: whoever looks sees whether the sign of life is another one than before. Every
change that somebody else must hear of writes its letter in the same transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session as Db
from sqlalchemy.orm import object_session

from chasqui.catalog import Catalog, outbox, webhooks
from chasqui.catalog.tables import Job

ENDS = ("done", "failed", "cancelled")
#: A worker beats every second, even while a library computes; what is silent for so long is dead, or its machine swaps.
SILENT_S = 15.0
#: Beginnings of one stage until it is given up: three workers that died over the same recording are no accident.
ATTEMPTS = 4
#: A job that waits longer than this is reminded of again: brokers lose things. A long queue is no loss, so not often.
#: Nothing waits on purpose for so long either: a reminder further away than that is of a clock that was set back.
REMIND_S = 1800.0
#: A letter that workers died over is tried again after this, doubled with each time.
LATER_S = 5.0
#: What is cancelled stops within two seconds; what waits for that asks so often.
STOPPING_S = 1.0

#: Who works on a job, and when it said so last by its own clock. Only to be compared with an earlier one.
Sign = tuple[str | None, float | None]


def ask(
    db: Db,
    *,
    school_id: str,
    owner_id: str,
    recording_id: str,
    goal: str,
    first: str,
    queue: str,
    lesson_id: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Job:
    """A new job, waiting, and the letter that lets a worker know. Part of the caller's transaction."""
    job = Job(
        school_id=school_id,
        owner_id=owner_id,
        lesson_id=lesson_id,
        recording_id=recording_id,
        goal=goal,
        stage=first,
        settings=dict(settings or {}),
    )
    db.add(job)
    db.flush()
    _remind(db, job, queue)
    return job


def take(
    catalog: Catalog,
    job_id: str,
    stage: str,
    worker: str,
    dead: Callable[[str], bool] = lambda _worker: False,
    queue: str = "voice",
) -> Job | None:
    """The job, now running with this worker. None: there is nothing to do, because it ended, went on, or runs; or a
    cancelled one of the same recording has not stopped yet, and a letter in `queue` calls again in a moment.

    One that runs with a worker that died a moment ago is left to `sweep`, which gives it out when the beat has stopped;
    unless it is known to be `dead`: then it goes on at once, at whatever stage it was.
    """
    with catalog.writing() as db:
        job = db.scalar(select(Job).where(Job.id == job_id).with_for_update())
        if job is None or job.state in ENDS:
            return None
        orphan = job.state == "running" and job.worker != worker and dead(job.worker or "")
        if job.stage != stage and not orphan:
            return None
        if job.cancel_s:
            _end(job, "cancelled")
            return None
        if job.state == "running" and job.worker != worker and not orphan:
            return None
        if job.attempts >= ATTEMPTS:
            _end(job, "failed", "GaveUp", {"stage": job.stage, "attempts": job.attempts})
            return None
        if _stopping(db, job):
            _remind(db, job, queue, STOPPING_S)
            return None
        job.state, job.worker, job.beat_s = "running", worker, time.time()
        job.attempts += 1
        job.started_s = job.started_s or job.beat_s
        return job


def _stopping(db: Db, job: Job) -> bool:
    """Whether a cancelled one is still at work on the same recording: it would write over what this one makes."""
    same = (Job.school_id == job.school_id, Job.recording_id == job.recording_id, Job.id != job.id)
    cancelled = (Job.state == "running", Job.cancel_s.is_not(None))
    return db.scalar(select(Job.id).where(*same, *cancelled).limit(1)) is not None


def beat(catalog: Catalog, job_id: str, worker: str, done: float | None = None) -> bool:
    """A sign of life. False: stop, because somebody asked for an end or the job belongs to another worker."""
    values: dict[str, Any] = {"beat_s": time.time()} | ({} if done is None else {"done": min(max(done, 0.0), 1.0)})
    with catalog.writing() as db:
        mine = (Job.id == job_id, Job.worker == worker, Job.state == "running")
        if not db.execute(update(Job).where(*mine).values(**values)).rowcount:  # type: ignore[attr-defined]
            return False
        return db.scalar(select(Job.cancel_s).where(Job.id == job_id)) is None


def go_on(
    catalog: Catalog,
    job_id: str,
    worker: str,
    following: str | None,
    queue: str,
    keep: bool = False,
    made: Callable[[Db, Job], None] = lambda _db, _job: None,
) -> Job | None:
    """The stage is done: the next one waits, or the job is done. None: it was not this worker's any more.

    `keep`: the next one runs at once with the same worker; no letter is needed. `made` notes what came of the job, in
    the transaction that ends it: never twice, and never where somebody cancelled in time.
    """
    with catalog.writing() as db:
        if (job := _mine(db, job_id, worker)) is None:
            return None
        if job.cancel_s:
            _end(job, "cancelled")
        elif following is None:
            made(db, job)
            _end(job, "done")
        elif keep:
            job.stage, job.attempts, job.done, job.beat_s = following, 1, 0.0, time.time()
        else:
            job.stage, job.attempts, job.done = following, 0, 0.0
            _wait(db, job, queue)
        return job


def wait(catalog: Catalog, job_id: str, worker: str, queue: str, after_s: float, done: float | None = None) -> None:
    """Put it back for a while: the world was in the way, or the worker ends.

    `done`: it got so far and can go on from there. Then this was no failed beginning, and is not counted as one.
    """
    with catalog.writing() as db:
        if (job := _mine(db, job_id, worker)) is not None:
            if done is not None:
                job.attempts, job.done = 0, done
            _wait(db, job, queue, after_s)


def give_back(catalog: Catalog, job_id: str, worker: str, queue: str) -> None:
    """The worker was told to end: somebody else begins the stage, as if this one never had."""
    with catalog.writing() as db:
        if (job := _mine(db, job_id, worker)) is not None:
            job.attempts = max(0, job.attempts - 1)
            _wait(db, job, queue)


def undelivered(catalog: Catalog, job_id: str, stage: str, queue: str) -> bool:
    """A letter came back because workers died before they could even begin. Counts as one beginning; tried again
    later, as long as there are any left. False: the letter does not matter any more, or somebody is at work, whose
    beat tells the rest.
    """
    with catalog.writing() as db:
        job = db.scalar(select(Job).where(Job.id == job_id).with_for_update())
        if job is None or job.state != "waiting" or job.stage != stage:
            return False
        job.attempts += 1
        if job.attempts >= ATTEMPTS:
            _end(job, "failed", "GaveUp", {"stage": stage, "attempts": job.attempts})
        else:
            _wait(db, job, queue, LATER_S * 2**job.attempts)
        return True


def fail(catalog: Catalog, job_id: str, error: str, evidence: Mapping[str, Any], worker: str | None = None) -> bool:
    """The end, with the reason. False: it had ended before, or it is another worker's."""
    with catalog.writing() as db:
        job = db.scalar(select(Job).where(Job.id == job_id).with_for_update())
        if job is None or job.state in ENDS or (worker is not None and job.worker != worker):
            return False
        _end(job, "failed", error, evidence)
        return True


def cancel(catalog: Catalog, job_id: str) -> Job | None:
    """Ask for the end: at once where nobody works on it, else within a beat of the worker."""
    with catalog.writing() as db:
        job = db.scalar(select(Job).where(Job.id == job_id).with_for_update())
        if job is None or job.state in ENDS:
            return job
        stop(job)
        return job


def stop(job: Job) -> None:
    """The same for a job that has not ended, as a part of the caller's transaction."""
    job.cancel_s = job.cancel_s or time.time()
    if job.state == "waiting":
        _end(job, "cancelled")


def cancelled(catalog: Catalog, job_id: str, worker: str) -> None:
    """The worker has stopped."""
    with catalog.writing() as db:
        if (job := _mine(db, job_id, worker)) is not None:
            _end(job, "cancelled")


def signs(catalog: Catalog) -> dict[str, Sign]:
    """The last sign of life for each job that runs."""
    with catalog.reading() as db:
        found = db.execute(select(Job.id, Job.worker, Job.beat_s).where(Job.state == "running"))
        return {job: (worker, beat_s) for job, worker, beat_s in found}


def sweep(catalog: Catalog, queue_of: Callable[[str | None], str], silent: Mapping[str, Sign]) -> list[str]:
    """Ids of jobs that were picked up again: nobody has come for them for long, or their worker fell silent after this
    sign of life.
    """
    now = time.time()
    forgotten = (Job.state == "waiting") & or_(Job.beat_s < now - REMIND_S, Job.beat_s > now + REMIND_S)
    with catalog.reading() as db:  # nearly always there is nothing, and others want to write
        wanted = [*silent, *db.scalars(select(Job.id).where(forgotten))]
    return [job for job in wanted if _picked_up(catalog, job, queue_of, silent.get(job), forgotten)]


def _picked_up(
    catalog: Catalog,
    job_id: str,
    queue_of: Callable[[str | None], str],
    silent: Sign | None,
    forgotten: ColumnElement[bool],
) -> bool:
    still = forgotten
    if silent is not None:
        still = (Job.state == "running") & (Job.worker == silent[0]) & (Job.beat_s == silent[1])
    with catalog.writing() as db:
        job = db.scalar(select(Job).where(Job.id == job_id, still).with_for_update(skip_locked=True))
        if job is None:
            return False
        _wait(db, job, queue_of(job.stage))
        return True


def _mine(db: Db, job_id: str, worker: str) -> Job | None:
    wanted = (Job.id == job_id, Job.worker == worker, Job.state == "running")
    return db.scalar(select(Job).where(*wanted).with_for_update())


def _wait(db: Db, job: Job, queue: str, after_s: float = 0.0) -> None:
    """It waits for whoever comes; or it ends, where somebody asked for that: nobody would look for so long."""
    if job.cancel_s:
        _end(job, "cancelled")
    else:
        job.state, job.worker = "waiting", None
        _remind(db, job, queue, after_s)


def _remind(db: Db, job: Job, queue: str, after_s: float = 0.0) -> None:
    job.beat_s = time.time() + after_s  # of a waiting job: when somebody was last told of it
    outbox.write(db, "task", queue, {"job": job.id, "stage": job.stage}, after_s)


def _end(job: Job, state: str, error: str | None = None, evidence: Mapping[str, Any] | None = None) -> None:
    """Part of the transaction that it belongs to, with the letters that tell of it."""
    job.state, job.ended_s, job.worker = state, time.time(), None
    job.error, job.evidence = error, {name: _plain(fact) for name, fact in (evidence or {}).items()}
    fields = ("id", "lesson_id", "recording_id", "goal", "state", "stage", "error", "evidence")
    if (db := object_session(job)) is not None:
        facts = {"job": {field: getattr(job, field) for field in fields}}
        webhooks.tell(db, job.school_id, f"job.{state}", f"jobs/{job.id}", facts)


def _plain(fact: Any) -> str | int | float | None:
    return fact if isinstance(fact, int | float | None) else str(fact)
