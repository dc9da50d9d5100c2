"""Jobs and letters under everything at once: workers that die, postmen that are killed between two steps, people who
cancel, clocks that jump by hours. Whatever the order, nothing of what `docs/queue.md` promises may break.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chasqui.catalog import Catalog, jobs, lessons, outbox
from chasqui.catalog.tables import Job, Lesson, Letter, Person, School, Table
from chasqui.run.queue import watch
from chasqui.run.queue.watch import Watch

STAGES = ("ingest", "clean", "publish")
WORKERS = ("w1", "w2", "w3")
HOUR_S = 3600.0
#: As many stories as one likes (a few seconds for ten), and the shortest that fails.
LONG = os.environ.get("CHASQUI_TEST_MACHINE", "")
SILENT_S = jobs.SILENT_S


class Killed(BaseException):
    """kill -9 at this point: what is committed stays, what runs is gone."""


class Clock:
    """Every machine has a clock of its own on the wall; only time that goes by is the same for all."""

    def __init__(self) -> None:
        self.gone_s, self.wall_s = 0.0, 1.8e9

    def time(self) -> float:
        return self.wall_s + self.gone_s

    def monotonic(self) -> float:
        return self.gone_s


def queue_of(_stage: str | None) -> str:
    return "voice"


class Machine(RuleBasedStateMachine):
    """Three workers, two postmen, one person; the catalog is real, the broker a list."""

    catalog: Catalog
    clock: Clock

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, str] = {}  # jobs and their lessons
        self.ended: dict[str, tuple[str, str | None]] = {}
        self.brought: list[tuple[str, str]] = []  # what lies in the broker; letters come again and late
        self.holds: dict[str, tuple[str, str]] = {}  # what a worker believes that it works on: (job, stage)
        self.watches = [Watch(SILENT_S), Watch(SILENT_S)]

    @initialize()
    def empty(self) -> None:
        with self.catalog.writing() as db:
            for table in reversed(Table.metadata.sorted_tables):
                db.execute(table.delete())
            db.add(school := School(slug="ie-40", name="I. E. 40"))
            db.flush()
            db.add(person := Person(school_id=school.id, role="teacher", name="Rosa"))
            db.flush()
            self.school, self.person = school.id, person.id

    def teardown(self) -> None:
        """Once nobody dies any more, everything comes to its end, and everybody hears of it."""
        self.clock.wall_s = 1.8e9
        for _ in range(60):
            self.clock.gone_s += SILENT_S / 3
            while self.holds:
                self.finish(0, "on", cut=False)
            self.sweep(0)
            self.post(cut=None)
            while self.brought:
                self.deliver(0, cut=False)
                while self.holds:
                    self.finish(0, "on", cut=False)
            if all(row.state in jobs.ENDS for row in self.rows()):
                break
            self.clock.gone_s += HOUR_S  # what waits on purpose, and what nobody came for
        states = {row.id: row.state for row in self.rows()}
        assert set(states) == set(self.asked), "a job was lost"
        assert set(states.values()) <= set(jobs.ENDS), f"a job never ends: {states}"
        self.all_is_well()

    # --- what happens ---

    @precondition(lambda self: len(self.asked) < 2)
    @rule()
    def ask(self) -> None:
        with self.catalog.writing() as db:
            facts = {"school_id": self.school, "owner_id": self.person, "recording_id": f"{len(self.asked):016x}"}
            db.add(lesson := Lesson(title="La papa", **facts))
            db.flush()
            job = jobs.ask(db, lesson_id=lesson.id, goal="publish", first="ingest", queue="voice", **facts)
            self.asked[job.id] = lesson.id

    @rule(cut=st.sampled_from([None, "before", "after"]))
    def post(self, cut: str | None) -> None:
        """`cut`: the postman is killed just before or just after the broker has the letter."""

        def send(_queue: str, body: Mapping[str, Any]) -> None:
            if cut == "before":
                raise Killed
            self.brought.append((body["job"], body["stage"]))
            if cut == "after":
                raise Killed

        with suppress(Killed):
            outbox.post(self.catalog, {"task": send}, (ConnectionError,))

    @precondition(lambda self: self.brought)
    @rule(lost=st.booleans())
    def broker_restarts(self, lost: bool) -> None:
        """It brings what it has once more; or it has lost everything."""
        self.brought = [] if lost else self.brought * 2 if len(self.brought) < 8 else self.brought

    @precondition(lambda self: self.brought and len(self.holds) < len(WORKERS))
    @rule(which=st.integers(0, 7), cut=st.sampled_from([False, False, True]))
    def deliver(self, which: int, cut: bool) -> None:
        """`cut`: the worker is killed as soon as it has taken the job, or its connection before it heard so."""
        worker = next(name for name in WORKERS if name not in self.holds)
        job, stage = self.brought.pop(which % len(self.brought))
        taken = jobs.take(self.catalog, job, stage, worker)
        if taken is not None and taken.state == "running" and not cut:
            self.holds[worker] = (job, taken.stage or "")

    @precondition(lambda self: self.holds)
    @rule(
        which=st.integers(0, 2),
        how=st.sampled_from(["on", "on", "wait", "slice", "fail", "back"]),
        cut=st.booleans(),
    )
    def finish(self, which: int, how: str, cut: bool) -> None:
        """`cut`: the database has it, but the answer is lost, so it is said twice."""
        worker = self.one_of_them(which)
        job, stage = self.holds.pop(worker)
        for _ in range(1 + cut):
            self.say(job, stage, worker, how)

    def say(self, job: str, stage: str, worker: str, how: str) -> None:
        if how == "on":
            at = STAGES.index(stage)
            following = STAGES[at + 1] if stage != "publish" else None
            note = lambda db, row: lessons.made(db, row, {"bytes": 1, "files": {}})  # noqa: E731
            jobs.go_on(self.catalog, job, worker, following, "voice", made=note)
        elif how in ("wait", "slice"):
            jobs.wait(
                self.catalog, job, worker, "voice", 60.0 if how == "wait" else 0.0, 0.5 if how == "slice" else None
            )
        elif how == "fail":
            jobs.fail(self.catalog, job, "NoAudio", {}, worker)
        else:
            jobs.give_back(self.catalog, job, worker, "voice")

    @precondition(lambda self: self.holds)
    @rule(which=st.integers(0, 2))
    def dies(self, which: int) -> None:
        del self.holds[self.one_of_them(which)]

    def one_of_them(self, which: int) -> str:
        return sorted(self.holds)[which % len(self.holds)]

    @precondition(lambda self: self.holds)
    @rule(which=st.integers(0, 2))
    def hangs(self, which: int) -> None:
        """A machine swaps: its worker is taken for dead, and comes back."""
        worker = self.one_of_them(which)
        held = self.holds.pop(worker)
        self.time_goes_by()
        assert not self.mine(worker, held[0]), "nobody follows the worker that fell silent"
        self.holds[worker] = held

    @precondition(lambda self: self.asked)
    @rule()
    def time_goes_by(self) -> None:
        """Whoever lives beats; nobody is taken for dead however often somebody looks."""
        before = {worker: held for worker, held in self.holds.items() if self.mine(worker, held[0])}
        for _ in range(6):
            self.clock.gone_s += SILENT_S / 4
            for worker, (job, _stage) in list(self.holds.items()):
                if not jobs.beat(self.catalog, job, worker, 0.1):
                    self.stops(worker, job)
            self.sweep(0)
        for worker, held in before.items():
            assert worker not in self.holds or self.mine(worker, held[0]), "the job was taken from a worker that lives"

    def stops(self, worker: str, job: str) -> None:
        jobs.cancelled(self.catalog, job, worker)
        del self.holds[worker]

    @rule(postman=st.sampled_from([0, 1]))
    def sweep(self, postman: int) -> None:
        jobs.sweep(self.catalog, queue_of, self.watches[postman].silent(jobs.signs(self.catalog)))

    @rule(hours=st.sampled_from([-30_000, -7, -0.01, 0.01, 7, 30_000]))
    def clock_jumps(self, hours: float) -> None:
        self.clock.wall_s += hours * HOUR_S

    @precondition(lambda self: self.asked)
    @rule(which=st.integers(0, 2))
    def cancel(self, which: int) -> None:
        job = list(self.asked)[which % len(self.asked)]
        row = jobs.cancel(self.catalog, job)
        assert row is not None
        assert row.state != "waiting"

    @precondition(lambda self: self.asked)
    @rule(which=st.integers(0, 2), stage=st.sampled_from(STAGES))
    def comes_back_dead(self, which: int, stage: str) -> None:
        """A letter that workers died over."""
        jobs.undelivered(self.catalog, list(self.asked)[which % len(self.asked)], stage, "voice")

    # --- what is always true ---

    def rows(self) -> list[Job]:
        with self.catalog.reading() as db:
            return list(db.scalars(sa.select(Job)))

    def mine(self, worker: str, job: str) -> bool:
        return any(row.id == job and row.worker == worker and row.state == "running" for row in self.rows())

    @invariant()
    def all_is_well(self) -> None:
        with self.catalog.reading() as db:
            rows = list(db.scalars(sa.select(Job)))
            letters = list(db.scalars(sa.select(Letter)))
            made = {lesson.id for lesson in db.scalars(sa.select(Lesson)) if lesson.facts}
        for row in rows:
            self.makes_sense(row)
        working = Counter(
            job for worker, (job, _) in self.holds.items() if (job, worker) in {(r.id, r.worker) for r in rows}
        )
        assert all(count == 1 for count in working.values()), "two work on one job"
        told = {(one.body["job"], one.body["stage"]) for one in letters if one.kind == "task"}
        assert {(row.id, row.stage) for row in rows if row.state == "waiting"} <= told, "nobody is told that it waits"
        done = {self.asked[job] for job, (state, _) in self.ended.items() if state == "done"}
        assert made == done, "a lesson is made exactly where its job is done"
        notices = Counter((one.address, one.body["event"]) for one in letters if one.kind == "notice")
        ends = Counter((f"chasqui/ie-40/jobs/{job}", f"job.{state}") for job, (state, _) in self.ended.items())
        assert notices == ends + Counter((f"chasqui/ie-40/lessons/{one}", "lesson.made") for one in done), "told once"

    def makes_sense(self, row: Job) -> None:
        assert (row.worker is not None) == (row.state == "running"), row.state
        assert (row.ended_s is not None) == (row.state in jobs.ENDS)
        assert 0 <= row.attempts <= jobs.ATTEMPTS
        assert row.state != "waiting" or row.cancel_s is None, "it waits although nobody wants it"
        assert row.error in (("NoAudio", "GaveUp") if row.state == "failed" else (None,))
        assert self.ended.get(row.id, (row.state, row.error)) == (row.state, row.error), "it ended twice"
        if row.state in jobs.ENDS:
            self.ended[row.id] = (row.state, row.error)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (jobs, outbox, watch):
        monkeypatch.setattr(module, "time", clock)
    return clock


def test_nothing_is_lost_whatever_happens(catalog: Catalog, clock: Clock) -> None:
    class Here(Machine):
        pass

    sqlite = catalog.engine.dialect.name == "sqlite"
    if sqlite:  # power stays: thousands of commits need not wait for the disk
        sa.event.listen(catalog.engine, "connect", lambda link, _: link.execute("PRAGMA synchronous=OFF"))
        catalog.close()
    Here.catalog, Here.clock = catalog, clock
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=int(LONG or (15 if sqlite else 3)),
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, *([Phase.shrink] if LONG else [])],  # shorter ones take minutes to find
        ),
    )
