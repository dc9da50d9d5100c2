"""The postman: letters to the broker, silent workers, dead letters; patient after a pause."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import asked, row

from chasqui.catalog import Catalog, jobs
from chasqui.errors import CatalogAway
from chasqui.run.queue import post, watch
from chasqui.run.queue.messages import Messages
from chasqui.run.queue.post import Postman, postman
from chasqui.run.service import Service
from chasqui.store import Store


@pytest.fixture
def job(catalog: Catalog, store: Store, tmp_path: Path) -> str:
    return asked(catalog, store, tmp_path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that have gone by since the real time; [1]: those by which the clock on the wall has jumped."""
    gone = [0.0, 0.0]
    real, wall = time.monotonic, time.time

    class Clock:
        monotonic = staticmethod(lambda: real() + gone[0])
        time = staticmethod(lambda: wall() + gone[0] + gone[1])

    for module in (post, watch, jobs):
        monkeypatch.setattr(module, "time", Clock)
    return gone


def looks(man: Postman, clock: list[float], times: int) -> None:
    for _ in range(times):
        clock[0] += 4.0
        man.round()


def test_a_silent_worker_is_followed_by_another(catalog: Catalog, job: str, clock: list[float]) -> None:
    man = Postman(catalog, {}, ())
    jobs.take(catalog, job, "ingest", "w1")
    looks(man, clock, 4)  # the first one hears it
    assert row(catalog, job).state == "running"
    looks(man, clock, 1)
    assert row(catalog, job).state == "waiting"


@pytest.mark.parametrize("hours", [-7, 7])
def test_a_clock_that_jumps_costs_nobody_a_job(catalog: Catalog, job: str, clock: list[float], hours: float) -> None:
    man = Postman(catalog, {}, ())
    jobs.take(catalog, job, "ingest", "w1")
    looks(man, clock, 1)
    clock[1] += hours * 3600.0  # the worker's clock follows at its next beat
    looks(man, clock, 1)
    assert jobs.beat(catalog, job, "w1")
    looks(man, clock, 3)
    assert row(catalog, job).state == "running"
    looks(man, clock, 2)
    assert row(catalog, job).state == "waiting"


def test_while_nobody_could_be_heard_nobody_is_dead(
    catalog: Catalog, job: str, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    man, real = Postman(catalog, {}, ()), jobs.signs
    jobs.take(catalog, job, "ingest", "w1")
    looks(man, clock, 1)

    def away(_catalog: Catalog) -> Any:
        raise CatalogAway(why="restarted")

    monkeypatch.setattr(jobs, "signs", away)
    with pytest.raises(CatalogAway):
        looks(man, clock, 1)
    clock[0] += 3600.0
    monkeypatch.setattr(jobs, "signs", real)
    looks(man, clock, 2)
    assert row(catalog, job).state == "running"
    looks(man, clock, 2)
    assert row(catalog, job).state == "waiting"


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


def test_a_dead_letter_that_nobody_can_read_lies_in_nobodys_way(tmp_path: Path) -> None:
    service = Service(data=tmp_path)
    opened, store = service.catalog(), service.stores().root
    job, man = asked(opened, store, tmp_path), postman(service, opened)
    queue = Messages(tmp_path / "queue.db", "w1")
    for body in ("no JSON", '{"body": "bm8gSlNPTg=="}', '{"body": "W10="}'):
        queue.put("voice", body)
        queue.bury(getattr(queue.take("voice"), "id"))  # noqa: B009
    assert man.round() == 1
    held = queue.take("voice")
    assert held
    queue.bury(held.id)
    man._swept_s = float("-inf")
    man.round()
    assert queue.dead() == []
    assert row(opened, job).attempts == 1
    queue.close()
    opened.close()


def test_letters_that_were_delivered_too_often_are_read_from_the_file(tmp_path: Path) -> None:
    service = Service(data=tmp_path)
    opened, store = service.catalog(), service.stores().root
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
