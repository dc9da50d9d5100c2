"""Schools over HTTP: what administrators and operators set, closing, and what becomes of files."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from chasqui.catalog import accounts, schools
from chasqui.catalog.permissions import Actor
from chasqui.catalog.tables import Lesson, School
from chasqui.records import Record
from chasqui.web import tidy


class Note(Record):
    text: str


def lesson(house: Any, recording_id: str, school: str = "ours") -> None:
    owner: Actor = accounts.who_by_token(house.catalog, house.tokens[school, "teacher"])
    facts = {"school_id": owner.school_id, "owner_id": owner.person_id, "recording_id": recording_id}
    with house.catalog.writing() as db:
        db.add(Lesson(**facts, title="La papa", state="published", facts={"bytes": 5}))
    house.stores(house.schools[school]).put(recording_id, "request", Note(text="a recording"), "key")


def test_an_administrator_says_what_new_lessons_begin_with(house: Any) -> None:
    ask = house.client("administrator")
    told = ask(
        "PATCH", "school", {"name": "I. E. 40", "language": "qu", "licence": "CC BY 4.0", "target": "clear"}
    ).json
    assert [told[name] for name in ("name", "language", "licence", "target")] == [
        "I. E. 40",
        "qu",
        "CC BY 4.0",
        "clear",
    ]
    told = ask("PATCH", "school", {"name": None, "language": None}).json
    assert [told[name] for name in ("name", "language", "licence")] == ["I. E. 40", None, "CC BY 4.0"]
    assert ask("PATCH", "school", {"quota_bytes": 1}).status_code == 422
    assert ask("PATCH", "school", {"target": "loud"}).status_code == 422
    assert house.client("teacher")("PATCH", "school", {"name": "Mía"}).status_code == 403


def test_an_operator_sets_the_quota_and_takes_it_away(house: Any) -> None:
    ask, ours = house.client("operator"), house.schools["ours"]
    assert ask("PATCH", f"schools/{ours}", {"quota_bytes": 1000}).json["quota_bytes"] == 1000
    assert ask("PATCH", f"schools/{ours}", {"name": "Nueva"}).json["quota_bytes"] == 1000
    assert ask("PATCH", f"schools/{ours}", {"quota_bytes": None}).json["quota_bytes"] is None
    assert {one["name"] for one in ask("GET", "schools").json["items"]} == {"Nueva", "theirs"}


def test_a_closed_school_is_not_there_for_anybody_but_operators(house: Any) -> None:
    ask, ours, recording = house.client("operator"), house.schools["ours"], "a" * 16
    lesson(house, recording)
    closed = ask("PUT", f"schools/{ours}/closure").json
    assert closed["kept_until_s"] == closed["closed_s"] + schools.KEPT_S
    assert ask("PUT", f"schools/{ours}/closure").json == closed
    for role in ("student", "administrator"):
        assert house.client(role)("GET", "lessons").status_code == 401
    assert house.client("administrator", "theirs")("GET", "lessons").status_code == 200
    assert ask("POST", "invitations", {"role": "teacher", "school_id": ours}).status_code == 404
    assert tidy.forget(house.app) == []
    assert ask("DELETE", f"schools/{ours}/closure").json["closed_s"] is None
    assert ask("POST", "invitations", {"role": "teacher", "school_id": ours}).status_code == 201
    assert house.store.recordings() == [recording]


def test_a_month_later_all_its_files_are_gone_and_nobody_elses(house: Any) -> None:
    own, shared, ours = "a" * 16, "b" * 16, house.schools["ours"]
    lesson(house, own)
    lesson(house, shared)
    lesson(house, shared, "theirs")
    house.client("operator")("PUT", f"schools/{ours}/closure")
    with house.catalog.writing() as db:
        late = School.closed_s - schools.KEPT_S - 1
        db.execute(update(School).where(School.id == ours).values(closed_s=late))
    assert tidy.forget(house.app) == [ours]
    assert house.store.recordings() == []
    assert house.stores(house.schools["theirs"]).recordings() == [shared]
    assert [path.name for path in (house.service.data / "store").iterdir()] == [house.schools["theirs"]]
    assert house.client("operator")("GET", f"schools/{ours}").status_code == 404
    assert house.client("administrator", "theirs")("GET", "lessons").json["items"]
    assert tidy.forget(house.app) == []


def test_a_store_that_is_away_keeps_the_rows_for_the_next_time(house: Any, monkeypatch: Any) -> None:
    from chasqui.errors import ServiceDown

    ours = house.schools["ours"]
    lesson(house, "a" * 16)
    schools.close(house.catalog, ours)
    with house.catalog.writing() as db:
        db.execute(update(School).where(School.id == ours).values(closed_s=1.0))

    def away() -> None:
        raise ServiceDown(url="s3://x", why="it does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(house.store, "empty", away)
        assert tidy.forget(house.app) == []
    assert tidy.forget(house.app) == [ours]
    assert house.store.recordings() == []
