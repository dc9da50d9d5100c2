"""What lies at the broker: messages that wait, workers that listen, dead letters. Looks, takes nothing away.

A letter that is dead is on its way back to the catalog, where the postman brings it within seconds (`dead.py`). More
than a few of them, or some for long, mean that no postman runs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chasqui.errors import ServiceDown
from chasqui.run.bare import bare
from chasqui.run.queue.dead import QUEUE as DEAD
from chasqui.run.queue.transport import path_of
from chasqui.run.service import QUEUES

if TYPE_CHECKING:
    from kombu import Connection

#: A broker that answers later than this is of no use now.
ANSWER_S = 0.8

_COUNT = "SELECT queue, dead, count(*) FROM messages GROUP BY queue, dead"


@dataclass(frozen=True)
class Lying:
    """What lies in one queue."""

    messages: int  # at RabbitMQ those that nobody has taken yet
    listeners: int | None  # workers, as far as the broker knows


@dataclass(frozen=True)
class Told:
    """What a broker says."""

    queues: Mapping[str, Lying]
    dead: int


class InFile:
    """The embedded queue."""

    def __init__(self, broker: str) -> None:
        self._path = path_of(broker.partition("+")[2])

    def __call__(self) -> Told:
        """What lies there now.

        Raises:
            ServiceDown: the file cannot be read.
        """
        try:
            rows = _rows(self._path)
        except sqlite3.Error as error:
            raise ServiceDown(url=self._path, why=str(error)) from error
        lying = {queue: number for queue, dead, number in rows if not dead}
        dead = sum(number for _, dead, number in rows if dead)
        return Told({queue: Lying(lying.get(queue, 0), None) for queue in QUEUES}, dead)

    def close(self) -> None:
        """Nothing is kept open."""


class AtRabbit:
    """RabbitMQ, over one connection that is kept: each new one is a line in its log."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None

    def __call__(self) -> Told:
        """What lies there now.

        Raises:
            ServiceDown: it cannot be reached, does not answer in time, or does not let us in.
        """
        from amqp.exceptions import AMQPError  # type: ignore[import-untyped]
        from kombu.exceptions import KombuError

        try:
            connection = self._connection = self._connection or self._open()
            queues = {queue: _declared(connection, queue) for queue in QUEUES}
            return Told(queues, _declared(connection, DEAD).messages)
        except (AMQPError, KombuError, OSError) as error:
            self.close()
            raise ServiceDown(url=bare(self._url), why=str(error).partition("\n")[0] or type(error).__name__) from error

    def close(self) -> None:
        """Say good-bye, as far as anybody listens."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it is gone already, or will be
                connection.close()

    def _open(self) -> Connection:
        from kombu import Connection

        patience = {"read_timeout": ANSWER_S, "write_timeout": ANSWER_S}
        connection = Connection(self._url, connect_timeout=ANSWER_S, heartbeat=0, transport_options=patience)
        connection.connect()
        return connection


def _declared(connection: Connection, queue: str) -> Lying:
    from amqp.exceptions import NotFound

    try:
        with connection.channel() as channel:
            _, messages, listeners = channel.queue_declare(queue=queue, passive=True)
    except NotFound:  # nobody has sent or taken anything yet
        return Lying(0, 0)
    return Lying(messages, listeners)


def _rows(path: Path) -> list[tuple[str, int, int]]:
    if not path.exists():  # nobody has sent or taken anything yet
        return []
    with closing(sqlite3.connect(path, timeout=ANSWER_S, isolation_level=None)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'messages'").fetchone():
            return []
        return db.execute(_COUNT).fetchall()
