"""kill -9, for real: whatever dies in the middle, no job is lost, no lesson is there twice, no half file stays.

Here each once; `bench/kill.py` does it as often as one likes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from absent import missing
from fire import Fire, Postgres, Rabbit


@pytest.fixture
def embedded(tmp_path: Path, media: Path) -> Iterator[Fire]:
    """With nothing else installed."""
    fire = Fire(tmp_path, media)
    fire.start()
    yield fire
    fire.close()


@pytest.fixture
def grown(media: Path) -> Iterator[Fire]:
    """On a RabbitMQ and a PostgreSQL of its own."""
    if not Rabbit.PROGRAM.exists() or Postgres.program("postgres") is None:
        missing("RabbitMQ and PostgreSQL as programs (Debian: rabbitmq-server, postgresql)")
    with tempfile.TemporaryDirectory(prefix="chasqui-fire-") as place:
        folder = Path(place)
        folder.chmod(0o755)  # PostgreSQL runs as somebody else
        rabbit, postgres = Rabbit(folder / "rabbit"), Postgres(folder / "postgres")
        try:
            postgres.start()
            rabbit.start()
            fire = Fire(folder, media, rabbit, postgres)
            fire.start()
            yield fire
            print((folder / "log").read_text())  # noqa: T201 - shown where the test failed
            fire.close()
        finally:
            rabbit.kill()
            postgres.kill()


def test_on_the_embedded_queue_whatever_is_killed(embedded: Fire) -> None:
    embedded.ask()
    embedded.kill_child()
    embedded.ask(cut=lambda: (embedded.kill_server(), embedded.start()))  # type: ignore[func-returns-value]
    embedded.kill_tree()
    embedded.settled()
    assert embedded.faults() == []


def test_on_rabbitmq_and_postgresql_whatever_is_killed(grown: Fire) -> None:
    grown.ask()
    grown.kill_child()
    grown.ask()
    grown.kill_database()
    grown.kill_broker()
    grown.kill_tree()
    grown.settled()
    assert grown.faults() == []
    assert grown.stop() < 30
