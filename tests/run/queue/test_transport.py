"""Celery on the embedded queue, killed for real."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from kombu import Connection

from chasqui.run.queue import register
from chasqui.run.queue.messages import Messages
from chasqui.run.queue.transport import path_of

APP = """
import os, time
from celery import Celery
from chasqui.run.queue import register

register()
app = Celery("tests", broker=os.environ["BROKER"])
app.conf.update(
    task_acks_late=True, task_reject_on_worker_lost=True, task_ignore_result=True, worker_prefetch_multiplier=1,
    worker_enable_remote_control=False, broker_transport_options={"lease_s": 1.5, "delivery_limit": 2},
)

@app.task
def slow(path, seconds):
    with open(path, "a") as file:
        file.write("begun\\n")
    time.sleep(seconds)
    with open(path, "a") as file:
        file.write("done\\n")

@app.task
def poison(path):
    with open(path, "a") as file:
        file.write("begun\\n")
    os.kill(os.getppid(), 9)
    time.sleep(30)
"""


@pytest.fixture
def app(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "queue_app.py").write_text(APP)
    broker = f"chasqui+sqlite:///{tmp_path / 'queue.db'}"
    return {**os.environ, "PYTHONPATH": str(tmp_path), "BROKER": broker}


@contextmanager
def worker(app: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "celery", "-A", "queue_app", "worker", "-c", "1", "--without-gossip"]
    process = subprocess.Popen(
        [*command, "--without-mingle", "--loglevel", "ERROR"],
        env=app,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """The whole tree, as a power cut would."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def send(app: dict[str, str], what: str) -> None:
    code = f"import queue_app; queue_app.{what}"
    subprocess.run([sys.executable, "-c", code], env=app, check=True, timeout=60)


def until(true: Callable[[], bool], limit_s: float = 60.0) -> None:
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


def said(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def test_work_of_a_killed_worker_is_done_by_the_next(app: dict[str, str], tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    send(app, f"slow.delay({str(marks)!r}, 2)")
    with worker(app) as first:
        until(lambda: said(marks) == ["begun"])
        kill(first)
    with worker(app):
        until(lambda: "done" in said(marks))
    assert said(marks) == ["begun", "begun", "done"]
    queue = Messages(tmp_path / "queue.db", "looking")
    until(lambda: queue.size("celery") == 0)


def test_work_that_takes_longer_than_a_lease_is_not_given_to_another(app: dict[str, str], tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    send(app, f"slow.delay({str(marks)!r}, 4)")
    with worker(app), worker(app):
        until(lambda: "done" in said(marks))
    assert said(marks) == ["begun", "done"]


def test_what_kills_every_worker_ends_among_the_dead(app: dict[str, str], tmp_path: Path) -> None:
    marks, queue = tmp_path / "marks", Messages(tmp_path / "queue.db", "looking")
    send(app, f"poison.delay({str(marks)!r})")
    for times in (1, 2, 3):
        with worker(app):
            until(lambda times=times: len(said(marks)) == times)  # type: ignore[misc]
    with worker(app):
        until(lambda: len(queue.dead()) == 1)
    assert len(said(marks)) == 3
    assert queue.size("celery") == 0


def test_kombu_puts_gets_rejects_and_gives_back(tmp_path: Path) -> None:
    register()
    with Connection(f"chasqui+sqlite:///{tmp_path / 'queue.db'}") as connection:
        box = connection.SimpleQueue("voice")
        for body in ({"n": 1}, {"n": 2}, {"n": 3}):
            box.put(body, serializer="json")
        first = box.get(timeout=5)
        assert first.payload == {"n": 1}
        first.requeue()
        again = box.get(timeout=5)
        assert again.payload == {"n": 1}
        assert again.delivery_info["redelivered"]
        again.ack()
        box.get(timeout=5).reject()
        held = box.get(timeout=5)
        assert held.payload == {"n": 3}
        box.close()
    queue = Messages(tmp_path / "queue.db", "looking")
    assert [body for _, _, body in queue.dead()]
    back = queue.take("voice")  # the channel gave it back when it closed
    assert back and back.deliveries == 1  # and nobody had opened it


def test_a_place_is_free_also_where_the_file_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that was full for a moment must not cost a worker one of its hands for ever."""
    register()
    with Connection(f"chasqui+sqlite:///{tmp_path / 'queue.db'}", transport_options={"lease_s": 0.5}) as connection:
        box = connection.SimpleQueue("voice")
        box.put({"n": 1}, serializer="json")
        box.channel.basic_qos(0, 1, False)
        held = box.get(timeout=5)

        def full(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(box.channel.messages, "done", full)
            with pytest.raises(sqlite3.OperationalError):
                held.ack()
        again = box.get(timeout=10)  # when its lease is over
        assert again.payload == {"n": 1}
        again.ack()
        box.close()


def test_what_cannot_be_read_stops_no_worker(tmp_path: Path) -> None:
    register()
    queue = Messages(tmp_path / "queue.db", "looking")
    for body in ("no JSON", "[]", "{}"):
        queue.put("voice", body)
    with Connection(f"chasqui+sqlite:///{tmp_path / 'queue.db'}") as connection:
        box = connection.SimpleQueue("voice")
        box.put({"n": 1}, serializer="json")
        assert box.get(timeout=5).payload == {"n": 1}
        box.close()
    assert len(queue.dead()) == 3


def test_the_path_is_what_stands_behind_the_slashes() -> None:
    assert path_of("sqlite:////var/lib/queue.db") == Path("/var/lib/queue.db")
    assert path_of("sqlite:///queue.db") == Path("queue.db")
