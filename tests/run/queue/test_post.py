"""The postman: letters to the broker, silent workers, dead letters; patient after a pause."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from asking import asked, row

from chasqui.catalog import Catalog, jobs
from chasqui.catalog.tables import Job
from chasqui.errors import CatalogAway
from chasqui.run.queue import post
from chasqui.run.queue.messages import Messages
from chasqui.run.queue.post import Postman, postman
from chasqui.run.service import Service
from chasqui.store import Store


@pytest.fixture
def job(catalog: Catalog, store: Store, tmp_path: Path) -> str:
    return asked(catalog, store, tmp_path)


def silenced(opened: Catalog, job: str) -> None:
    jobs.take(opened, job, "ingest", "w1")
    with opened.writing() as db:
        db.execute(sa.update(Job).values(beat_s=time.time() - jobs.SILENT_S - 1))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that have gone by since the real time, on both clocks or on the one on the wall only."""
    gone = [0.0, 0.0]
    real, wall = time.monotonic, time.time

    class Clock:
        monotonic = staticmethod(lambda: real() + gone[0])
        time = staticmethod(lambda: wall() + gone[0] + gone[1])

    monkeypatch.setattr(post, "time", Clock)
    return gone


def test_a_silent_worker_is_followed_once_the_others_could_speak_up(
    catalog: Catalog, job: str, clock: list[float]
) -> None:
    silenced(catalog, job)
    man = Postman(catalog, {}, ())
    man.round()
    assert row(catalog, job).state == "running"
    for _ in range(5):
        clock[0] += 2.0
        man.round()
    assert row(catalog, job).state == "waiting"


def test_a_machine_that_slept_takes_nobody_for_dead_at_once(catalog: Catalog, job: str, clock: list[float]) -> None:
    man = Postman(catalog, {}, ())
    clock[0] += 4.0
    man.round()
    silenced(catalog, job)
    clock[1] += 3600.0
    clock[0] += 4.0
    man.round()
    assert row(catalog, job).state == "running"


def test_dead_letters_are_brought_before_the_catalog(catalog: Catalog, job: str) -> None:
    man = Postman(catalog, {}, (), dead=lambda: iter([(job, "ingest"), ("gone", "ingest")]))
    man.round()
    assert (row(catalog, job).state, row(catalog, job).attempts) == ("waiting", 1)


def test_a_broker_that_is_away_holds_up_nothing_else(catalog: Catalog, job: str) -> None:
    def away() -> Iterator[tuple[str, str]]:
        raise OSError("no broker")
        yield

    done: list[str] = []
    Postman(catalog, {}, (OSError,), dead=away, chores=[lambda: done.append("tidied")]).round()
    assert done == ["tidied"]


def test_the_post_goes_on_after_the_database_was_away(catalog: Catalog, job: str) -> None:
    calls: list[int] = []

    def chore() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise CatalogAway(why="restarted")

    sent: list[Any] = []
    man = Postman(catalog, {"task": lambda queue, body: sent.append((queue, body["job"]))}, (), chores=[chore])
    man.start()
    until = time.monotonic() + 30
    while not sent and time.monotonic() < until:
        time.sleep(0.05)
    man.stop()
    assert sent == [("voice", job)]


def test_letters_that_were_delivered_too_often_are_read_from_the_file(tmp_path: Path) -> None:
    service = Service(data=tmp_path)
    opened, store = service.catalog(), service.store()
    job = asked(opened, store, tmp_path)
    man = postman(service, opened)
    assert man.round() == 1
    queue = Messages(tmp_path / "queue.db", "w1")
    held = queue.take("voice")
    assert held
    queue.bury(held.id)
    man._swept_s = float("-inf")
    man.round()
    assert row(opened, job).attempts == 1
    assert queue.dead() == []
    queue.close()
    opened.close()
