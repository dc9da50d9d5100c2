"""What a worker does with a letter: the stage, the next one, the end; told to stop, it stops."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from asking import asked, row, whichever
from fakes import Rooms

from chasqui.catalog import Catalog, jobs, open_catalog, retries
from chasqui.catalog.tables import Job, Lesson, Letter
from chasqui.errors import CatalogAway
from chasqui.pipeline import PIPELINE, stages_for
from chasqui.run.queue import work
from chasqui.run.queue.beat import Ending
from chasqui.run.queue.work import Worker
from chasqui.store import Store


@pytest.fixture
def worker(catalog: Catalog, store: Store) -> Worker:
    return Worker("w1", catalog, whichever(store))


def deliver(catalog: Catalog, worker: Worker, most: int = 99) -> list[str]:
    """Every letter there is, as a broker would bring them; the stages in their order."""
    brought = []
    for _ in range(most):
        with catalog.writing() as db:
            wanted = (Letter.kind == "task", Letter.sent_s.is_(None))
            letter = db.scalars(sa.select(Letter).where(*wanted).limit(1)).first()
            if letter is None:
                break
            letter.sent_s = time.time()
        brought.append(letter.body["stage"])
        worker.perform(letter.body["job"], letter.body["stage"])
    return brought


def test_a_job_is_done_stage_by_stage(
    catalog: Catalog, store: Store, worker: Worker, tmp_path: Path, fake_rooms: Rooms
) -> None:
    job = asked(catalog, store, tmp_path)
    assert deliver(catalog, worker) == [stage.name for stage in stages_for("publish")]
    assert row(catalog, job).state == "done"
    assert set(fake_rooms.runs.values()) == {1}


def test_a_letter_that_comes_twice_does_nothing(
    catalog: Catalog, store: Store, worker: Worker, tmp_path: Path, fake_rooms: Rooms
) -> None:
    job = asked(catalog, store, tmp_path)
    deliver(catalog, worker, 3)
    worker.perform(job, "ingest")
    assert fake_rooms.runs["ingest"] == 1
    assert row(catalog, job).stage == "transcribe"


def test_settings_of_the_job_reach_the_stage(
    catalog: Catalog, store: Store, worker: Worker, tmp_path: Path, fake_rooms: Rooms
) -> None:
    from chasqui.records import Plan

    job = asked(catalog, store, tmp_path, choose__target="clear")
    deliver(catalog, worker)
    plan = store.get(row(catalog, job).recording_id, "choose", Plan)
    assert plan is not None
    assert plan.target == "clear"


@pytest.mark.parametrize(
    ("text", "error", "stage"),
    [("TEXT", "NotMedia", "ingest"), ("BUG", "Defect", "clean"), ("hola", "BadConfig", "choose")],
)
def test_what_is_refused_ends_with_its_reason(
    catalog: Catalog, store: Store, worker: Worker, tmp_path: Path, fake_rooms: Rooms, text: str, error: str, stage: str
) -> None:
    settings = {"choose__target": "perfect"} if error == "BadConfig" else {}
    job = asked(catalog, store, tmp_path, text, **settings)
    deliver(catalog, worker)
    ended = row(catalog, job)
    assert (ended.state, ended.error) == ("failed", error)
    if error != "BadConfig":
        assert ended.stage == stage


def test_what_the_world_hindered_waits_longer_and_longer_and_then_fails(
    catalog: Catalog, store: Store, worker: Worker, tmp_path: Path, fake_rooms: Rooms
) -> None:
    job = asked(catalog, store, tmp_path, "FULL")
    deliver(catalog, worker, 20)
    ended = row(catalog, job)
    assert (ended.state, ended.error, ended.stage) == ("failed", "DiskFull", "encode")
    with catalog.reading() as db:
        tasks = db.scalars(sa.select(Letter).where(Letter.kind == "task"))
        tried = [letter for letter in tasks if letter.body["stage"] == "encode"]
    waits = [letter.due_s - letter.created_s for letter in tried]
    assert waits == sorted(waits)
    assert len(waits) == jobs.ATTEMPTS


@pytest.fixture
def slow(fake_rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Cleaning takes a minute, and says when it has begun."""
    begun, real = threading.Event(), PIPELINE["clean"].room.run

    def run(*needs: Any, **rest: Any) -> Any:
        begun.set()
        for _ in range(600):
            time.sleep(0.1)
        return real(*needs, **rest)

    monkeypatch.setattr(PIPELINE["clean"].room, "run", run)
    return begun


def test_cancelled_work_stops_within_two_seconds(
    catalog: Catalog, store: Store, worker: Worker, tmp_path: Path, slow: threading.Event
) -> None:
    job = asked(catalog, store, tmp_path)
    asked_at: list[float] = []

    def cancel() -> None:
        slow.wait(30)
        asked_at.append(time.monotonic())
        jobs.cancel(catalog, job)

    thread = threading.Thread(target=cancel)
    thread.start()
    deliver(catalog, worker)
    ended = time.monotonic()
    thread.join()
    assert row(catalog, job).state == "cancelled"
    assert ended - asked_at[0] < 10  # two seconds on a machine that has nothing else to do
    assert not list((tmp_path / "store").rglob("clean.json"))


def test_work_in_slices_goes_back_to_the_queue(
    catalog: Catalog, store: Store, tmp_path: Path, slow: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "SLICED", {"clean"})
    worker = Worker("w1", catalog, whichever(store), slice_s=0.5)
    job = asked(catalog, store, tmp_path)
    assert deliver(catalog, worker, 2) == ["ingest", "clean"]
    waiting = row(catalog, job)
    assert (waiting.state, waiting.stage) == ("waiting", "clean")


def steps(monkeypatch: pytest.MonkeyPatch, done: list[float]) -> list[float]:
    """Cleaning that comes as far as these say, one after the other, and stays there until it is stopped."""
    left, real = list(done), PIPELINE["clean"].room.run

    def run(*needs: Any, report: Any, **rest: Any) -> Any:
        if not left:
            return real(*needs, report=report, **rest)
        report.advanced(left.pop(0), 1.0)
        for _ in range(600):
            time.sleep(0.1)
        raise AssertionError("nobody stopped it")

    monkeypatch.setattr(PIPELINE["clean"].room, "run", run)
    return left


def test_slices_that_come_further_are_as_many_as_it_takes(
    catalog: Catalog, store: Store, tmp_path: Path, fake_rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "SLICED", {"clean"})
    steps(monkeypatch, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    job = asked(catalog, store, tmp_path)
    deliver(catalog, Worker("w1", catalog, whichever(store), slice_s=0.2))
    assert row(catalog, job).state == "done"


def test_slices_that_come_no_further_are_given_up(
    catalog: Catalog, store: Store, tmp_path: Path, fake_rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "SLICED", {"clean"})
    left = steps(monkeypatch, [0.1] * 10)
    job = asked(catalog, store, tmp_path)
    deliver(catalog, Worker("w1", catalog, whichever(store), slice_s=0.2))
    assert (row(catalog, job).state, row(catalog, job).error) == ("failed", "GaveUp")
    assert len(left) == 10 - jobs.ATTEMPTS - 1  # the first one did come further, from nothing


def test_a_stage_that_says_nothing_any_more_is_tried_again_and_given_up(
    catalog: Catalog, store: Store, tmp_path: Path, fake_rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "FIRST_WAIT_S", 0.0)
    left = steps(monkeypatch, [0.1] * 10)
    job = asked(catalog, store, tmp_path)
    deliver(catalog, Worker("w1", catalog, whichever(store), stuck_s=0.3))
    assert (row(catalog, job).state, row(catalog, job).error) == ("failed", "GaveUp")
    assert len(left) == 10 - jobs.ATTEMPTS


def test_what_would_begin_anew_is_not_cut(
    catalog: Catalog, store: Store, tmp_path: Path, fake_rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = PIPELINE["clean"].room.run

    def run(*needs: Any, **rest: Any) -> Any:
        time.sleep(1.0)
        return real(*needs, **rest)

    monkeypatch.setattr(PIPELINE["clean"].room, "run", run)
    job = asked(catalog, store, tmp_path)
    deliver(catalog, Worker("w1", catalog, whichever(store), slice_s=0.2))
    assert row(catalog, job).state == "done"
    assert fake_rooms.runs["clean"] == 1


def test_what_follows_in_the_same_queues_is_done_at_once(
    catalog: Catalog, store: Store, tmp_path: Path, fake_rooms: Rooms
) -> None:
    job = asked(catalog, store, tmp_path)
    voice = Worker("w1", catalog, whichever(store), queues=frozenset({"voice"}))
    assert deliver(catalog, voice, 1) == ["ingest"]
    assert (row(catalog, job).state, row(catalog, job).stage) == ("waiting", "transcribe")
    assert deliver(catalog, Worker("w2", catalog, whichever(store), queues=frozenset({"words"})), 1) == ["transcribe"]
    assert deliver(catalog, voice) == ["diarize"]
    assert row(catalog, job).state == "done"
    assert set(fake_rooms.runs.values()) == {1}


def test_between_two_stages_of_a_row_it_can_be_cancelled(
    catalog: Catalog, store: Store, tmp_path: Path, fake_rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = asked(catalog, store, tmp_path)
    real = PIPELINE["clean"].room.run

    def run(*needs: Any, **rest: Any) -> Any:
        jobs.cancel(catalog, job)
        return real(*needs, **rest)

    monkeypatch.setattr(PIPELINE["clean"].room, "run", run)
    deliver(catalog, Worker("w1", catalog, whichever(store), queues=frozenset({"voice", "words"})))
    assert row(catalog, job).state == "cancelled"
    assert fake_rooms.runs["analyze"] == 0


def test_whoever_wants_it_otherwise_in_the_middle_gets_what_they_want(
    catalog: Catalog, store: Store, tmp_path: Path, fake_rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was cancelled is about to begin its stage, and comes to its end; somebody else is free for the new one."""
    from chasqui.records import Plan

    all_of_it = frozenset({"voice", "words"})
    worker, other = (Worker(name, catalog, whichever(store), queues=all_of_it) for name in ("w1", "w2"))
    job = lesson_job(catalog, asked(catalog, store, tmp_path, choose__target="clear"))
    real, wishes = work.run_stage, list[str]()

    def run(stage: str, *rest: Any) -> Any:
        if stage == "choose" and not wishes:
            facts = (job.lesson_id, job.owner_id, {"choose__target": "understood"}, "ingest", "voice")
            wishes.append(retries.otherwise(catalog, *facts).id)
            other.perform(wishes[0], "ingest")
        return real(stage, *rest)

    monkeypatch.setattr(work, "run_stage", run)
    deliver(catalog, worker)
    plan = store.get(job.recording_id, "choose", Plan)
    assert plan and plan.target == "understood"
    assert [row(catalog, one).state for one in (job.id, *wishes)] == ["cancelled", "done"]


def lesson_job(catalog: Catalog, job_id: str) -> Job:
    """The same job, of a lesson."""
    with catalog.writing() as db:
        job = db.get_one(Job, job_id)
        facts = {"school_id": job.school_id, "owner_id": job.owner_id, "recording_id": job.recording_id}
        db.add(lesson := Lesson(**facts, title="La papa"))
        db.flush()
        job.lesson_id = lesson.id
        return job


def test_a_worker_that_has_to_end_gives_the_job_back_at_once(
    catalog: Catalog, store: Store, tmp_path: Path, slow: threading.Event
) -> None:
    job, ending = asked(catalog, store, tmp_path), Ending()

    def end() -> None:
        slow.wait(30)
        ending.tell()

    thread = threading.Thread(target=end)
    thread.start()
    worker = Worker("w1", catalog, whichever(store), queues=frozenset({"voice"}), ending=ending)
    assert deliver(catalog, worker, 1) == ["ingest"]
    thread.join()
    given = row(catalog, job)
    assert (given.state, given.stage, given.worker, given.attempts) == ("waiting", "clean", None, 0)
    assert not list((tmp_path / "store").rglob("clean.json"))


def test_a_database_that_is_away_for_a_moment_costs_nothing(
    catalog: Catalog, store: Store, tmp_path: Path, fake_rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, real = [True] * 3, jobs.go_on

    def go_on(*facts: Any) -> Any:
        if away:
            away.pop()
            raise CatalogAway(why="it is being restarted")
        return real(*facts)

    monkeypatch.setattr(jobs, "go_on", go_on)
    monkeypatch.setattr(work, "AGAIN_S", 0.01)
    job = asked(catalog, store, tmp_path)
    deliver(catalog, Worker("w1", catalog, whichever(store)))
    assert row(catalog, job).state == "done"
    assert set(fake_rooms.runs.values()) == {1}


def test_a_stage_that_hears_nothing_is_ended_with_its_process(tmp_path: Path) -> None:
    """Deep in a C library no Python exception is raised: the process goes, and the job is cancelled all the same."""
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
import ctypes, threading
from pathlib import Path
from chasqui.catalog import jobs, open_catalog
from chasqui.run.queue import work
from chasqui.run.queue.work import Worker
from chasqui.store.folder import FolderStore
from asking import asked, whichever
folder = Path({str(tmp_path)!r})
catalog, store = open_catalog("sqlite:///" + str(folder / "catalog.db")), FolderStore(folder / "store")
job = asked(catalog, store, folder)
def deaf(*_):
    threading.Timer(0.2, jobs.cancel, (catalog, job)).start()
    libc = ctypes.CDLL(None)
    for _ in range(60):
        libc.usleep(999_000)  # comes back when a signal arrives, and is called again before Python looks
work.run_stage = deaf
import signal
real = signal.signal
signal.signal = lambda number, handler: real(number, signal.SIG_IGN if number == signal.SIGUSR2 else handler)
Worker("w1", catalog, whichever(store)).perform(job, "ingest")
sys.exit(9)
"""
    ended = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert ended.returncode == 0
    catalog = open_catalog(f"sqlite:///{tmp_path / 'catalog.db'}")
    with catalog.reading() as db:
        assert db.scalar(sa.select(Job.state)) == "cancelled"
    catalog.close()


def test_a_worker_that_was_taken_for_dead_stops(
    catalog: Catalog, store: Store, worker: Worker, tmp_path: Path, slow: threading.Event
) -> None:
    job = asked(catalog, store, tmp_path)

    def steal() -> None:
        slow.wait(30)
        with catalog.writing() as db:
            db.execute(sa.update(Job).values(worker="w2"))

    thread = threading.Thread(target=steal)
    thread.start()
    deliver(catalog, worker, 2)
    thread.join()
    assert (row(catalog, job).state, row(catalog, job).worker) == ("running", "w2")


def test_signals_are_as_before_afterwards(
    catalog: Catalog, store: Store, worker: Worker, tmp_path: Path, fake_rooms: Rooms
) -> None:
    before = signal.getsignal(signal.SIGUSR2)
    asked(catalog, store, tmp_path)
    deliver(catalog, worker, 1)
    assert signal.getsignal(signal.SIGUSR2) is before


def test_the_queue_of_a_stage() -> None:
    assert work.queue_of("transcribe") == "words"
    assert work.queue_of("clean") == work.queue_of(None) == "voice"
