"""kill -9, for real: whatever dies in the middle, no job is lost, no lesson is there twice, no half file stays.

Here each once; `bench/kill.py` does it as often as one likes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from absent import missing
from fire import Fire, Postgres, Rabbit, listens, until
from kombu import Queue

from chasqui.run.queue import dead
from chasqui.run.queue.app import make_app, send
from chasqui.run.queue.messages import DELIVERY_LIMIT
from chasqui.run.service import QUEUES

#: Each wait has a limit of its own; there are many of them.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that others may enter: PostgreSQL does not run as root."""
    with tempfile.TemporaryDirectory(prefix="chasqui-fire-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="module", autouse=True)
def rabbit(place: Path) -> Iterator[Rabbit | None]:
    """A RabbitMQ that starts meanwhile, because it takes long; None where there is none."""
    if not Rabbit.PROGRAM.exists():
        yield None
        return
    node = Rabbit(place / "rabbit")
    node.begin()
    yield node
    node.kill()


@pytest.fixture(scope="module")
def postgres(place: Path) -> Iterator[Postgres | None]:
    if Postgres.program("postgres") is None:
        yield None
        return
    cluster = Postgres(place / "postgres")
    cluster.start()
    yield cluster
    cluster.kill()


@pytest.fixture
def embedded(tmp_path: Path, media: Path) -> Iterator[Fire]:
    """With nothing else installed."""
    fire = Fire(tmp_path, media)
    fire.start()
    yield fire
    print((tmp_path / "log").read_text())  # noqa: T201 - shown where the test failed
    fire.close()


@pytest.fixture
def grown(place: Path, media: Path, rabbit: Rabbit | None, postgres: Postgres | None) -> Iterator[Fire]:
    """On a RabbitMQ and a PostgreSQL of its own."""
    if rabbit is None or postgres is None:
        missing("RabbitMQ or PostgreSQL as a program (Debian: rabbitmq-server, postgresql)")
    assert rabbit
    until(lambda: listens(rabbit.port), "RabbitMQ listens")
    fire = Fire(place, media, rabbit, postgres)
    fire.start()
    yield fire
    print((place / "log").read_text())  # noqa: T201 - shown where the test failed
    fire.close()


def test_on_the_embedded_queue_whatever_is_killed(embedded: Fire) -> None:
    embedded.ask()
    embedded.kill_child()
    embedded.ask(cut=lambda: (embedded.kill_server(), embedded.start()))
    embedded.kill_tree()
    embedded.settled()
    assert embedded.faults() == []


def test_what_a_worker_holds_waits_again_once_it_was_asked_to_end(embedded: Fire) -> None:
    embedded.ask()
    embedded.working()
    embedded.stop()
    assert embedded.left() == []
    assert list(embedded.states().values()) in (["waiting"], ["done"])  # done: it came to its end at that moment
    embedded.start()
    embedded.settled()
    assert embedded.faults() == []


def test_on_rabbitmq_and_postgresql_whatever_is_killed(grown: Fire) -> None:
    for kill in (grown.kill_child, grown.kill_database, grown.kill_broker, grown.kill_tree):
        grown.ask()  # while the database or the broker comes back, what is there may well be done
        kill()
    grown.settled()
    assert grown.faults() == []
    grown.stop()
    dead_letters(grown)


def dead_letters(grown: Fire) -> None:
    """What is delivered too often comes to the queue of the dead, once a worker has made it; nothing else is there."""
    app, queue = make_app(grown.service), QUEUES[0]
    list(dead.letters(app, grown.service.broker, False))  # away with what the kills left
    with app.connection_for_read() as connection, connection.channel() as channel:
        box, deliveries = Queue(queue, channel=channel), 0
        box.purge()
        send(app, queue, {"job": "poison", "stage": "ingest"})
        while message := box.get():
            deliveries += 1
            message.reject(requeue=True)
        assert deliveries == DELIVERY_LIMIT + 1
    found: list[tuple[str, str]] = []
    until(lambda: bool(found.extend(dead.letters(app, grown.service.broker, False)) or found), "it is among the dead")
    assert found == [("poison", "ingest")]
    assert list(dead.letters(app, grown.service.broker, False)) == []
    assert grown.rabbit
    assert grown.rabbit.queues() == sorted([*QUEUES, dead.QUEUE])  # none of Celery's 28 for delayed tasks
