"""What a server that was ended in the middle left: finished where it is whole, thrown away where nobody wants it."""

from __future__ import annotations

import shutil
import time
from typing import Any

from sqlalchemy import delete, select, update

from chasqui.catalog import accounts, uploads
from chasqui.catalog.tables import Job, Lesson, School, Upload
from chasqui.web import tidy
from chasqui.web.incoming import Incoming

DATA = b"a recording, more or less"


def started(house: Any, data: bytes = DATA) -> str:
    """An upload of which nothing has come yet; its id."""
    teacher = accounts.who_by_token(house.catalog, house.tokens["ours", "teacher"])
    return uploads.begin(house.catalog, teacher, "a.mp3", len(data), 10**6, {"filename": "a.mp3"}).id


def lying(house: Any, upload_id: str, data: bytes = DATA) -> None:
    path = Incoming(house.service.incoming).path(upload_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def rows(house: Any, table: Any) -> list[Any]:
    with house.catalog.reading() as db:
        return list(db.scalars(select(table)))


def test_what_is_whole_becomes_a_lesson_when_the_server_starts(house: Any) -> None:
    whole, half = started(house), started(house)
    lying(house, whole)
    lying(house, half, DATA[:5])
    assert tidy.finish(house.app) == [whole]
    assert len(rows(house, Lesson)) == len(rows(house, Job)) == 1
    assert {upload.id: upload.state for upload in rows(house, Upload)} == {whole: "complete", half: "open"}
    assert tidy.finish(house.app) == []


def test_bytes_that_had_moved_already_become_a_lesson_too(house: Any) -> None:
    upload = started(house)
    lying(house, upload)
    tidy.finish(house.app)
    with house.catalog.writing() as db:  # as if the server had been killed just before it noted the lesson
        for table in (Job, Lesson):
            db.execute(delete(table))
        db.execute(update(Upload).values(state="open"))
    assert tidy.finish(house.app) == [upload]
    assert len(rows(house, Lesson)) == len(rows(house, Job)) == 1


def test_an_upload_of_which_only_the_name_is_known_is_left_alone(house: Any) -> None:
    """Another server may be moving its bytes at this moment."""
    uploads.recognised(house.catalog, started(house), "0123456789abcdef")
    assert tidy.finish(house.app) == []
    assert rows(house, Lesson) == []


def test_a_file_that_is_refused_does_not_keep_the_server_from_starting(house: Any) -> None:
    empty, whole = started(house), started(house)
    with house.catalog.writing() as db:
        db.execute(update(Upload).where(Upload.id == empty).values(bytes=0))
    lying(house, empty, b"")
    lying(house, whole)
    assert tidy.finish(house.app) == [whole]


def test_what_expired_and_what_belongs_to_nobody_goes(house: Any) -> None:
    late, live = started(house), started(house)
    for name in (late, live, "stray"):
        lying(house, name, DATA[:5])
    with house.catalog.writing() as db:
        db.execute(update(Upload).where(Upload.id == late).values(expires_s=time.time() - 1))
    assert sorted(tidy.clear(house.app)) == sorted([late, "stray"])
    assert [path.name for path in house.service.incoming.glob("*.part")] == [f"{live}.part"]
    with house.catalog.reading() as db:
        assert db.scalar(select(School.used_bytes).where(School.slug == "ours")) == len(DATA)
    assert tidy.clear(house.app) == []


def test_recordings_of_no_school_are_told_of(house: Any, caplog: Any) -> None:
    lying(house, whole := started(house))
    assert tidy.finish(house.app) == [whole]
    assert tidy.misplaced(house.app) == []
    (recording,) = house.store.recordings()
    shutil.move(house.store.root / recording, house.service.data / "store")  # where an earlier build had it
    assert tidy.misplaced(house.app) == [recording]
    assert "holds 1 recordings of no school" in caplog.text
