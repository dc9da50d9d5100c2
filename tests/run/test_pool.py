"""The pool: every task has one outcome, none is taken before there is a hand for it, a death costs one recording."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sounds import babble, write

from chasqui.config import Config
from chasqui.events import Event
from chasqui.run.chunk import Job, Task
from chasqui.run.pool import ATTEMPTS, Pool
from chasqui.run.sources import open_sources


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Five recordings that differ, one that is none."""
    (tmp_path / "in").mkdir()
    for number in range(5):
        write(tmp_path / "in" / f"{number}.wav", babble(1.2, 16000, seed=number), 16000)
    (tmp_path / "in" / "letter.wav").write_text("Dear class,")
    return Job(str(tmp_path / "in"), f"file:{tmp_path / 'store'}", Config(), ("ingest", "collect"))


def tasks(job: Job) -> list[Task]:
    return [Task(source, (source.name,)) for source in open_sources(job.url, "").walk()]


def test_every_task_has_an_outcome_and_a_refusal_stops_nobody(job: Job) -> None:
    heard: list[Event] = []
    pool = Pool(job, 2, heard.append)
    outcomes = {outcome.task.source.name: outcome for outcome in pool.outcomes(iter(tasks(job)))}
    assert len(outcomes) == 6
    failure = outcomes.pop("letter.wav").failure
    assert failure is not None and failure.error == "NotMedia"
    assert all(outcome.row is not None and outcome.duration_s > 1 for outcome in outcomes.values())
    assert {event.facts["name"] for event in heard if event.stage == "ingest"} == {*outcomes, "letter.wav"}
    assert not pool._workers


def test_a_task_is_taken_only_when_there_is_a_hand_for_it(job: Job) -> None:
    taken = 0

    def lazily() -> Iterator[Task]:
        nonlocal taken
        for task in tasks(job):
            taken += 1
            yield task

    for done, _ in enumerate(Pool(job, 2).outcomes(lazily()), 1):
        assert taken <= done + 2


def test_no_work_starts_no_process(job: Job) -> None:
    pool = Pool(job, 2)
    assert list(pool.outcomes(iter(()))) == []
    assert not pool._workers


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")
@pytest.mark.parametrize("deaths", [1, ATTEMPTS])
def test_a_process_that_is_killed_costs_its_recording_only_at_the_second_time(job: Job, deaths: int) -> None:
    killed = 0

    def kill(recording_id: str, place: str) -> bool:
        nonlocal killed
        if place == "2.wav" and killed < deaths:
            worker = next(w for w in pool._workers if w.task is not None and w.task.source.name == place)
            os.kill(worker.process.pid, signal.SIGKILL)
            worker.process.join()
            killed += 1
        return True

    pool = Pool(job, 2, None, kill)
    outcomes = {outcome.task.source.name: outcome for outcome in pool.outcomes(iter(tasks(job)))}
    assert killed == deaths
    assert {name for name, outcome in outcomes.items() if outcome.row is None} == (
        {"letter.wav"} if deaths < ATTEMPTS else {"letter.wav", "2.wav"}
    )
    if deaths == ATTEMPTS:
        failure = outcomes["2.wav"].failure
        assert failure is not None
        assert failure.as_error().code == "WorkerLost" and "signal 9" in str(failure.as_error())
        assert failure.as_error().action == "retry"


def test_the_same_bytes_are_worked_on_once(job: Job, tmp_path: Path) -> None:
    (tmp_path / "in" / "again.wav").write_bytes((tmp_path / "in" / "1.wav").read_bytes())
    hands: dict[str, str] = {}
    outcomes = list(Pool(job, 2, None, lambda i, place: hands.setdefault(i, place) == place).outcomes(iter(tasks(job))))
    same = [outcome for outcome in outcomes if outcome.task.source.name in ("1.wav", "again.wav")]
    assert len({outcome.recording_id for outcome in same}) == 1
    assert sum(outcome.row is not None for outcome in same) == 1


def test_closing_it_early_leaves_no_process(job: Job) -> None:
    pool = Pool(job, 2)
    outcomes = pool.outcomes(iter(tasks(job)))
    next(outcomes)
    processes = [worker.process for worker in pool._workers]
    assert processes
    outcomes.close()  # type: ignore[attr-defined]
    assert not any(process.is_alive() for process in processes)
    assert not [thread for thread in threading.enumerate() if thread.name == "parent watch"]
