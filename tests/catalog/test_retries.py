"""Trying again: a new job for the same lesson, never two at once, never for what has nothing to work on."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from chasqui.catalog import Catalog, accounts, jobs, lessons, retries, schools
from chasqui.catalog.tables import Job, Lesson, Letter, Person, School
from chasqui.errors import NothingToRetry, SchoolClosed, UnknownThing

AT = ("ingest", "voice")


class Room:
    """A teacher with lessons."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.school = accounts.make_school(catalog, "ie-40", "I. E. 40").id
        with catalog.writing() as db:
            db.add(person := Person(school_id=self.school, role="teacher", name="Rosa"))
            db.flush()
            self.rosa = person.id
        self.made = 0

    def lesson(self) -> str:
        self.made += 1
        with self.catalog.writing() as db:
            facts = {"recording_id": f"{self.made:016x}", "title": f"Clase {self.made}"}
            db.add(row := Lesson(school_id=self.school, owner_id=self.rosa, **facts))
            db.flush()
            return row.id

    def job(self, lesson: str, state: str = "failed", **facts: Any) -> str:
        with self.catalog.writing() as db:
            asked = jobs.ask(
                db,
                school_id=self.school,
                owner_id=self.rosa,
                lesson_id=lesson,
                recording_id=db.get_one(Lesson, lesson).recording_id,
                goal="publish",
                first="ingest",
                queue="voice",
                settings=facts.pop("settings", {}),
            )
            ended = {"ended_s": time.time()} if state in jobs.ENDS else {}
            told = {"error": "GaveUp", "evidence": {"stage": "clean", "attempts": 4}} if state == "failed" else {}
            for name, fact in {"state": state, **ended, **told, **facts}.items():
                setattr(asked, name, fact)
            return asked.id

    def failed(self, **facts: Any) -> str:
        return self.job(self.lesson(), **facts)

    def jobs(self) -> list[Job]:
        with self.catalog.reading() as db:
            return list(db.scalars(sa.select(Job).order_by(Job.id)))

    def letters(self) -> list[Letter]:
        """Of tasks, oldest first."""
        with self.catalog.reading() as db:
            return list(db.scalars(sa.select(Letter).where(Letter.kind == "task").order_by(Letter.number)))

    def states(self) -> list[str]:
        return sorted(job.state for job in self.jobs())


@pytest.fixture
def room(catalog: Catalog) -> Room:
    return Room(catalog)


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_it_is_a_new_job_of_the_same_owner_with_the_same_settings(room: Room, state: str) -> None:
    old = room.job(room.lesson(), state, stage="encode", attempts=4, settings={"choose__target": "clear"})
    job = retries.again(room.catalog, old, *AT)
    assert job.id != old
    assert (job.state, job.stage, job.attempts, job.owner_id) == ("waiting", "ingest", 0, room.rosa)
    assert job.settings == {"choose__target": "clear"}
    assert room.states() == sorted([state, "waiting"])  # an end is an end
    with room.catalog.reading() as db:
        written = db.scalars(sa.select(Letter).where(Letter.kind == "task").order_by(Letter.number)).all()
    assert written[-1].body == {"job": job.id, "stage": "ingest"}
    assert jobs.take(room.catalog, job.id, "ingest", "w")


def test_who_asks_twice_gets_the_same_job(room: Room) -> None:
    old = room.failed()
    first = retries.again(room.catalog, old, *AT)
    jobs.take(room.catalog, first.id, "ingest", "w")
    assert retries.again(room.catalog, old, *AT).id == first.id
    jobs.cancel(room.catalog, first.id)  # on its way to its end: whoever asks now wants another one
    assert retries.again(room.catalog, old, *AT).id not in (old, first.id)


def test_of_many_who_ask_at_once_all_get_the_same_job(room: Room) -> None:
    old = room.failed()
    with ThreadPoolExecutor(6) as pool:
        asked = list(pool.map(lambda _: retries.again(room.catalog, old, *AT).id, range(12)))
    assert len(set(asked)) == 1
    assert room.states() == ["failed", "waiting"]


def test_other_settings_are_other_work(room: Room) -> None:
    lesson = room.lesson()
    old = room.job(lesson, settings={"choose__target": "clear"})
    other = room.job(lesson, "waiting")
    assert retries.again(room.catalog, old, *AT).id not in (old, other)


@pytest.mark.parametrize("state", ["waiting", "running", "done"])
def test_what_did_not_fail_is_not_tried_again(room: Room, state: str) -> None:
    job = room.job(room.lesson(), state)
    with pytest.raises(NothingToRetry, match=f"it is {state}"):
        retries.again(room.catalog, job, *AT)
    assert room.states() == [state]


def test_a_lesson_that_was_removed_stays_removed(room: Room) -> None:
    lesson = room.lesson()
    old = room.job(lesson)
    lessons.remove(room.catalog, lesson)
    with pytest.raises(NothingToRetry, match="its lesson was removed"):
        retries.again(room.catalog, old, *AT)
    assert retries.again_all(room.catalog, *AT, ["GaveUp"], 0.0) == (0, False)


def test_for_a_school_that_was_closed_nothing_is_made(room: Room) -> None:
    old = room.failed()
    with room.catalog.writing() as db:
        db.execute(sa.update(School).values(closed_s=time.time()))
    with pytest.raises(NothingToRetry, match="its school is closed"):
        retries.again(room.catalog, old, *AT)
    assert retries.again_all(room.catalog, *AT, ["GaveUp"], 0.0) == (0, False)


def test_all_that_failed_like_that_and_nothing_else(room: Room) -> None:
    now = time.time()
    wanted = {room.failed(), room.failed()}
    room.failed(error="NoAudio")
    room.failed(ended_s=now - 5000)
    room.job(room.lesson(), "cancelled")
    mended = room.lesson()
    room.job(mended)
    room.job(mended, "done")  # somebody has tried it again already
    assert retries.again_all(room.catalog, *AT, ["GaveUp"], now - 1000) == (2, False)
    new = [job for job in room.jobs() if job.state == "waiting"]
    with room.catalog.reading() as db:
        old = db.scalars(sa.select(Job.lesson_id).where(Job.id.in_(wanted))).all()
    assert sorted(str(job.lesson_id) for job in new) == sorted(map(str, old))
    assert retries.again_all(room.catalog, *AT, ["GaveUp"], now - 1000) == (0, False)  # they are under way


def test_there_is_a_most_and_it_is_said_that_there_are_more(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "TOGETHER", 2)
    for _ in range(5):
        room.failed()
    assert retries.again_all(room.catalog, *AT, ["GaveUp"], 0.0, most=3) == (3, True)
    assert retries.again_all(room.catalog, *AT, ["GaveUp"], 0.0, most=2) == (2, False)
    assert room.states() == ["failed"] * 5 + ["waiting"] * 5


def test_two_operators_at_once_make_nothing_twice(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "TOGETHER", 3)
    for _ in range(9):
        room.failed()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: retries.again_all(room.catalog, *AT, ["GaveUp"], 0.0), range(3)))
    waiting = [job.lesson_id for job in room.jobs() if job.state == "waiting"]
    assert len(waiting) == len(set(waiting)) == 9


def test_what_lies_in_the_recording_is_not_mended_by_trying(room: Room) -> None:
    codes = retries.mendable()
    assert {"GaveUp", "ServiceDown", "DiskFull", "WrongKeys", "Defect"} <= set(codes)
    assert not {"NoAudio", "EmptyFile", "Rejected"} & set(codes)
    assert set(codes) < set(retries.known())


# --- with other settings: the newest wish counts ---


def wish(room: Room, lesson: str, target: str) -> Job:
    return retries.otherwise(room.catalog, lesson, room.rosa, {"choose__target": target}, *AT)


def states(catalog: Catalog) -> list[tuple[str, bool]]:
    """Of all jobs, oldest first: the state, and whether somebody asked for the end."""
    with catalog.reading() as db:
        return [(job.state, job.cancel_s is not None) for job in db.scalars(sa.select(Job).order_by(Job.id))]


def test_what_waits_is_cancelled_at_once_and_what_runs_is_told(catalog: Catalog, room: Room) -> None:
    lesson = room.lesson()
    room.job(room.lesson(), "waiting")  # another lesson's
    room.job(lesson, "done")
    room.job(lesson, "running", worker="w1", beat_s=1.0)
    first = wish(room, lesson, "clear")
    assert wish(room, lesson, "clear").id == first.id
    second = wish(room, lesson, "understood")
    ends = [("waiting", False), ("done", False), ("running", True), ("cancelled", True), ("waiting", False)]
    assert states(catalog) == ends
    assert wish(room, lesson, "clear").id not in (first.id, second.id), "what was cancelled is no answer"


def test_what_is_tried_again_is_the_newest_wish_too(catalog: Catalog, room: Room) -> None:
    old = room.job(lesson := room.lesson(), settings={"choose__target": "clear"})
    wish(room, lesson, "understood")
    assert retries.again(catalog, old, *AT).settings == {"choose__target": "clear"}
    assert states(catalog) == [("failed", False), ("cancelled", True), ("waiting", False)]


def test_of_wishes_at_the_same_moment_one_is_left(catalog: Catalog, room: Room) -> None:
    lesson = room.lesson()
    room.job(lesson, "done")
    with ThreadPoolExecutor(6) as people:
        list(people.map(lambda size: wish(room, lesson, f"t{size}"), range(12)))
    assert sorted(states(catalog)) == [("cancelled", True)] * 11 + [("done", False), ("waiting", False)]


def test_nobody_takes_it_before_the_cancelled_one_has_stopped(catalog: Catalog, room: Room) -> None:
    old = room.job(lesson := room.lesson(), "waiting")
    other = room.job(room.lesson(), "waiting")
    assert jobs.take(catalog, old, "ingest", "w1")
    new = wish(room, lesson, "clear").id
    letters = len(room.letters())
    assert jobs.take(catalog, new, "ingest", "w2", queue="words") is None
    assert jobs.take(catalog, other, "ingest", "w3"), "other recordings do not wait"
    (later,) = room.letters()[letters:]
    assert (later.address, later.body) == ("words", {"job": new, "stage": "ingest"})
    assert 0 < later.due_s - later.created_s <= jobs.STOPPING_S
    jobs.cancelled(catalog, old, "w1")
    taken = jobs.take(catalog, new, "ingest", "w2")
    assert taken and (taken.state, taken.attempts) == ("running", 1)


def test_a_lesson_that_is_gone_and_a_school_that_is_closed_have_no_wishes(catalog: Catalog, room: Room) -> None:
    lesson, gone = room.lesson(), room.lesson()
    lessons.remove(catalog, gone)
    with pytest.raises(UnknownThing):
        wish(room, gone, "clear")
    schools.close(catalog, room.school)
    with pytest.raises(SchoolClosed):
        wish(room, lesson, "clear")
