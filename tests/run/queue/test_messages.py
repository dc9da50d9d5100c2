"""The queue in a file: order, leases, the dead, and many workers at once."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from pathlib import Path

import pytest

from chasqui.run.queue.messages import Messages


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "queue.db"


def expire(messages: Messages) -> None:
    messages._run("UPDATE messages SET lease_until_s = lease_until_s - 1000 WHERE holder IS NOT NULL")


def test_first_in_first_out_within_a_priority(path: Path) -> None:
    queue = Messages(path, "a")
    for body, priority in (("1", 0), ("2", 0), ("urgent", 5), ("3", 0)):
        queue.put("voice", body, priority)
    taken = [queue.take("voice") for _ in range(5)]
    assert [one.body for one in taken if one] == ["urgent", "1", "2", "3"]
    assert taken[4] is None
    assert queue.take("video") is None


def test_what_is_held_is_nobody_elses_until_the_lease_ends(path: Path) -> None:
    first, second = Messages(path, "a"), Messages(path, "b")
    first.put("voice", "x")
    held = first.take("voice")
    assert held and second.take("voice") is None
    expire(first)
    first.renew([held.id])
    assert second.take("voice") is None
    expire(first)
    again = second.take("voice")
    assert again and (again.body, again.deliveries) == ("x", 2)
    first.done(held.id)  # too late: it is the other's now
    first.release(held.id)
    first.bury(held.id)
    assert second.size("voice") == 1
    second.done(again.id)
    assert second.size("voice") == 0
    assert second.dead() == []


def test_what_is_taken_too_often_is_dead(path: Path) -> None:
    queue = Messages(path, "a", limit=2)
    queue.put("voice", "poison")
    for delivery in (1, 2, 3):
        taken = queue.take("voice")
        assert taken and taken.deliveries == delivery
        expire(queue)
    assert queue.take("voice") is None
    ((number, where, body),) = queue.dead()
    assert (where, body) == ("voice", "poison")
    queue.forget(number)
    assert queue.dead() == []


def test_a_clock_that_was_set_back_by_hours_holds_nothing_up(path: Path) -> None:
    first, second = Messages(path, "a", lease_s=5.0), Messages(path, "b", lease_s=5.0)
    first.put("voice", "x")
    assert first.take("voice")
    first._run("UPDATE messages SET lease_until_s = lease_until_s + 3600")
    assert second.take("voice")
    assert first.take("voice") is None


def test_what_nobody_opened_was_not_delivered(path: Path) -> None:
    queue = Messages(path, "a", limit=2)
    queue.put("voice", "x")
    for _ in range(9):
        held = queue.take("voice")
        assert held
        queue.release(held.id, unused=True)
    assert queue.dead() == []


def test_whoever_looks_hears_of_what_others_write(path: Path) -> None:
    first, second = Messages(path, "a"), Messages(path, "b")
    assert first.stirred()
    assert not first.stirred()
    second.put("voice", "x")
    assert first.stirred()
    assert not first.stirred()


def test_purging_leaves_what_is_held(path: Path) -> None:
    queue = Messages(path, "a")
    for body in "abc":
        queue.put("voice", body)
    queue.take("voice")
    assert queue.purge("voice") == 2
    assert queue.size("voice") == 1


def _work(path: Path, name: str, got: object) -> None:
    queue = Messages(path, name)
    idle = time.monotonic() + 20
    while time.monotonic() < idle:
        if (taken := queue.take("voice")) is None:
            if queue.size("voice") == 0:
                return
            continue
        got.put(taken.body)  # type: ignore[attr-defined]
        queue.done(taken.id)


def test_many_processes_share_without_losing_or_doubling(path: Path) -> None:
    queue = Messages(path, "publisher")
    for n in range(120):
        queue.put("voice", str(n))
    context = multiprocessing.get_context("spawn")
    got = context.Queue()
    workers = [context.Process(target=_work, args=(path, f"w{n}", got)) for n in range(3)]
    for worker in workers:
        worker.start()
    bodies = Counter(got.get(timeout=60) for _ in range(120))
    for worker in workers:
        worker.join(30)
    assert bodies == Counter(str(n) for n in range(120))
    assert got.empty()
