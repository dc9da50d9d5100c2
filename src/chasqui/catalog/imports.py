"""Links that somebody wants fetched, and how far each is.

    waiting ⇄ running → done | failed | cancelled

Whoever fetches says so every few seconds; one that fell silent is fetched anew by the next. The number of attempts
tells the two apart, should the first come back.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session as Db
from sqlalchemy.orm import aliased

from chasqui.catalog import Catalog
from chasqui.catalog.permissions import Actor
from chasqui.catalog.tables import Import, Person
from chasqui.errors import NotAllowed, UnknownThing

ENDS = ("done", "failed", "cancelled")
#: Of one person at once: a show of a year, not a loop gone wrong.
MOST_OPEN = 100
#: A fetch that says nothing for so long belongs to a server that was ended.
SILENT_S = 90.0
#: Beginnings of one fetch; then the reason is told. Servers elsewhere have bad hours, not bad days.
ATTEMPTS = 3
#: Waiting after the first failure; each further one is four times as long.
WAIT_S = 30.0
#: Nothing is due later than this from now, unless the clock was set back since: then it is due now.
FAR_S = 3600.0


def ask(catalog: Catalog, actor: Actor, url: str, facts: Mapping[str, str], newest: int | None = None) -> Import:
    """A link to fetch, waiting. `newest`: it is a feed, and so many of its episodes are wanted.

    Raises:
        NotAllowed: too many at once, or somebody of no school.
    """
    if actor.school_id is None:
        raise NotAllowed(why="school")
    with catalog.writing() as db:
        mine = (Import.owner_id == actor.person_id, Import.state.not_in(ENDS))
        if (db.scalar(select(func.count()).select_from(Import).where(*mine)) or 0) >= MOST_OPEN:
            raise NotAllowed(why=f"{MOST_OPEN} imports")
        wanted = Import(school_id=actor.school_id, owner_id=actor.person_id, url=url, facts=dict(facts), newest=newest)
        db.add(wanted)
        return wanted


def find(catalog: Catalog, import_id: str) -> Import:
    """The import of that id.

    Raises:
        UnknownThing
    """
    with catalog.reading() as db:
        found = db.get(Import, import_id)
    if found is None:
        raise UnknownThing(kind="import", name=import_id)
    return found


def take(catalog: Catalog) -> Import | None:
    """The next one to fetch, now running; None where nothing is due. Of each person one at a time."""
    other, now = aliased(Import), time.time()
    under_way = (other.state == "running", other.due_s.between(now, now + FAR_S))
    busy = select(other.id).where(other.owner_id == Import.owner_id, *under_way)
    open_, due = Import.state.in_(("waiting", "running")), ~Import.due_s.between(now, now + FAR_S)
    query = select(Import).where(open_, due, ~busy.exists()).order_by(Import.due_s, Import.id).limit(1)
    with catalog.reading() as db:  # nearly always there is nothing, and others want to write
        if db.scalar(query) is None:
            return None
    with catalog.writing() as db:
        row = db.scalar(query.with_for_update(skip_locked=True))
        if row is None:
            return None
        row.state, row.due_s, row.received_bytes = "running", now + SILENT_S, 0
        row.attempts += 1
        return row


def owner(catalog: Catalog, wanted: Import) -> Actor:
    """On whose behalf it is fetched.

    Raises:
        NotAllowed: the account is not there any more.
    """
    with catalog.reading() as db:
        person = db.get(Person, wanted.owner_id)
    if person is None or person.removed_s or person.school_id != wanted.school_id:
        raise NotAllowed(why="account")
    return Actor(person.id, person.role, person.school_id)


def beat(catalog: Catalog, wanted: Import, received: int, **known: Any) -> bool:
    """It goes on. False: it is not wanted any more, or somebody else fetches it. `known`: columns to note."""
    with catalog.writing() as db:
        if (row := _mine(db, wanted)) is None:
            return False
        row.due_s, row.received_bytes = time.time() + SILENT_S, received
        for name, value in known.items():
            setattr(row, name, value)
        return True


def alive(catalog: Catalog, wanted: Import) -> None:
    """Somebody is at it, whether anything comes or not."""
    with catalog.writing() as db:
        if (row := _mine(db, wanted)) is not None:
            row.due_s = time.time() + SILENT_S


def done(catalog: Catalog, wanted: Import, **known: Any) -> None:
    """It is here. `known`: what came of it."""
    with catalog.writing() as db:
        if (row := _mine(db, wanted)) is not None:
            for name, value in known.items():
                setattr(row, name, value)
            row.state, row.ended_s, row.error, row.evidence = "done", time.time(), None, {}


def split(catalog: Catalog, wanted: Import, episodes: Sequence[tuple[str, str]]) -> list[str]:
    """A feed was read: ids of the imports of its (url, title), without those that the school has or waits for."""
    with catalog.writing() as db:
        row = _mine(db, wanted)
        if row is None:
            return []
        known = select(Import.url).where(
            Import.school_id == row.school_id, Import.newest.is_(None), Import.state.not_in(("failed", "cancelled"))
        )
        there = set(db.scalars(known.where(Import.url.in_([url for url, _ in episodes]))))
        made = [
            Import(
                school_id=row.school_id,
                owner_id=row.owner_id,
                feed_id=row.id,
                url=url,
                facts={**row.facts, **({"title": title} if title else {})},
            )
            for url, title in episodes
            if url not in there
        ]
        db.add_all(made)
        db.flush()
        row.state, row.ended_s, row.error, row.evidence = "done", time.time(), None, {}
        return [one.id for one in made]


def fail(catalog: Catalog, wanted: Import, error: str, evidence: Mapping[str, Any], again: bool) -> None:
    """It did not work. `again`: it may, later."""
    with catalog.writing() as db:
        if (row := _mine(db, wanted)) is None:
            return
        row.error, row.upload_id = error, None
        row.evidence = {name: _plain(fact) for name, fact in evidence.items() if fact is not None}
        if again and row.attempts < ATTEMPTS:
            row.state, row.due_s = "waiting", time.time() + WAIT_S * 4 ** (row.attempts - 1)
        else:
            row.state, row.ended_s = "failed", time.time()


def cancel(catalog: Catalog, import_id: str) -> None:
    """Not wanted any more; a fetch under way ends at its next beat. What a feed led to is cancelled with it."""
    with catalog.writing() as db:
        stop(db, (Import.id == import_id) | (Import.feed_id == import_id))


def stop(db: Db, which: ColumnElement[bool]) -> None:
    """The same for many, as a part of the caller's transaction."""
    for row in db.scalars(select(Import).where(which, Import.state.not_in(ENDS)).with_for_update()):
        row.state, row.ended_s = "cancelled", time.time()


def _mine(db: Db, wanted: Import) -> Import | None:
    """The row, if this very attempt is still the one that counts."""
    row = db.get(Import, wanted.id, with_for_update=True)
    return row if row is not None and row.state == "running" and row.attempts == wanted.attempts else None


def _plain(fact: Any) -> str | int | float:
    return fact if isinstance(fact, int | float) else str(fact)
