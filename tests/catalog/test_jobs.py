"""Jobs: one worker at a time, none lost, every one ends in a stated state."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from chasqui.catalog import Catalog, accounts, jobs
from chasqui.catalog.tables import Job, Letter, Person


@pytest.fixture
def job(catalog: Catalog) -> str:
    school = accounts.make_school(catalog, "ie-40", "I. E. 40")
    with catalog.writing() as db:
        db.add(person := Person(school_id=school.id, role="teacher", name="Rosa"))
        db.flush()
        return jobs.ask(
            db,
            school_id=school.id,
            owner_id=person.id,
            recording_id="0123456789abcdef",
            goal="encode",
            first="clean",
            queue="voice",
        ).id


def row(catalog: Catalog, job: str) -> Job:
    with catalog.reading() as db:
        return db.get_one(Job, job)


def letters(catalog: Catalog) -> list[tuple[str, Any]]:
    with catalog.reading() as db:
        return [
            (letter.address, letter.body["stage"])
            for letter in db.scalars(sa.select(Letter).where(Letter.kind == "task"))
        ]


def swept(catalog: Catalog, silent: Mapping[str, jobs.Sign] | None = None) -> list[str]:
    """Where nothing else is said, every worker fell silent."""
    return jobs.sweep(catalog, lambda _stage: "voice", jobs.signs(catalog) if silent is None else silent)


def told_of(catalog: Catalog, ago_s: float) -> None:
    with catalog.writing() as db:
        db.execute(sa.update(Job).values(beat_s=time.time() - ago_s))


def test_a_job_goes_from_stage_to_stage_to_its_end(catalog: Catalog, job: str) -> None:
    assert letters(catalog) == [("voice", "clean")]
    taken = jobs.take(catalog, job, "clean", "w1")
    assert taken and (taken.state, taken.attempts) == ("running", 1)
    assert jobs.beat(catalog, job, "w1", 0.5)
    assert row(catalog, job).done == 0.5
    jobs.go_on(catalog, job, "w1", "encode", "voice")
    assert (row(catalog, job).state, row(catalog, job).stage) == ("waiting", "encode")
    assert letters(catalog) == [("voice", "clean"), ("voice", "encode")]
    assert jobs.take(catalog, job, "clean", "w2") is None  # a letter that came twice
    assert jobs.take(catalog, job, "encode", "w2")
    jobs.go_on(catalog, job, "w2", None, "voice")
    assert row(catalog, job).state == "done"
    assert jobs.take(catalog, job, "encode", "w3") is None


def test_of_many_workers_one_gets_it(catalog: Catalog, job: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        taken = list(pool.map(lambda n: jobs.take(catalog, job, "clean", f"w{n}"), range(12)))
    assert sum(one is not None for one in taken) == 1


def test_a_worker_that_fell_silent_is_followed_by_another(catalog: Catalog, job: str) -> None:
    jobs.take(catalog, job, "clean", "w1")
    assert swept(catalog, {}) == []
    assert swept(catalog) == [job]
    assert row(catalog, job).state == "waiting"
    assert jobs.take(catalog, job, "clean", "w2")
    assert not jobs.beat(catalog, job, "w1")  # back from the dead: it is told to stop
    assert jobs.go_on(catalog, job, "w1", None, "voice") is None
    assert not jobs.fail(catalog, job, "DiskFull", {}, worker="w1")
    assert row(catalog, job).worker == "w2"


def test_who_spoke_up_after_the_look_is_not_taken_for_dead(catalog: Catalog, job: str) -> None:
    jobs.take(catalog, job, "clean", "w1")
    signs = jobs.signs(catalog)
    assert jobs.beat(catalog, job, "w1")
    assert swept(catalog, signs) == []
    assert row(catalog, job).worker == "w1"


def test_whose_clock_is_wrong_by_hours_keeps_the_job(catalog: Catalog, job: str) -> None:
    jobs.take(catalog, job, "clean", "w1")
    for hours in (-7, 7):
        told_of(catalog, hours * 3600.0)
        assert jobs.take(catalog, job, "clean", "w2") is None
        assert swept(catalog, {}) == []


@pytest.mark.parametrize("ago_s", [jobs.REMIND_S + 1, -jobs.REMIND_S - 60])
def test_a_job_that_nobody_came_for_is_reminded_of(catalog: Catalog, job: str, ago_s: float) -> None:
    """After half an hour; and if the clock was far ahead when it was told of last, now."""
    assert swept(catalog) == []
    told_of(catalog, ago_s)
    assert swept(catalog) == [job]
    assert letters(catalog) == [("voice", "clean")] * 2
    assert swept(catalog) == []


def test_a_stage_that_kills_its_workers_is_given_up(catalog: Catalog, job: str) -> None:
    for attempt in range(jobs.ATTEMPTS):
        assert jobs.take(catalog, job, "clean", f"w{attempt}")
        swept(catalog)
    assert jobs.take(catalog, job, "clean", "w9") is None
    ended = row(catalog, job)
    assert (ended.state, ended.error, ended.evidence) == ("failed", "GaveUp", {"stage": "clean", "attempts": 4})


def test_waiting_work_is_cancelled_at_once_and_running_work_at_its_next_beat(catalog: Catalog, job: str) -> None:
    jobs.take(catalog, job, "clean", "w1")
    jobs.cancel(catalog, job)
    assert row(catalog, job).state == "running"
    assert not jobs.beat(catalog, job, "w1")
    jobs.cancelled(catalog, job, "w1")
    assert row(catalog, job).state == "cancelled"
    assert jobs.cancel(catalog, job)  # again: nothing more
    assert jobs.take(catalog, job, "clean", "w2") is None


def test_a_cancelled_job_whose_worker_died_ends_too(catalog: Catalog, job: str) -> None:
    jobs.take(catalog, job, "clean", "w1")
    jobs.cancel(catalog, job)
    swept(catalog)
    assert row(catalog, job).state == "cancelled"


def test_cancelled_work_does_not_wait_first(catalog: Catalog, job: str) -> None:
    """Its stage failed, its slice or its worker ended in the second before the beat that would have told of it."""
    jobs.take(catalog, job, "clean", "w1")
    jobs.cancel(catalog, job)
    jobs.wait(catalog, job, "w1", "voice", after_s=600)
    assert row(catalog, job).state == "cancelled"


def test_cancelled_work_is_not_given_back(catalog: Catalog, job: str) -> None:
    jobs.take(catalog, job, "clean", "w1")
    jobs.cancel(catalog, job)
    jobs.give_back(catalog, job, "w1", "voice")
    assert row(catalog, job).state == "cancelled"


def test_what_comes_of_a_job_is_noted_with_its_end_and_not_where_it_was_cancelled(catalog: Catalog, job: str) -> None:
    noted: list[str] = []
    jobs.take(catalog, job, "clean", "w1")
    jobs.go_on(catalog, job, "w2", None, "voice", made=lambda _, row: noted.append(row.id))  # not its own
    jobs.cancel(catalog, job)
    jobs.go_on(catalog, job, "w1", None, "voice", made=lambda _, row: noted.append(row.id))
    assert row(catalog, job).state == "cancelled"
    assert noted == []


def test_a_failure_keeps_its_reason(catalog: Catalog, job: str) -> None:
    jobs.take(catalog, job, "clean", "w1")
    assert jobs.fail(catalog, job, "NoAudio", {"name": "a.mp4", "streams": ["video"]}, worker="w1")
    ended = row(catalog, job)
    assert (ended.state, ended.error, ended.evidence) == (
        "failed",
        "NoAudio",
        {"name": "a.mp4", "streams": "['video']"},
    )
    assert not jobs.fail(catalog, job, "Defect", {})


def test_what_the_world_hindered_comes_again_later(catalog: Catalog, job: str) -> None:
    jobs.take(catalog, job, "clean", "w1")
    jobs.wait(catalog, job, "w1", "voice", after_s=60)
    assert row(catalog, job).state == "waiting"
    with catalog.reading() as db:
        due = db.scalars(sa.select(Letter.due_s).where(Letter.kind == "task").order_by(Letter.number)).all()
    assert due[-1] > time.time() + 50


def test_the_worker_may_keep_it_for_the_next_stage(catalog: Catalog, job: str) -> None:
    jobs.take(catalog, job, "clean", "w1")
    kept = jobs.go_on(catalog, job, "w1", "encode", "voice", keep=True)
    assert kept and (kept.state, kept.stage, kept.worker, kept.attempts) == ("running", "encode", "w1", 1)
    assert letters(catalog) == [("voice", "clean")]
    assert swept(catalog) == [job]
    assert letters(catalog) == [("voice", "clean"), ("voice", "encode")]


def test_a_slice_that_came_further_is_no_failed_beginning(catalog: Catalog, job: str) -> None:
    for done in (0.25, 0.5):
        taken = jobs.take(catalog, job, "clean", "w1")
        assert taken and taken.attempts == 1
        jobs.wait(catalog, job, "w1", "voice", 0.0, done=done)
        assert (row(catalog, job).attempts, row(catalog, job).done) == (0, done)
    jobs.take(catalog, job, "clean", "w1")
    jobs.wait(catalog, job, "w1", "voice", 0.0)
    assert row(catalog, job).attempts == 1


def test_what_is_given_back_was_never_begun(catalog: Catalog, job: str) -> None:
    jobs.take(catalog, job, "clean", "w1")
    jobs.give_back(catalog, job, "w2", "voice")  # not its own
    assert row(catalog, job).state == "running"
    jobs.give_back(catalog, job, "w1", "voice")
    assert (row(catalog, job).state, row(catalog, job).attempts) == ("waiting", 0)
    assert len(letters(catalog)) == 2


def test_a_letter_that_kills_whoever_opens_it_ends_the_job(catalog: Catalog, job: str) -> None:
    for tried in range(jobs.ATTEMPTS):
        assert row(catalog, job).state == "waiting"
        assert len(letters(catalog)) == tried + 1
        assert jobs.undelivered(catalog, job, "clean", "voice")
    ended = row(catalog, job)
    assert (ended.state, ended.error, ended.evidence) == ("failed", "GaveUp", {"stage": "clean", "attempts": 4})
    assert not jobs.undelivered(catalog, job, "clean", "voice")


def test_a_dead_letter_does_not_matter_where_the_work_went_on(catalog: Catalog, job: str) -> None:
    jobs.take(catalog, job, "clean", "w1")
    assert not jobs.undelivered(catalog, job, "clean", "voice")  # somebody is at it
    jobs.go_on(catalog, job, "w1", "encode", "voice")
    assert not jobs.undelivered(catalog, job, "clean", "voice")
    assert (row(catalog, job).state, row(catalog, job).attempts) == ("waiting", 0)


def test_whoever_is_known_to_be_dead_is_followed_at_once_wherever_it_was(catalog: Catalog, job: str) -> None:
    jobs.take(catalog, job, "clean", "w1")
    jobs.go_on(catalog, job, "w1", "encode", "voice", keep=True)
    assert jobs.take(catalog, job, "clean", "w2") is None
    assert jobs.take(catalog, job, "clean", "w2", dead=lambda worker: worker == "w3") is None
    taken = jobs.take(catalog, job, "clean", "w2", dead=lambda worker: worker == "w1")
    assert taken and (taken.stage, taken.worker, taken.attempts) == ("encode", "w2", 2)
