"""Lists from the cache: written once, and never what was withdrawn or changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from chasqui.cache import Cache, open_cache
from chasqui.catalog import lessons
from chasqui.catalog.tables import Lesson


@pytest.fixture(params=["memory:", "redis://127.0.0.1:1/0"], ids=["memory", "away"])
def cache(house: Any, request: pytest.FixtureRequest) -> Cache:
    house.app.extensions["cache"] = opened = open_cache(request.param)
    return opened


@pytest.fixture
def lesson(house: Any) -> Callable[..., str]:
    def make(title: str, state: str = "published") -> str:
        from chasqui.catalog.tables import Person

        with house.catalog.writing() as db:
            school = house.schools["ours"]
            owner = db.scalar(sa.select(Person.id).where(Person.role == "teacher", Person.school_id == school))
            facts = {"school_id": school, "owner_id": owner, "recording_id": os.urandom(8).hex(), "facts": {"bytes": 9}}
            db.add(made := Lesson(title=title, state=state, **facts))
            db.flush()
            return str(made.id)

    return make


def titles(house: Any, role: str = "student", **query: Any) -> list[str]:
    answer = house.client(role)("GET", "lessons", query_string=query)
    return [one["title"] for one in answer.json["items"]]


def test_a_list_says_what_the_lessons_themselves_say(house: Any, cache: Cache, lesson: Any) -> None:
    ids = [lesson(f"Clase {n}: «¿qué?»") for n in range(5)]
    for _ in range(2):
        items = house.client()("GET", "lessons").json["items"]
        assert items == [house.client()("GET", f"lessons/{one}").json for one in reversed(ids)]
        first = house.client()("GET", "lessons?limit=3").json
        second = house.client()("GET", f"lessons?limit=3&after={first['next']}").json
        assert first["items"] + second["items"] == items
        assert second["next"] is None


def test_what_was_withdrawn_or_changed_is_never_served_again(house: Any, cache: Cache, lesson: Any) -> None:
    first, second = lesson("La papa"), lesson("El maíz")
    for _ in range(2):
        assert titles(house) == ["El maíz", "La papa"]
    lessons.withdraw(house.catalog, first)
    assert titles(house) == ["El maíz"]
    assert titles(house, "teacher") == ["El maíz", "La papa"]
    states = [one["state"] for one in house.client()("GET", "lessons").json["items"]]
    assert states == ["published", "withdrawn"]
    house.client()("PATCH", f"lessons/{second}", {"title": "El maíz morado"})
    assert titles(house) == ["El maíz morado"]
    lessons.remove(house.catalog, second)
    assert titles(house) == []


def test_a_change_of_many_at_once_counts_too(house: Any, cache: Cache, lesson: Any) -> None:
    lesson("La papa")
    assert titles(house) == ["La papa"]
    with house.catalog.writing() as db:
        db.execute(sa.update(Lesson).values(title="La oca"))
    assert titles(house) == ["La oca"]


def test_filters_hold_for_what_is_known_already(house: Any, cache: Cache, lesson: Any) -> None:
    lesson("La papa"), lesson("El maíz", "made")
    for _ in range(2):
        assert titles(house) == ["La papa"]
        assert titles(house, "teacher", state="made") == ["El maíz"]
        assert titles(house, "teacher", text="pap") == ["La papa"]
        assert titles(house, "creator") == ["El maíz", "La papa"]
    assert house.client("student", "theirs")("GET", "lessons").json["items"] == []


def test_each_version_is_written_once(house: Any, lesson: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    house.app.extensions["cache"] = open_cache("memory:")
    written: list[str] = []
    real = lessons.shown
    monkeypatch.setattr(lessons, "shown", lambda one: written.append(one.id) or real(one))
    first, _ = lesson("La papa"), lesson("El maíz")
    for role in ("student", "teacher", "student"):
        titles(house, role)
    assert len(written) == 2
    with house.catalog.writing() as db:
        db.get_one(Lesson, first).title = "La oca"
    titles(house)
    assert written[2:] == [first]
