"""What is under way is counted, and what is long done costs nothing."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from chasqui.catalog import Catalog, accounts, counts, imports, jobs, uploads
from chasqui.catalog.permissions import Actor
from chasqui.catalog.tables import Import, Job, Letter, Person, Upload

NUMBERS = itertools.count()


@pytest.fixture
def rosa(catalog: Catalog) -> Actor:
    school = accounts.make_school(catalog, "ie-40", "I. E. 40")
    with catalog.writing() as db:
        db.add(person := Person(school_id=school.id, role="teacher", name="Rosa"))
        db.flush()
        return Actor(person.id, "teacher", school.id)


def asked(catalog: Catalog, rosa: Actor, stage: str = "ingest", **facts: Any) -> str:
    with catalog.writing() as db:
        job = jobs.ask(
            db,
            school_id=str(rosa.school_id),
            owner_id=rosa.person_id,
            recording_id=f"{next(NUMBERS):016x}",
            goal="publish",
            first=stage,
            queue="voice",
        )
        for name, fact in facts.items():
            setattr(job, name, fact)
        return job.id


def test_an_empty_catalog(catalog: Catalog) -> None:
    seen = counts.count(catalog)
    assert (seen.waiting, seen.at_work, seen.failures, seen.letters) == ({}, [], {}, {})
    assert seen.ended == {"done": 0, "failed": 0, "cancelled": 0}
    assert seen.incoming == counts.Incoming(0, 0, 0)
    assert (seen.imports, seen.imports_since_s) == ({"waiting": 0, "running": 0}, None)


def test_what_waits_is_counted_by_stage_with_the_oldest(catalog: Catalog, rosa: Actor) -> None:
    asked(catalog, rosa, created_s=1000.0, beat_s=9000.0)  # never begun: since it was asked for
    asked(catalog, rosa, created_s=2000.0)
    asked(catalog, rosa, "transcribe", created_s=1000.0, started_s=1500.0, beat_s=3000.0)  # since it came there
    assert counts.count(catalog).waiting == {
        "ingest": counts.Waiting(2, 1000.0),
        "transcribe": counts.Waiting(1, 3000.0),
    }


def test_who_works_is_told_those_silent_for_longest_first(catalog: Catalog, rosa: Actor) -> None:
    for number, beat_s in enumerate((500.0, 400.0)):
        job = asked(catalog, rosa)
        jobs.take(catalog, job, "ingest", f"host:{number}:f")
        with catalog.writing() as db:
            db.execute(sa.update(Job).where(Job.id == job).values(beat_s=beat_s, done=0.5))
    first, second = counts.count(catalog).at_work
    assert (first.worker, first.beat_s, first.stage, first.done) == ("host:1:f", 400.0, "ingest", 0.5)
    assert (second.worker, second.job_id) > (first.worker[:4], first.job_id[:1])
    assert first.started_s and time.time() - first.started_s < 60


def test_ends_are_counted_for_a_day(catalog: Catalog, rosa: Actor) -> None:
    now = time.time()
    for state, error, ended_s in [
        ("done", None, now),
        ("failed", "GaveUp", now - counts.LATELY_S + 600),
        ("failed", "NoAudio", now),
        ("failed", "GaveUp", now),
        ("failed", "GaveUp", now - counts.LATELY_S - 600),
        ("cancelled", None, now - 2 * counts.LATELY_S),
    ]:
        asked(catalog, rosa, state=state, error=error, ended_s=ended_s)
    seen = counts.count(catalog)
    assert seen.ended == {"done": 1, "failed": 3, "cancelled": 0}
    assert seen.failures == {"GaveUp": 2, "NoAudio": 1}


def test_letters_are_counted_until_they_arrived(catalog: Catalog) -> None:
    rows: list[dict[str, Any]] = [
        {"kind": "task", "created_s": 50.0, "sent_s": 60.0},
        {"kind": "task", "created_s": 70.0},
        {"kind": "notice", "created_s": 90.0, "trouble": "away", "attempts": 3},
        {"kind": "notice", "created_s": 80.0},
        {"kind": "webhook", "created_s": 10.0, "trouble": "404", "given_up_s": 20.0},
    ]
    with catalog.writing() as db:
        db.add_all([Letter(address="x", body={}, **row) for row in rows])
    assert counts.count(catalog).letters == {
        "task": counts.Letters(1, 70.0, 0, 0),
        "notice": counts.Letters(2, 80.0, 1, 0),
        "webhook": counts.Letters(0, None, 0, 1),
    }


def test_files_on_their_way_in(catalog: Catalog, rosa: Actor) -> None:
    first, second, third = (uploads.begin(catalog, rosa, "a.mp3", size, 1000, {}) for size in (100, 20, 3))
    uploads.note(catalog, first.id, 40)
    uploads.note(catalog, second.id, 5)
    uploads.end(catalog, third.id)
    assert counts.count(catalog).incoming == counts.Incoming(2, 120, 45)


def test_links_to_be_fetched(catalog: Catalog, rosa: Actor) -> None:
    oldest = imports.ask(catalog, rosa, "https://x.example/a", {})
    imports.ask(catalog, rosa, "https://x.example/b", {})
    over = imports.ask(catalog, rosa, "https://x.example/c", {})
    imports.cancel(catalog, over.id)
    seen = counts.count(catalog)
    assert (seen.imports, seen.imports_since_s) == ({"waiting": 2, "running": 0}, oldest.created_s)
    assert imports.take(catalog)
    assert counts.count(catalog).imports == {"waiting": 1, "running": 1}


def test_no_more_is_counted_than_somebody_can_use(
    catalog: Catalog, rosa: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "MOST", 3)
    now = time.time()
    for state in ("waiting", "running", "done", "failed"):
        for _ in range(5):
            asked(catalog, rosa, state=state, ended_s=now, error="GaveUp")
    seen = counts.count(catalog)
    assert seen.waiting["ingest"].count == len(seen.at_work) == seen.ended["done"] == seen.failures["GaveUp"] == 3
    assert seen.letters["task"].unsent == 3


def history(catalog: Catalog, rosa: Actor, count: int) -> None:
    """So many jobs, uploads, imports and letters that are over, with one of each under way."""
    now = time.time()
    mine = {"school_id": rosa.school_id, "owner_id": rosa.person_id}
    jobs_done = [
        {"id": f"{n:022x}", **mine, "recording_id": f"{n:016x}", "goal": "publish", "stage": "publish"}
        | {"state": ("done", "done", "failed", "cancelled")[n % 4], "ended_s": now - 2 * counts.LATELY_S, "beat_s": 5.0}
        for n in range(count)
    ]
    files = [
        {"id": f"{n:022x}", **mine, "name": "a", "bytes": 5, "state": "complete", "expires_s": 5.0}
        for n in range(count)
    ]
    links = [{"id": f"{n:022x}", **mine, "url": "x", "state": "done", "due_s": 5.0} for n in range(count)]
    letters = [{"kind": "task", "address": "voice", "body": {}, "sent_s": now, "due_s": now} for _ in range(count)]
    with catalog.writing() as db:
        for table, rows in ((Job, jobs_done), (Upload, files), (Import, links), (Letter, letters)):
            db.execute(sa.insert(table), rows)
    if catalog.engine.dialect.name == "postgresql":
        with catalog.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    asked(catalog, rosa)
    jobs.take(catalog, asked(catalog, rosa), "ingest", "w")
    uploads.begin(catalog, rosa, "a.mp3", 100, 1000, {})
    imports.ask(catalog, rosa, "https://x.example/a", {})


@contextmanager
def effort(catalog: Catalog) -> Iterator[list[int]]:
    """What the questions asked meanwhile cost: SQLite's steps, or the rows that PostgreSQL touched."""
    spent: list[int] = []
    if catalog.engine.dialect.name == "sqlite":

        def begin(connection: Any, _record: Any = None, _proxy: Any = None) -> None:
            connection.set_progress_handler(lambda: spent.append(10), 10)

        sa.event.listen(catalog.engine, "checkout", begin)
        yield spent
        sa.event.remove(catalog.engine, "checkout", begin)
        return

    def explained(connection: Any, _cursor: Any, statement: str, facts: Any, _context: Any, _many: bool) -> None:
        if statement.startswith("SELECT"):
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", facts)
                (plan,) = cursor.fetchone()
                found = json.loads(plan) if isinstance(plan, str) else plan
                spent.append(touched(found[0]["Plan"]))

    sa.event.listen(catalog.engine, "before_cursor_execute", explained)
    yield spent
    sa.event.remove(catalog.engine, "before_cursor_execute", explained)


def touched(plan: dict[str, Any]) -> int:
    """Rows that the scans of a plan read."""
    below = sum(map(touched, plan.get("Plans", [])))
    if "Scan" not in plan["Node Type"] or plan.get("Plans"):
        return below
    read = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    return below + int(read * plan["Actual Loops"])


def test_what_is_long_done_costs_nothing(catalog: Catalog, rosa: Actor) -> None:
    costs = []
    for count in (500, 8_000):
        history(catalog, rosa, count)
        with effort(catalog) as spent:
            seen = counts.count(catalog)
        assert seen.waiting["ingest"].count == len(seen.at_work) == seen.incoming.open == 1
        assert spent
        costs.append(sum(spent))
        with catalog.writing() as db:
            for table in (Job, Upload, Import, Letter):
                db.execute(sa.delete(table))
    assert costs[1] <= costs[0] * 1.2 + 50, costs
    assert costs[1] < 5_000, costs
