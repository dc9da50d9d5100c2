"""Work that failed or was cancelled, asked for once more.

An end is an end: what ended stays as it was and is told of no second time. Trying again is a new job for the same
lesson, of the same owner, with the same settings; stages whose records are there are passed over.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session as Db
from sqlalchemy.orm import aliased

from chasqui import errors
from chasqui.catalog import Catalog, jobs
from chasqui.catalog.tables import Job, Lesson, School
from chasqui.errors import ChasquiError, NothingToRetry, Rejected

#: Jobs asked for by one call, and by one transaction of it: others want to write too.
MOST, TOGETHER = 1000, 50


def again(catalog: Catalog, job_id: str, first: str, queue: str) -> Job:
    """The job that tries it again: a new one, or that which does so already.

    Raises:
        NothingToRetry: it did not fail and was not cancelled, or its lesson is gone.
    """
    with catalog.writing() as db:
        old = db.get_one(Job, job_id)
        if old.state not in ("failed", "cancelled"):
            raise NothingToRetry(job=job_id, why=f"it is {old.state}")
        if db.get_one(School, old.school_id).closed_s:
            raise NothingToRetry(job=job_id, why="its school is closed")
        if (job := _again(db, old, first, queue)) is None:
            raise NothingToRetry(job=job_id, why="its lesson was removed")
        return job


def again_all(
    catalog: Catalog, first: str, queue: str, codes: Collection[str], since_s: float, most: int = MOST
) -> tuple[int, bool]:
    """Try again what failed since then with one of these codes, oldest first, unless something newer was made of the
    lesson since. How many were asked for, and whether there are more than `most`.
    """
    asked, after = 0, (since_s, "")
    while True:
        with catalog.writing() as db:
            found = db.scalars(_failed(codes, after).limit(min(TOGETHER, most - asked + 1))).all()
            for old in found:
                if asked == most:
                    return asked, True
                asked += _again(db, old, first, queue) is not None
                after = (old.ended_s or 0.0, old.id)
        if not found:
            return asked, False


def mendable() -> list[str]:
    """Codes of all errors but those that lie in the recording itself, which fails the same way each time."""
    return sorted(kind.__name__ for kind in _below(ChasquiError) if not issubclass(kind, Rejected))


def known() -> list[str]:
    """Codes of all errors."""
    return sorted(kind.__name__ for kind in _below(errors.ChasquiError))


def _again(db: Db, old: Job, first: str, queue: str) -> Job | None:
    # Whoever asks for the same at the same moment waits for this lock, and finds what we ask for.
    lesson = db.get(Lesson, old.lesson_id, with_for_update=True) if old.lesson_id else None
    if lesson is None:
        return None
    mine = (Job.recording_id == old.recording_id, Job.lesson_id == lesson.id, Job.goal == old.goal)
    under_way = (Job.state.in_(("waiting", "running")), Job.cancel_s.is_(None))
    for job in db.scalars(select(Job).where(*mine, *under_way)):
        if job.settings == old.settings:
            return job
    return jobs.ask(
        db,
        school_id=old.school_id,
        owner_id=old.owner_id,
        lesson_id=lesson.id,
        recording_id=old.recording_id,
        goal=old.goal,
        first=first,
        queue=queue,
        settings=old.settings,
    )


def _failed(codes: Collection[str], after: tuple[float, str]) -> Any:
    """Failed jobs behind that place, in the order of their ends, whose lesson has no newer job."""
    newer = aliased(Job)
    same = (newer.recording_id == Job.recording_id, newer.lesson_id == Job.lesson_id, newer.id > Job.id)
    return (
        select(Job)
        .join(School, School.id == Job.school_id)
        .where(Job.state == "failed", Job.ended_s >= after[0], Job.error.in_(codes), School.closed_s.is_(None))
        .where(tuple_(Job.ended_s, Job.id) > tuple_(*after), Job.lesson_id.is_not(None))
        .where(~select(newer.id).where(*same).exists())
        .order_by(Job.ended_s, Job.id)
    )


def _below(kind: type[ChasquiError]) -> list[type[ChasquiError]]:
    return [one for child in kind.__subclasses__() for one in (child, *_below(child))]
