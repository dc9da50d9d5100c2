"""Lessons, units, channels, feedback and files, each as its people see them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from chasqui.catalog import uploads
from chasqui.catalog.tables import Job, Lesson, Letter, Person, School, Webhook
from chasqui.ingest import accept
from chasqui.records import Lesson as Packed
from chasqui.run.queue.work import Worker


def owner(house: Any, role: str = "teacher", school: str = "ours") -> Any:
    with house.catalog.reading() as db:
        wanted = (Person.role == role, Person.school_id == house.schools[school])
        return db.scalars(select(Person).where(*wanted)).one()


def lesson_of(house: Any, tmp_path: Any, text: str = "hola", school: str = "ours", done: bool = True) -> str:
    """A lesson that a teacher uploaded, made by a worker with tiny rooms."""
    from chasqui.catalog.permissions import Actor

    person = owner(house, school=school)
    actor = Actor(person.id, "teacher", house.schools[school])
    (tmp_path / "clase.mp3").write_text(text)
    request = accept(tmp_path / "clase.mp3", house.stores(house.schools[school]))
    upload = uploads.begin(house.catalog, actor, "clase.mp3", 4, 10**9, {})
    lesson, job = uploads.complete(house.catalog, upload.id, request.recording_id, "La papa", {}, "voice")
    if done and job is not None:
        worker = Worker("w", house.catalog, house.stores)
        while (stage := row(house, job.id).stage) and row(house, job.id).state == "waiting":
            worker.perform(job.id, stage)
    return str(lesson.id)


def row(house: Any, job_id: str) -> Job:
    with house.catalog.reading() as db:
        return db.get_one(Job, job_id)


def notices(house: Any) -> list[tuple[str, str]]:
    with house.catalog.reading() as db:
        letters = db.scalars(
            select(Letter).where(Letter.kind == "notice", Letter.address.contains("/lessons/")).order_by(Letter.number)
        )
        return [(letter.address, letter.body["event"]) for letter in letters]


@pytest.fixture
def lesson(house: Any, tmp_path: Any, fake_rooms: Any) -> str:
    return lesson_of(house, tmp_path)


def test_a_lesson_says_what_it_costs_once_it_is_made(house: Any, tmp_path: Any, fake_rooms: Any) -> None:
    early = lesson_of(house, tmp_path, done=False)
    ask = house.client()
    assert ask("PUT", f"lessons/{early}/publication").json["code"] == "NotMadeYet"
    with house.catalog.reading() as db:
        job = db.scalars(select(Job)).one()
    worker = Worker("w", house.catalog, house.stores)
    while row(house, job.id).state == "waiting":
        worker.perform(job.id, str(row(house, job.id).stage))
    shown = ask("GET", f"lessons/{early}").json
    packed = house.store.get(shown["recording_id"], "publish", Packed)
    assert shown["bytes"] == packed.bytes
    assert set(shown["files"]) == {blob.name for blob in packed.files}


def test_students_see_what_is_published_and_nothing_else(house: Any, lesson: str) -> None:
    student, teacher = house.client("student"), house.client()
    assert student("GET", f"lessons/{lesson}").status_code == 404
    assert student("GET", "lessons").json["items"] == []
    assert teacher("PUT", f"lessons/{lesson}/publication").json["state"] == "published"
    assert student("GET", f"lessons/{lesson}").json["title"] == "La papa"
    assert [one["id"] for one in student("GET", "lessons").json["items"]] == [lesson]
    assert house.client("student", "theirs")("GET", f"lessons/{lesson}").status_code == 404
    teacher("DELETE", f"lessons/{lesson}/publication")
    assert student("GET", f"lessons/{lesson}").status_code == 404


def test_publishing_twice_tells_once_and_taking_back_tells_too(house: Any, lesson: str) -> None:
    ask = house.client()
    for _ in range(2):
        ask("PUT", f"lessons/{lesson}/publication")
    ask("DELETE", f"lessons/{lesson}/publication")
    place = f"chasqui/ours/lessons/{lesson}"
    assert notices(house) == [(place, "lesson.made"), (place, "lesson.published"), (place, "lesson.withdrawn")]


def test_a_webhook_hears_what_it_asked_for(house: Any, lesson: str) -> None:
    person = owner(house)
    with house.catalog.writing() as db:
        facts = {"school_id": person.school_id, "owner_id": person.id, "url": "https://example.pe", "secret": "x"}
        db.add(Webhook(**facts, events=["lesson.published"]))
    ask = house.client()
    ask("PUT", f"lessons/{lesson}/publication")
    ask("DELETE", f"lessons/{lesson}/publication")
    with house.catalog.reading() as db:
        letters = db.scalars(select(Letter).where(Letter.kind == "webhook")).all()
    assert [letter.body["event"] for letter in letters] == ["lesson.published"]


def test_only_its_owner_and_the_administrator_change_it(house: Any, lesson: str) -> None:
    for role, status in (("teacher", 200), ("administrator", 200), ("creator", 403), ("student", 403), ("data", 403)):
        answer = house.client(role)("PATCH", f"lessons/{lesson}", {"title": f"by {role}"})
        assert answer.status_code == status, role
    assert house.client("administrator", "theirs")("PATCH", f"lessons/{lesson}", {"title": "x"}).status_code == 404
    assert house.client()("GET", f"lessons/{lesson}").json["title"] == "by administrator"
    assert house.client()("PATCH", f"lessons/{lesson}", {"title": "a\r\nb"}).status_code == 422
    assert house.client()("PATCH", f"lessons/{lesson}", {"state": "published"}).status_code == 422


def test_removing_it_frees_its_room_and_keeps_the_history(house: Any, lesson: str) -> None:
    assert house.client()("DELETE", f"lessons/{lesson}").status_code == 204
    assert house.client()("GET", f"lessons/{lesson}").status_code == 404
    with house.catalog.reading() as db:
        assert db.scalar(select(School.used_bytes).where(School.slug == "ours")) == 0
        assert db.scalar(select(Lesson.id)) is None
        assert db.scalar(select(Job.state)) == "done"


def test_made_again_with_other_options_is_another_job(house: Any, lesson: str) -> None:
    ask = house.client()
    first = ask("POST", f"lessons/{lesson}/jobs", {"target": "clear"})
    assert (first.status_code, first.json["state"]) == (201, "waiting")
    assert ask("POST", f"lessons/{lesson}/jobs", {"target": "clear"}).json["id"] == first.json["id"]
    assert ask("POST", f"lessons/{lesson}/jobs", {"target": "understood"}).json["id"] != first.json["id"]
    assert ask("GET", f"jobs/{first.json['id']}").json["state"] == "cancelled"


def test_wishes_that_change_again_and_again_fill_no_queue(house: Any, lesson: str) -> None:
    ask = house.client()
    wishes = [ask("POST", f"lessons/{lesson}/jobs", {"budget_bytes": size}).json["id"] for size in range(1000, 1020)]
    waiting = [one["id"] for one in ask("GET", "jobs?limit=100").json["items"] if one["state"] == "waiting"]
    assert waiting == wishes[-1:]


def test_a_key_makes_a_request_once(house: Any) -> None:
    ask, key = house.client(), {"Idempotency-Key": "a-1"}
    first = ask("POST", "units", {"title": "La papa"}, headers=key)
    again = ask("POST", "units", {"title": "La papa"}, headers=key)
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(ask("GET", "units").json["items"]) == 1
    assert ask("POST", "units", {"title": "El maíz"}, headers=key).json["code"] == "OtherRequest"
    assert house.client("creator")("POST", "units", {"title": "El maíz"}, headers=key).status_code == 201
    assert ask("POST", "units", {"title": ""}, headers={"Idempotency-Key": "a-2"}).status_code == 422
    assert ask("POST", "units", {"title": "Ya"}, headers={"Idempotency-Key": "a-2"}).status_code == 201


def test_a_unit_is_an_order_and_a_weight(house: Any, tmp_path: Any, fake_rooms: Any) -> None:
    first, second = lesson_of(house, tmp_path, "hola"), lesson_of(house, tmp_path, "adiós")
    ask = house.client()
    unit = ask("POST", "units", {"title": "Semana 1", "budget_bytes": 5000}).json["id"]
    full = ask("PUT", f"units/{unit}/lessons", {"lessons": [second, first]}).json
    assert full["lessons"] == [second, first]
    assert full["bytes"] == sum(ask("GET", f"lessons/{one}").json["bytes"] for one in (first, second))
    ask("PUT", f"lessons/{first}/publication")
    assert house.client("student")("GET", f"units/{unit}").json["lessons"] == [first]
    foreign = lesson_of(house, tmp_path, "hola", "theirs")
    assert ask("PUT", f"units/{unit}/lessons", {"lessons": [foreign]}).json["code"] == "UnknownThing"
    assert house.client("teacher", "theirs")("GET", f"units/{unit}").status_code == 404
    assert house.client("creator")("DELETE", f"units/{unit}").status_code == 403
    assert ask("DELETE", f"units/{unit}").status_code == 204


def test_an_open_channel_lets_everybody_hear_what_is_published_in_it(house: Any, lesson: str) -> None:
    ask, nobody = house.client(), house.client(None)
    channel = ask("POST", "channels", {"slug": "cuarto-b", "title": "4.º B", "open": True}).json["id"]
    assert ask("POST", "channels", {"slug": "cuarto-b", "title": "x"}).status_code == 409
    assert ask("PUT", f"channels/{channel}/lessons/{lesson}").status_code == 204
    assert nobody("GET", f"lessons/{lesson}/files/voice.opus").status_code == 401
    ask("PUT", f"lessons/{lesson}/publication")
    assert nobody("GET", f"lessons/{lesson}/files/voice.opus").status_code == 200
    assert ask("DELETE", f"channels/{channel}/lessons/{lesson}").status_code == 204
    assert nobody("GET", f"lessons/{lesson}/files/voice.opus").status_code == 401


def test_files_come_in_ranges_and_not_twice(house: Any, lesson: str) -> None:
    ask, path = house.client(), f"lessons/{lesson}/files/voice.opus"
    whole = ask("GET", path)
    assert whole.status_code == 200
    part = ask("GET", path, headers={"Range": "bytes=1-2"})
    assert (part.status_code, part.data) == (206, whole.data[1:3])
    assert ask("GET", path, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
    assert ask("GET", path, headers={"Range": "bytes=999999-"}).status_code == 416
    hashed = whole.headers["ETag"].strip('"')
    assert "immutable" in ask("GET", f"{path}?v={hashed[:16]}").headers["Cache-Control"]
    assert "immutable" not in ask("GET", f"{path}?v=0").headers["Cache-Control"]
    for name in ("../../secret", "..%2f..%2fsecret", ".hidden", "nothing.opus"):
        assert ask("GET", f"lessons/{lesson}/files/{name}").status_code in (404, 422)


def test_listeners_say_how_it_was_and_teachers_read_it(house: Any, lesson: str) -> None:
    student = house.client("student")
    assert student("POST", f"lessons/{lesson}/feedback", {"understood": 4}).status_code == 404
    house.client()("PUT", f"lessons/{lesson}/publication")
    said = student("POST", f"lessons/{lesson}/feedback", {"understood": 2, "at_s": 30, "text": "mucho ruido"})
    assert said.status_code == 201
    assert student("POST", f"lessons/{lesson}/feedback", {"understood": 6}).status_code == 422
    (read,) = house.client()("GET", f"lessons/{lesson}/feedback").json["items"]
    assert (read["understood"], read["text"]) == (2, "mucho ruido")
    assert "person_id" not in read
    assert student("GET", f"lessons/{lesson}/feedback").status_code == 403
    assert house.client("creator")("GET", f"lessons/{lesson}/feedback").status_code == 403
