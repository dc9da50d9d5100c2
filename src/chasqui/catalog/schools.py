"""Schools while they are open, and what closing one does. (`accounts.make_school` opens a new one.)

A closed school is there and nobody of it gets in. Within `KEPT_S` it can be opened again as it was, but for sessions,
tokens and links, which are made anew. After that the tidy-up takes its files, then `forget` its rows.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session as Db

from chasqui.catalog import Catalog, imports, jobs, lessons, uploads
from chasqui.catalog.tables import (
    Channel,
    Class,
    Import,
    Invitation,
    Job,
    Lesson,
    Letter,
    Person,
    Pupil,
    Reset,
    School,
    Session,
    Table,
    Token,
    Unit,
    Upload,
    Webhook,
)

#: From closing a school to the end of its files and rows: a month, for a mistake to be noticed and for a last copy.
KEPT_S = 30 * 86_400.0


def change(catalog: Catalog, school_id: str, values: Mapping[str, Any]) -> School:
    """Set some of its columns: `name`, `quota_bytes`, `language`, `licence`, `target`."""
    with catalog.writing() as db:
        school = db.get_one(School, school_id, with_for_update=True)
        for column, value in values.items():
            setattr(school, column, value)
        return school


def close(catalog: Catalog, school_id: str) -> School:
    """Let nobody in, take its lessons back with notices, stop its work; all at once. Twice is once."""
    with catalog.writing() as db:
        school = db.get_one(School, school_id, with_for_update=True)
        if school.closed_s is None:
            school.closed_s = time.time()
            _lock_out(db, school_id)
            _stop_work(db, school_id)
            published = (Lesson.school_id == school_id, Lesson.state == "published")
            for lesson in db.scalars(select(Lesson).where(*published).with_for_update()):
                lesson.state, lesson.withdrawn_s = "withdrawn", school.closed_s
                lessons.tell(db, lesson, "withdrawn")
        return school


def open_again(catalog: Catalog, school_id: str) -> School:
    """Let its people in again. What closing withdrew is published again, with notices. Twice is once."""
    with catalog.writing() as db:
        school = db.get_one(School, school_id, with_for_update=True)
        if school.closed_s is not None:
            withdrawn = (Lesson.school_id == school_id, Lesson.withdrawn_s == school.closed_s)
            for lesson in db.scalars(select(Lesson).where(*withdrawn).with_for_update()):
                lesson.state, lesson.withdrawn_s = "published", None
                lessons.tell(db, lesson, "published")
            school.closed_s = None
        return school


def due(catalog: Catalog) -> list[str]:
    """Ids of schools that were closed so long ago that nobody wants them back."""
    with catalog.reading() as db:
        return list(db.scalars(select(School.id).where(School.closed_s < time.time() - KEPT_S)))


def forget(catalog: Catalog, school_id: str) -> None:
    """Away with all rows of a school that is due; its short name may be used again."""
    with catalog.writing() as db:
        school = db.get(School, school_id, with_for_update=True)
        if school is None or school.closed_s is None or school.closed_s >= time.time() - KEPT_S:
            return  # another server was quicker, or it was opened again
        hooks = select(Webhook.id).where(Webhook.school_id == school_id)
        db.execute(delete(Letter).where(Letter.kind == "webhook", Letter.address.in_(hooks)))
        for table, of_school in _rows(school_id):
            db.execute(delete(table).where(of_school))


def _rows(school_id: str) -> list[tuple[type[Table], ColumnElement[bool]]]:
    """Tables in the order in which they can be emptied. What hangs on rows of these goes with them (`ondelete`)."""
    classes = select(Class.id).where(Class.school_id == school_id)
    own = (Webhook, Unit, Channel, Import, Upload, Job, Lesson)
    return [
        *((table, table.school_id == school_id) for table in own),
        (Pupil, Pupil.class_id.in_(classes)),
        *((table, table.school_id == school_id) for table in (Class, Invitation, Person)),
        (School, School.id == school_id),
    ]


def _lock_out(db: Db, school_id: str) -> None:
    people = select(Person.id).where(Person.school_id == school_id)
    for table in (Session, Reset):
        db.execute(delete(table).where(table.person_id.in_(people)))
    good = (Token.person_id.in_(people), Token.revoked_s.is_(None))
    db.execute(update(Token).where(*good).values(revoked_s=time.time()))
    db.execute(delete(Invitation).where(Invitation.school_id == school_id, Invitation.used_s.is_(None)))


def _stop_work(db: Db, school_id: str) -> None:
    under_way = or_(Job.state == "waiting", Job.state == "running")
    for job in db.scalars(select(Job).where(Job.school_id == school_id, under_way).with_for_update()):
        jobs.stop(job)
    imports.stop(db, Import.school_id == school_id)
    for upload in db.scalars(select(Upload).where(Upload.school_id == school_id, Upload.state == "open")):
        uploads.drop(db, upload)  # its bytes belong to no upload under way any more; the tidy-up takes them
