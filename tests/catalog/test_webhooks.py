"""What is told of lessons and jobs: in the transaction that makes it true, to those who asked for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from chasqui.catalog import Catalog, accounts, jobs, webhooks
from chasqui.catalog.permissions import Actor
from chasqui.catalog.tables import Job, Letter, Person

ENDS: dict[str, Callable[[Catalog, str], Any]] = {
    "done": lambda catalog, job: jobs.go_on(catalog, job, "w", None, "voice"),
    "failed": lambda catalog, job: jobs.fail(catalog, job, "NotMedia", {"name": "clase.txt"}),
    "cancelled": lambda catalog, job: (jobs.cancel(catalog, job), jobs.cancelled(catalog, job, "w")),
}


@pytest.fixture
def actor(catalog: Catalog) -> Actor:
    school = accounts.make_school(catalog, "ie-40", "I. E. 40")
    with catalog.writing() as db:
        db.add(person := Person(school_id=school.id, role="creator", name="Rosa"))
        db.flush()
        return Actor(person.id, "creator", school.id)


@pytest.fixture
def job(catalog: Catalog, actor: Actor) -> str:
    with catalog.writing() as db:
        facts = {"school_id": str(actor.school_id), "owner_id": actor.person_id, "recording_id": "ab"}
        made = jobs.ask(db, goal="publish", first="ingest", queue="voice", **facts).id
    jobs.take(catalog, made, "ingest", "w")
    return made


def letters(catalog: Catalog, kind: str) -> list[Letter]:
    with catalog.reading() as db:
        return list(db.scalars(sa.select(Letter).where(Letter.kind == kind).order_by(Letter.number)))


@pytest.mark.parametrize("state", ENDS)
def test_the_end_of_a_job_is_told_once(catalog: Catalog, actor: Actor, job: str, state: str) -> None:
    hook = webhooks.make(catalog, actor, "https://example.pe", [f"job.{state}"])
    webhooks.make(catalog, actor, "https://example.pe", ["lesson.made"])
    for _ in range(2):
        ENDS[state](catalog, job)
    (notice,), (letter,) = letters(catalog, "notice"), letters(catalog, "webhook")
    assert notice.address == f"chasqui/ie-40/jobs/{job}"
    assert letter.address == hook.id
    assert letter.body == notice.body
    assert (letter.body["event"], letter.body["job"]["id"], letter.body["job"]["state"]) == (f"job.{state}", job, state)
    if state == "failed":
        assert letter.body["job"]["error"] == "NotMedia"
        assert letter.body["job"]["evidence"] == {"name": "clase.txt"}


def test_what_was_undone_is_not_told(catalog: Catalog, job: str) -> None:
    with pytest.raises(ZeroDivisionError), catalog.writing() as db:
        jobs._end(db.get_one(Job, job), "done")
        db.flush()
        raise ZeroDivisionError
    assert letters(catalog, "notice") == []


def test_no_events_are_all_of_them_and_others_hear_nothing(catalog: Catalog, actor: Actor, job: str) -> None:
    everything = webhooks.make(catalog, actor, "https://example.pe", [])
    stopped = webhooks.make(catalog, actor, "https://example.pe", [])
    webhooks.change(catalog, stopped.id, None, None, True)
    other = accounts.make_school(catalog, "ie-41", "I. E. 41")
    with catalog.writing() as db:
        db.add(person := Person(school_id=other.id, role="creator", name="Luz"))
        db.flush()
    webhooks.make(catalog, Actor(person.id, "creator", other.id), "https://example.pe", [])
    jobs.fail(catalog, job, "NotMedia", {})
    assert [letter.address for letter in letters(catalog, "webhook")] == [everything.id]


def test_events_that_can_be_asked_for_are_those_that_happen() -> None:
    from typing import get_args

    from chasqui.web.api.webhooks import Event

    assert get_args(Event) == webhooks.EVENTS
    assert {f"job.{state}" for state in jobs.ENDS} < set(webhooks.EVENTS)
