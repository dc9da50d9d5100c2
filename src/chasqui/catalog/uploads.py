"""Files on their way in: room reserved before the first byte, given back when nothing comes of it, and turned into a
lesson and its job in one transaction when all is there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session as Db

from chasqui.catalog import Catalog, jobs
from chasqui.catalog.permissions import Actor
from chasqui.catalog.tables import Job, Lesson, School, Upload
from chasqui.errors import EmptyFile, NoRoom, NotAllowed, TooLarge, UnknownThing, UploadOver

#: Links in the mountains come back after days, not weeks.
KEPT_S = 7 * 86_400.0
#: Uploads of one person that are under way at once: a folder of a class, not a loop gone wrong.
MOST_OPEN = 100
FIRST_STAGE = "ingest"


def begin(catalog: Catalog, actor: Actor, name: str, size: int, most: int, facts: Mapping[str, str]) -> Upload:
    """Room for a file of this size.

    Raises:
        EmptyFile: there is nothing to wait for.
        TooLarge: more than one file may have.
        NoRoom: the school's room is used up, by what is there and what is on its way.
        NotAllowed: too many at once.
    """
    if size == 0:
        raise EmptyFile(name=name)
    if size > most:
        raise TooLarge(name=name, bytes=size, most=most)
    with catalog.writing() as db:
        school = db.get(School, actor.school_id, with_for_update=True) if actor.school_id else None
        if school is None or school.closed_s:
            raise NotAllowed(why="school")
        if school.quota_bytes is not None and school.used_bytes + size > school.quota_bytes:
            raise NoRoom(name=name, bytes=size, left=max(0, school.quota_bytes - school.used_bytes))
        under_way = select(Upload.id).where(Upload.owner_id == actor.person_id, Upload.state == "open")
        if len(db.scalars(under_way.limit(MOST_OPEN)).all()) == MOST_OPEN:
            raise NotAllowed(why=f"{MOST_OPEN} uploads")
        school.used_bytes += size
        upload = Upload(
            school_id=school.id,
            owner_id=actor.person_id,
            name=name,
            bytes=size,
            facts=_wishes(school, facts) | dict(facts),
            expires_s=time.time() + KEPT_S,
        )
        db.add(upload)
        return upload


def room(catalog: Catalog, school_id: str | None) -> int | None:
    """Bytes that a school has left; None: as much as it likes."""
    with catalog.reading() as db:
        school = db.get(School, school_id) if school_id else None
    if school is None or school.quota_bytes is None:
        return None
    return max(0, school.quota_bytes - school.used_bytes)


def settle(catalog: Catalog, upload_id: str, size: int) -> Upload:
    """It has so many bytes, not those that room was kept for: what is too much is free again."""
    with catalog.writing() as db:
        upload = db.get_one(Upload, upload_id, with_for_update=True)
        if upload.state == "open" and upload.bytes != size:
            used = School.used_bytes - upload.bytes + size
            db.execute(update(School).where(School.id == upload.school_id).values(used_bytes=used))
            upload.bytes = size
        return upload


def find(catalog: Catalog, upload_id: str) -> Upload:
    """The upload of that id.

    Raises:
        UnknownThing
    """
    with catalog.reading() as db:
        upload = db.get(Upload, upload_id)
    if upload is None:
        raise UnknownThing(kind="upload", name=upload_id)
    return upload


def note(catalog: Catalog, upload_id: str, received: int) -> None:
    """So many bytes are on the disk; there is time again for the rest."""
    values = {"received_bytes": received, "expires_s": time.time() + KEPT_S}
    with catalog.writing() as db:
        db.execute(update(Upload).where(Upload.id == upload_id, Upload.state == "open").values(**values))


def recognised(catalog: Catalog, upload_id: str, recording_id: str) -> None:
    """Which recording it is, noted before its bytes move: after a crash in between, this says where they are.

    Raises:
        UploadOver: it was given up meanwhile, and its room is free again.
    """
    with catalog.writing() as db:
        upload = db.get_one(Upload, upload_id, with_for_update=True)
        if upload.state == "ended":
            raise UploadOver(why="ended")
        upload.recording_id = recording_id


def complete(
    catalog: Catalog, upload_id: str, recording_id: str, title: str, settings: Mapping[str, Any], queue: str
) -> tuple[Lesson, Job | None]:
    """The lesson that came of it, and the job that makes it; None where it is made already.

    Twice the same recording in one school is one lesson. Calling this again changes nothing.

    Raises:
        UploadOver: it was given up meanwhile.
    """
    with catalog.writing() as db:
        upload = db.get_one(Upload, upload_id, with_for_update=True)
        if upload.state == "ended":
            raise UploadOver(why="ended")
        lesson = _lesson(db, upload, recording_id, title)
        wanted = (Job.state.not_in(("failed", "cancelled")), Job.cancel_s.is_(None))
        running = db.scalar(select(Job).where(Job.lesson_id == lesson.id, *wanted).order_by(Job.id.desc()).limit(1))
        if upload.state == "complete" or running is not None:
            _close(db, upload, "complete", keep=upload.state == "complete")
            upload.recording_id = recording_id
            return lesson, running
        upload.state, upload.recording_id, upload.received_bytes = "complete", recording_id, upload.bytes
        job = jobs.ask(
            db,
            school_id=upload.school_id,
            owner_id=upload.owner_id,
            lesson_id=lesson.id,
            recording_id=recording_id,
            goal="publish",
            first=FIRST_STAGE,
            queue=queue,
            settings=settings,
        )
        return lesson, job


def end(catalog: Catalog, upload_id: str) -> bool:
    """Nothing comes of it: its room is free again. False: it had ended before, or is complete."""
    with catalog.writing() as db:
        upload = db.get(Upload, upload_id, with_for_update=True)
        if upload is None or upload.state != "open":
            return False
        drop(db, upload)
        return True


def drop(db: Db, upload: Upload) -> None:
    """The same for one that is open, as a part of the caller's transaction."""
    _close(db, upload, "ended")


def expired(catalog: Catalog) -> list[str]:
    """Ids of uploads that nobody goes on with."""
    with catalog.reading() as db:
        late = (Upload.state == "open", Upload.expires_s < time.time())
        return list(db.scalars(select(Upload.id).where(*late)))


def unfinished(catalog: Catalog) -> list[Upload]:
    """Uploads under way, oldest first."""
    with catalog.reading() as db:
        return list(db.scalars(select(Upload).where(Upload.state == "open").order_by(Upload.id)))


def _wishes(school: School, facts: Mapping[str, str]) -> dict[str, str]:
    """What the school wants of new lessons. Whoever names a budget wants the best promise that it keeps."""
    target = None if facts.get("budget") else school.target
    wishes = {"language": school.language, "licence": school.licence, "target": target}
    return {name: said for name, said in wishes.items() if said}


def _lesson(db: Db, upload: Upload, recording_id: str, title: str) -> Lesson:
    wanted = (Lesson.school_id == upload.school_id, Lesson.recording_id == recording_id)
    if lesson := db.scalar(select(Lesson).where(*wanted)):
        return lesson
    facts = upload.facts
    lesson = Lesson(
        school_id=upload.school_id,
        owner_id=upload.owner_id,
        recording_id=recording_id,
        title=title,
        language=facts.get("language"),
        licence=facts.get("licence"),
        consent=facts.get("consent", "").lower() in ("true", "1", "yes", "sí", "si"),
    )
    db.add(lesson)
    db.flush()
    return lesson


def _close(db: Db, upload: Upload, state: str, keep: bool = False) -> None:
    """`keep`: its bytes count on, because they are kept."""
    if not keep:
        db.execute(
            update(School).where(School.id == upload.school_id).values(used_bytes=School.used_bytes - upload.bytes)
        )
    upload.state = state
