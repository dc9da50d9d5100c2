"""Lessons of schools, and what is made of them: units, channels, what listeners say."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as Db

from chasqui.catalog import Catalog, webhooks
from chasqui.catalog.tables import Channel, ChannelLesson, Job, Lesson, Letter, School, Unit, UnitLesson, Upload
from chasqui.errors import NotMadeYet, SchoolClosed, UnknownThing

#: Lessons announced in one transaction: others want to write too.
TOGETHER = 100


def made(db: Db, job: Job, facts: Mapping[str, Any]) -> None:
    """What came of a job, noted where lists find it. A lesson that is out already is told of again.

    Part of the transaction that ends the job.
    """
    lesson = db.get(Lesson, job.lesson_id, with_for_update=True) if job.lesson_id else None
    if lesson is None:  # removed meanwhile
        return
    lesson.facts = dict(facts)
    tell(db, lesson, "made")
    if lesson.state == "published":
        tell(db, lesson, "published")


def publish(catalog: Catalog, lesson_id: str) -> Lesson:
    """Let the school have it; publishing it again changes nothing.

    Raises:
        NotMadeYet: there is nothing to hear yet.
        SchoolClosed: while it was asked for.
    """
    with catalog.writing() as db:
        _hold_open(db, db.get_one(Lesson, lesson_id).school_id)
        lesson = db.get_one(Lesson, lesson_id, with_for_update=True, populate_existing=True)
        if not lesson.facts:
            raise NotMadeYet(title=lesson.title)
        if lesson.state != "published":
            lesson.state, lesson.published_s, lesson.withdrawn_s = "published", time.time(), None
            tell(db, lesson, "published")
        return lesson


def _hold_open(db: Db, school_id: str) -> None:
    """Nobody closes the school before this transaction is over."""
    if db.get_one(School, school_id, with_for_update={"read": True}).closed_s is not None:
        raise SchoolClosed()


def withdraw(catalog: Catalog, lesson_id: str) -> Lesson:
    """Take it back; what phones have they keep until they ask again."""
    with catalog.writing() as db:
        lesson = db.get_one(Lesson, lesson_id, with_for_update=True)
        if lesson.state == "published":
            lesson.state = "withdrawn"
            tell(db, lesson, "withdrawn")
        return lesson


def remove(catalog: Catalog, lesson_id: str) -> None:
    """Away with it, from units and channels too; the room of its upload is free again. Its jobs stay as history."""
    with catalog.writing() as db:
        # Schools, jobs, lessons: everybody who locks more than one of them does so in this order.
        db.get_one(School, db.get_one(Lesson, lesson_id).school_id, with_for_update=True)
        for job in db.scalars(select(Job).where(Job.lesson_id == lesson_id).order_by(Job.id).with_for_update()):
            job.lesson_id = None
            if job.state in ("waiting", "running"):
                job.cancel_s = job.cancel_s or time.time()
        lesson = db.get_one(Lesson, lesson_id, with_for_update=True, populate_existing=True)
        if lesson.state == "published":
            tell(db, lesson, "withdrawn")
        sent = (Upload.school_id == lesson.school_id, Upload.recording_id == lesson.recording_id)
        for upload in db.scalars(select(Upload).where(*sent, Upload.state == "complete")):
            upload.state = "ended"
            freed = School.used_bytes - upload.bytes
            db.execute(update(School).where(School.id == lesson.school_id).values(used_bytes=freed))
        db.flush()
        db.delete(lesson)


def tell(db: Db, lesson: Lesson, what: str) -> None:
    """Notices of what became of a lesson: to the broker and to webhooks."""
    webhooks.tell(db, lesson.school_id, f"lesson.{what}", f"lessons/{lesson.id}", {"lesson": shown(lesson)})


def announce(catalog: Catalog) -> int:
    """Tell a broker that knows nothing of all that is published; how many lessons it had to be told of."""
    count, last = 0, ""
    while True:
        with catalog.writing() as db:
            # Locked, so that none is withdrawn between this look and its letter.
            wanted = select(Lesson).where(Lesson.state == "published", Lesson.id > last).order_by(Lesson.id)
            found = db.scalars(wanted.limit(TOGETHER).with_for_update()).all()
            waiting = select(Letter.address).where(Letter.kind == "notice", Letter.sent_s.is_(None))
            told = {address.rpartition("/")[2] for address in db.scalars(waiting)}
            for lesson in found:
                if lesson.id not in told:  # else it will hear of it anyhow
                    place = f"lessons/{lesson.id}"
                    webhooks.notify(db, lesson.school_id, "lesson.published", place, {"lesson": shown(lesson)})
                    count += 1
        if not found:
            return count
        last = found[-1].id


def shown(lesson: Lesson) -> dict[str, Any]:
    """A lesson as lists and notices show it."""
    fields = ("id", "school_id", "owner_id", "recording_id", "title", "language", "licence", "consent", "state")
    return {field: getattr(lesson, field) for field in fields} | {
        "created_s": lesson.created_s,
        "published_s": lesson.published_s,
        **lesson.facts,
    }


def put_in_unit(catalog: Catalog, unit_id: str, lesson_ids: Sequence[str]) -> None:
    """The lessons of a unit, in this order.

    Raises:
        UnknownThing: a lesson that the school does not have.
    """
    with catalog.writing() as db:
        unit = db.get_one(Unit, unit_id, with_for_update=True)
        _of_school(db, unit.school_id, lesson_ids)
        db.execute(delete(UnitLesson).where(UnitLesson.unit_id == unit_id))
        for place, lesson_id in enumerate(dict.fromkeys(lesson_ids)):
            db.add(UnitLesson(unit_id=unit_id, lesson_id=lesson_id, place=place))


def put_in_channel(catalog: Catalog, channel_id: str, lesson_id: str) -> None:
    """A lesson in a channel; twice is once.

    Raises:
        UnknownThing
    """
    with catalog.writing() as db:
        channel = db.get_one(Channel, channel_id, with_for_update=True)
        _of_school(db, channel.school_id, [lesson_id])
        if db.get(ChannelLesson, (channel_id, lesson_id)) is None:
            db.add(ChannelLesson(channel_id=channel_id, lesson_id=lesson_id))


def is_open(db: Db, lesson_id: str) -> bool:
    """Whether everybody may hear it: it is published in a channel that is open to all."""
    wanted = (
        select(ChannelLesson.lesson_id)
        .join(Channel, Channel.id == ChannelLesson.channel_id)
        .join(Lesson, Lesson.id == ChannelLesson.lesson_id)
        .where(ChannelLesson.lesson_id == lesson_id, Channel.open.is_(True), Lesson.state == "published")
    )
    return db.scalar(wanted.limit(1)) is not None


def _of_school(db: Db, school_id: str, lesson_ids: Sequence[str]) -> None:
    wanted = select(Lesson.id).where(Lesson.school_id == school_id, Lesson.id.in_(lesson_ids))
    if unknown := set(lesson_ids) - set(db.scalars(wanted)):
        raise UnknownThing(kind="lesson", name=", ".join(sorted(unknown)))
