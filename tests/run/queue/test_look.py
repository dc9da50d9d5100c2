"""What lies at the broker is seen, and left where it is."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from absent import missing
from asking import asked
from nodes import Rabbit

from chasqui.errors import ServiceDown
from chasqui.run.queue import look
from chasqui.run.queue.app import make_app, send
from chasqui.run.queue.dead import letters
from chasqui.run.queue.look import AtRabbit, InFile, Lying
from chasqui.run.queue.messages import Messages
from chasqui.run.queue.post import postman
from chasqui.run.service import Service

NOBODY = {"voice": Lying(0, None), "words": Lying(0, None), "video": Lying(0, None)}
#: A node that was begun again listens long before it answers.
BACK_S = 60.0


def test_a_queue_that_nobody_has_used_yet(tmp_path: Path) -> None:
    file = tmp_path / "queue.db"
    seen = InFile(f"chasqui+sqlite:///{file}")
    assert (seen().queues, seen().dead) == (NOBODY, 0)
    file.touch()
    assert (seen().queues, seen().dead) == (NOBODY, 0)


def test_what_lies_in_the_file(tmp_path: Path) -> None:
    service = Service(data=tmp_path)
    opened = service.catalog()
    asked(opened, service.stores().root, tmp_path)
    assert postman(service, opened).round() == 1
    seen = InFile(service.broker)
    assert (seen().queues["voice"], seen().dead) == (Lying(1, None), 0)
    queue = Messages(tmp_path / "queue.db", "w1")
    held = queue.take("voice")
    assert held
    assert seen().queues["voice"] == Lying(1, None)  # it is done when it is acknowledged
    queue.bury(held.id)
    assert (seen().queues, seen().dead) == (NOBODY, 1)
    assert len(queue.dead()) == 1
    queue.close()
    opened.close()


def test_a_file_that_is_no_queue_is_said(tmp_path: Path) -> None:
    (tmp_path / "queue.db").write_bytes(b"this is no database, it is a text " * 100)
    with pytest.raises(ServiceDown, match="not a database"):
        InFile(f"chasqui+sqlite:///{tmp_path / 'queue.db'}")()


@pytest.fixture(scope="module")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbit]:
    if not Rabbit.PROGRAM.exists():
        missing("RabbitMQ as a program (Debian: rabbitmq-server)")
    node = Rabbit(tmp_path_factory.mktemp("look") / "rabbit")
    node.start()
    yield node
    node.kill()


def until(true: Callable[[], bool], limit_s: float = BACK_S) -> None:
    ends = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.1)


def answers(seen: AtRabbit) -> bool:
    try:
        seen()
    except ServiceDown:
        return False
    return True


def test_what_lies_at_rabbitmq_while_it_goes_and_comes_back(
    rabbit: Rabbit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = AtRabbit(rabbit.url)
    until(lambda: answers(seen))
    assert seen() == look.Told(dict.fromkeys(NOBODY, Lying(0, 0)), 0)
    app = make_app(Service(data=tmp_path, broker_url=rabbit.url))
    for number in range(3):
        send(app, "voice", {"job": str(number), "stage": "ingest"})
    until(lambda: seen().queues["voice"] == Lying(3, 0))
    bury(app)
    until(lambda: (seen().queues["voice"].messages, seen().dead) == (2, 1))
    assert [job for job, _ in letters(app, rabbit.url, embedded=False)] == ["0"]
    until(lambda: seen().dead == 0)
    hangs(seen, rabbit)
    rabbit.kill()
    with pytest.raises(ServiceDown) as error:
        seen()
    assert "guest" not in str(error.value)
    rabbit.start()
    until(lambda: answers(seen))
    until(lambda: seen().queues["voice"].messages == 2)  # quorum queues are there again a moment later
    seen.close()


def bury(app: Any) -> None:
    """A worker refuses one for good, as after too many deliveries."""
    from chasqui.run.queue import dead

    with app.connection_for_write() as connection, connection.channel() as channel:
        dead.declare(channel)
        queue = next(one for one in app.conf.task_queues if one.name == "voice")(channel)
        message = queue.get()
        message.reject(requeue=False)


def hangs(seen: AtRabbit, rabbit: Rabbit) -> None:
    """A node that answers nobody any more is away after a moment."""
    pid = int((rabbit.folder / "pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        for _ in range(2):  # over the connection that was kept, and over a new one
            begun = time.monotonic()
            with pytest.raises(ServiceDown):
                seen()
            assert time.monotonic() - begun < 20 * look.ANSWER_S
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: answers(seen))
