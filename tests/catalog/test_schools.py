"""Schools: changed, closed, opened again, forgotten."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select, update

from chasqui.catalog import Catalog, accounts, imports, jobs, lessons, schools, uploads
from chasqui.catalog.permissions import Actor
from chasqui.catalog.tables import (
    Channel,
    ChannelLesson,
    Feedback,
    Import,
    Invitation,
    Job,
    Lesson,
    Letter,
    Person,
    School,
    Token,
    Unit,
    UnitLesson,
    Upload,
    Webhook,
)
from chasqui.errors import LinkSpent, NotSignedIn, SchoolClosed

PASSWORD = "la llama come ichu"
RECORDING, SHARED = "a" * 16, "b" * 16


@pytest.fixture
def rosa(catalog: Catalog) -> Actor:
    school = accounts.make_school(catalog, "ie-40", "I. E. 40").id
    return accounts.accept(catalog, accounts.invite(catalog, school, "creator"), "Rosa", "rosa@example.pe", PASSWORD)


def lesson(catalog: Catalog, owner: Actor, state: str = "published", recording_id: str = RECORDING) -> str:
    facts = {"school_id": owner.school_id, "owner_id": owner.person_id, "recording_id": recording_id}
    with catalog.writing() as db:
        db.add(made := Lesson(**facts, title="La papa", state=state, facts={"bytes": 5}))
        db.flush()
        return made.id


def told(catalog: Catalog, event: str) -> int:
    with catalog.reading() as db:
        letters = db.scalars(select(Letter).where(Letter.kind == "notice")).all()
    return sum(letter.body["event"] == event for letter in letters)


def closed_long_ago(catalog: Catalog, school_id: str) -> None:
    with catalog.writing() as db:
        old = time.time() - schools.KEPT_S - 1
        db.execute(update(School).where(School.id == school_id).values(closed_s=old))


def test_nobody_of_a_closed_school_is_in_or_gets_in(catalog: Catalog, rosa: Actor) -> None:
    session = accounts.sign_in(catalog, "rosa@example.pe", PASSWORD).session
    token = accounts.make_token(catalog, rosa, "laptop", ["lessons.read"])
    room = accounts.make_class(catalog, str(rosa.school_id), rosa.person_id, "4.º B")
    pupil = accounts.enter_class(catalog, room.code, "Wayra").session
    link = accounts.invite(catalog, rosa.school_id, "teacher")
    assert schools.close(catalog, str(rosa.school_id)).closed_s
    for held in (session, pupil):
        with pytest.raises(NotSignedIn):
            accounts.who(catalog, held)
    with pytest.raises(NotSignedIn):
        accounts.who_by_token(catalog, token)
    with pytest.raises(SchoolClosed):
        accounts.sign_in(catalog, "rosa@example.pe", PASSWORD)
    with pytest.raises(SchoolClosed):
        accounts.enter_class(catalog, room.code, "Inti")
    with pytest.raises(LinkSpent):
        accounts.accept(catalog, link, "Otra", "otra@example.pe", PASSWORD)
    schools.open_again(catalog, str(rosa.school_id))
    assert accounts.sign_in(catalog, "rosa@example.pe", PASSWORD).actor == rosa
    assert accounts.enter_class(catalog, room.code, "Wayra")
    with pytest.raises(NotSignedIn):  # ended is ended
        accounts.who_by_token(catalog, token)


def test_a_session_that_was_begun_at_the_very_moment_of_closing_is_none(catalog: Catalog, rosa: Actor) -> None:
    session = accounts.sign_in(catalog, "rosa@example.pe", PASSWORD).session
    token = accounts.make_token(catalog, rosa, "laptop", ["lessons.read"])
    with catalog.writing() as db:
        db.execute(update(School).values(closed_s=time.time()))
    with pytest.raises(NotSignedIn):
        accounts.who(catalog, session)
    with pytest.raises(NotSignedIn):
        accounts.who_by_token(catalog, token)


def test_closing_withdraws_with_notices_and_opening_publishes_just_that_again(catalog: Catalog, rosa: Actor) -> None:
    out = lesson(catalog, rosa)
    before = lesson(catalog, rosa, "withdrawn", SHARED)
    closed = [schools.close(catalog, str(rosa.school_id)).closed_s for _ in range(2)]
    assert closed[0] == closed[1]
    assert told(catalog, "lesson.withdrawn") == 1
    with catalog.reading() as db:
        assert {one.id: one.state for one in db.scalars(select(Lesson))} == {out: "withdrawn", before: "withdrawn"}
    with pytest.raises(SchoolClosed):
        lessons.publish(catalog, out)
    for _ in range(2):
        assert schools.open_again(catalog, str(rosa.school_id)).closed_s is None
    assert told(catalog, "lesson.published") == 1
    with catalog.reading() as db:
        assert {one.id: one.state for one in db.scalars(select(Lesson))} == {out: "published", before: "withdrawn"}


def test_closing_stops_its_work_and_frees_its_room(catalog: Catalog, rosa: Actor) -> None:
    facts = {"school_id": str(rosa.school_id), "owner_id": rosa.person_id, "recording_id": RECORDING}
    with catalog.writing() as db:
        waiting, running = (jobs.ask(db, **facts, goal="publish", first="ingest", queue="voice").id for _ in range(2))
    jobs.take(catalog, running, "ingest", "w")
    uploads.begin(catalog, rosa, "a.mp3", 10, 100, {})
    imports.ask(catalog, rosa, "https://x.example/a", {})
    schools.close(catalog, str(rosa.school_id))
    with catalog.reading() as db:
        assert db.get_one(Job, waiting).state == "cancelled"
        assert db.get_one(Job, running).cancel_s
        assert [one.state for one in db.scalars(select(Upload))] == ["ended"]
        assert [one.state for one in db.scalars(select(Import))] == ["cancelled"]
        assert db.get_one(School, str(rosa.school_id)).used_bytes == 0
    assert not jobs.beat(catalog, running, "w")


def test_what_new_lessons_begin_with_is_the_schools_word_unless_somebody_says_otherwise(
    catalog: Catalog, rosa: Actor
) -> None:
    schools.change(catalog, str(rosa.school_id), {"language": "qu", "licence": "CC BY 4.0", "target": "clear"})
    assert uploads.begin(catalog, rosa, "a.mp3", 1, 100, {"language": "es"}).facts == {
        "language": "es",
        "licence": "CC BY 4.0",
        "target": "clear",
    }
    assert "target" not in uploads.begin(catalog, rosa, "a.mp3", 1, 100, {"budget": "2MB"}).facts


def test_a_school_is_forgotten_whole_and_no_other_is(catalog: Catalog, rosa: Actor) -> None:
    other = accounts.make_school(catalog, "ie-41", "I. E. 41").id
    wayra = accounts.accept(catalog, accounts.invite(catalog, other, "creator"), "Wayra", "w@example.pe", PASSWORD)
    lesson(catalog, wayra, recording_id=SHARED)
    school, mine = str(rosa.school_id), lesson(catalog, rosa)
    lesson(catalog, rosa, recording_id=SHARED)
    own = {"school_id": school, "owner_id": rosa.person_id}
    with catalog.writing() as db:
        db.add(unit := Unit(**own, title="Unidad"))
        db.add(channel := Channel(**own, slug="canal", title="Canal"))
        db.add(hook := Webhook(**own, url="https://x.example/", secret="s", events=[]))
        db.add(Feedback(lesson_id=mine, person_id=rosa.person_id, understood=5))
        db.flush()
        db.add(UnitLesson(unit_id=unit.id, lesson_id=mine, place=0))
        db.add(ChannelLesson(channel_id=channel.id, lesson_id=mine))
        jobs.ask(db, **own, lesson_id=mine, recording_id=RECORDING, goal="publish", first="ingest", queue="voice")
    room = accounts.make_class(catalog, school, rosa.person_id, "4.º B")
    accounts.enter_class(catalog, room.code, "Inti")
    accounts.make_token(catalog, rosa, "laptop", [])
    accounts.invite(catalog, school, "teacher")
    uploads.begin(catalog, rosa, "a.mp3", 10, 100, {})
    imports.ask(catalog, rosa, "https://x.example/a", {})
    schools.close(catalog, school)
    assert schools.due(catalog) == []
    schools.forget(catalog, school)
    with catalog.reading() as db:
        assert db.get(School, school), "not yet"
        assert db.scalars(select(Letter).where(Letter.address == hook.id)).all()
    closed_long_ago(catalog, school)
    assert schools.due(catalog) == [school]
    for _ in range(2):
        schools.forget(catalog, school)
    with catalog.reading() as db:
        assert [one.slug for one in db.scalars(select(School))] == ["ie-41"]
        assert [one.name for one in db.scalars(select(Person))] == ["Wayra"]
        assert [one.recording_id for one in db.scalars(select(Lesson))] == [SHARED]
        for table in (Unit, Channel, Webhook, Feedback, UnitLesson, ChannelLesson, Job, Token, Upload, Import):
            assert db.scalars(select(table)).all() == [], table
        assert {one.school_id for one in db.scalars(select(Invitation))} == {other}
        assert not db.scalars(select(Letter).where(Letter.address == hook.id)).all()
    assert accounts.make_school(catalog, "ie-40", "I. E. 40").id != school
