"""Lessons asked for once more: with other settings, or because work failed or was cancelled.

An end is an end: what ended stays as it was and is told of no second time. Trying again is a new job for the same
lesson, of the same owner, with the same settings; stages whose records are there are passed over.

The newest wish counts. A lesson has one set of files, so all else that is under way for it is cancelled in the
transaction that asks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session as Db
from sqlalchemy.orm import aliased

from chasqui import errors
from chasqui.catalog import Catalog, jobs
from chasqui.catalog.tables import Job, Lesson, School
from chasqui.errors import ChasquiError, NothingToRetry, Rejected, SchoolClosed, UnknownThing

#: Jobs asked for by one call, and by one transaction of it: others want to write too.
MOST, TOGETHER = 1000, 50


def otherwise(
    catalog: Catalog, lesson_id: str, owner_id: str, settings: Mapping[str, Any], first: str, queue: str
) -> Job:
    """The job that makes a lesson with these settings: a new one, or that which does so already.

    Raises:
        UnknownThing: it was removed meanwhile. SchoolClosed: while it was asked for.
    """
    with catalog.writing() as db:
        lesson = db.get(Lesson, lesson_id)
        if lesson is None:
            raise UnknownThing(kind="lesson", name=lesson_id)
        if not _held_open(db, lesson.school_id):
            raise SchoolClosed()
        job = _wish(db, lesson_id, owner_id, "publish", settings, first, queue)
        if job is None:
            raise UnknownThing(kind="lesson", name=lesson_id)
        return job


def again(catalog: Catalog, job_id: str, first: str, queue: str) -> Job:
    """The job that tries it again: a new one, or that which does so already.

    Raises:
        NothingToRetry: it did not fail and was not cancelled, or its lesson is gone.
    """
    with catalog.writing() as db:
        old = db.get_one(Job, job_id)
        if old.state not in ("failed", "cancelled"):
            raise NothingToRetry(job=job_id, why=f"it is {old.state}")
        if not _held_open(db, old.school_id):
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
    if old.lesson_id is None or not _held_open(db, old.school_id):
        return None
    return _wish(db, old.lesson_id, old.owner_id, old.goal, old.settings, first, queue)


def _held_open(db: Db, school_id: str) -> bool:
    """Whether a school is open; nobody closes it, and nobody removes a lesson of it, before this transaction is over.

    Taken before jobs and lessons, as everybody does who locks more than one of the three.
    """
    return db.get_one(School, school_id, with_for_update={"read": True}).closed_s is None


def _wish(
    db: Db, lesson_id: str, owner_id: str, goal: str, settings: Mapping[str, Any], first: str, queue: str
) -> Job | None:
    """The one job that is under way for the lesson from now on. None: the lesson is gone."""
    mine = select(Job).where(Job.lesson_id == lesson_id).order_by(Job.id)
    # Whoever wishes at the same moment waits for these locks, and then finds what we ask for: hence the second look.
    db.execute(mine.with_only_columns(Job.id).with_for_update())
    lesson = db.get(Lesson, lesson_id, populate_existing=True)
    if lesson is None:
        return None
    same = None
    under_way = mine.where(Job.state.in_(("waiting", "running")), Job.cancel_s.is_(None)).with_for_update()
    for job in db.scalars(under_way, execution_options={"populate_existing": True}).all():
        if same is None and (job.goal, job.settings) == (goal, settings):
            same = job
        else:
            jobs.stop(job)
    return same or jobs.ask(
        db,
        school_id=lesson.school_id,
        owner_id=owner_id,
        lesson_id=lesson_id,
        recording_id=lesson.recording_id,
        goal=goal,
        first=first,
        queue=queue,
        settings=settings,
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
