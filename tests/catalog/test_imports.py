"""Links to fetch, on both databases: taken once, one of each person at a time, given up in the end."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from chasqui.catalog import Catalog, accounts, imports
from chasqui.catalog.permissions import Actor
from chasqui.catalog.tables import Import, Person
from chasqui.errors import NotAllowed, UnknownThing


@pytest.fixture
def people(catalog: Catalog) -> list[Actor]:
    school = accounts.make_school(catalog, "ie-40", "I. E. 40").id
    with catalog.writing() as db:
        rows = [Person(school_id=school, role="creator", name=name) for name in ("Rosa", "Juan")]
        db.add_all(rows)
        db.flush()
        return [Actor(row.id, "creator", school) for row in rows]


def test_each_is_taken_once_and_one_of_each_person(catalog: Catalog, people: list[Actor]) -> None:
    for person in (people[0], people[0], people[1]):
        imports.ask(catalog, person, "https://x.example/a", {})
    first, second = imports.take(catalog), imports.take(catalog)
    assert first is not None
    assert second is not None
    assert {first.owner_id, second.owner_id} == {person.person_id for person in people}
    assert imports.take(catalog) is None
    imports.done(catalog, first, lesson_id="l")
    assert (imports.take(catalog) is not None) == (first.owner_id == people[0].person_id)


@pytest.mark.parametrize("state", ["waiting", "running"])
def test_links_asked_for_while_the_clock_was_ahead_are_fetched_once_it_is_right(
    catalog: Catalog, people: list[Actor], state: str
) -> None:
    imports.ask(catalog, people[0], "https://x.example/a", {})
    with catalog.writing() as db:
        db.execute(update(Import).values(state=state, due_s=Import.due_s + 365 * 86_400.0))
    assert imports.take(catalog) is not None
    assert imports.take(catalog) is None


def test_an_old_attempt_changes_nothing(catalog: Catalog, people: list[Actor]) -> None:
    imports.ask(catalog, people[0], "https://x.example/a", {})
    old = imports.take(catalog)
    with catalog.writing() as db:
        db.execute(update(Import).values(due_s=0.0))
    new = imports.take(catalog)
    assert old is not None
    assert new is not None
    assert not imports.beat(catalog, old, 5)
    imports.fail(catalog, old, "BadLink", {"url": "x", "why": None}, again=False)
    assert imports.beat(catalog, new, 5)
    imports.fail(catalog, new, "BadLink", {"url": "x", "why": None}, again=False)
    found = imports.find(catalog, new.id)
    assert (found.state, found.error, found.evidence) == ("failed", "BadLink", {"url": "x"})


def test_a_feed_becomes_what_the_school_lacks(catalog: Catalog, people: list[Actor]) -> None:
    imports.ask(catalog, people[0], "https://x.example/1", {})
    imports.ask(catalog, people[1], "https://x.example/feed", {"licence": "CC0"}, newest=3)
    taken = [imports.take(catalog), imports.take(catalog)]
    feed = next(one for one in taken if one is not None and one.newest)
    made = imports.split(catalog, feed, [("https://x.example/1", "Uno"), ("https://x.example/2", "Dos")])
    with catalog.reading() as db:
        (child,) = db.scalars(select(Import).where(Import.feed_id == feed.id))
    assert [child.id] == made
    assert child.facts == {"licence": "CC0", "title": "Dos"}
    imports.cancel(catalog, feed.id)
    assert imports.find(catalog, child.id).state == "cancelled"


def test_too_many_and_nobody(catalog: Catalog, people: list[Actor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MOST_OPEN", 1)
    imports.ask(catalog, people[0], "https://x.example/a", {})
    with pytest.raises(NotAllowed):
        imports.ask(catalog, people[0], "https://x.example/a", {})
    with pytest.raises(NotAllowed):
        imports.ask(catalog, Actor("x", "operator", None), "https://x.example/a", {})
    with pytest.raises(UnknownThing):
        imports.find(catalog, "0")
