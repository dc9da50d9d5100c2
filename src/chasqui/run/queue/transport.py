"""kombu's transport on `messages.py`. The stock transports without a server forget a message when it is handed over, so
a worker that is killed takes it along; here it comes back.

There is no fan-out: start workers without gossip, mingle and remote control.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
import uuid
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any, ClassVar

from kombu.transport import virtual
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps, loads

from chasqui.run.queue.messages import DELIVERY_LIMIT, LEASE_S, Messages

#: Asks of an idle worker per second: 20. Each is one read of a small index.
POLL_S = 0.05
NUMBER = "chasqui_number"


class QoS(virtual.QoS):  # type: ignore[misc]
    """What is handed over and not acknowledged yet."""

    def ack(self, delivery_tag: str) -> None:
        if message := self._delivered.get(delivery_tag):
            self.channel.messages.done(self.channel.let_go(message))
        super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if message := self._delivered.get(delivery_tag):
            number = self.channel.let_go(message)
            (self.channel.messages.release if requeue else self.channel.messages.bury)(number)
        super().ack(delivery_tag)


class Channel(virtual.Channel):  # type: ignore[misc]
    """One consumer or publisher. Renews the leases of what it holds, in a thread of its own."""

    QoS = QoS
    supports_fanout = False
    do_restore = True

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        client = self.connection.client
        options = client.transport_options
        holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._lease_s = float(options.get("lease_s", LEASE_S))
        limit = int(options.get("delivery_limit", DELIVERY_LIMIT))
        self.messages = Messages(path_of(client.hostname), holder, self._lease_s, limit)
        self._held: set[int] = set()
        self._stop = threading.Event()
        self._renewing: threading.Thread | None = None

    def let_go(self, message: Any) -> int:
        """The number of a message, whose lease is not renewed any more."""
        number = int(message.properties[NUMBER])
        self._held.discard(number)
        return number

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        self.messages.put(queue, dumps(message), int(message.get("properties", {}).get("priority") or 0))

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        taken = self.messages.take(queue)
        if taken is None:
            raise Empty()
        self._held.add(taken.id)
        self._renew()
        message: dict[str, Any] = loads(bytes_to_str(taken.body))
        message["properties"][NUMBER] = taken.id
        if taken.deliveries > 1:
            message["properties"].setdefault("delivery_info", {})["redelivered"] = True
            message.setdefault("headers", {})["x-delivery-count"] = taken.deliveries - 1
        return message

    def _renew(self) -> None:
        if self._renewing is None:
            self._renewing = threading.Thread(target=self._renewals, name="leases", daemon=True)
            self._renewing.start()

    def _renewals(self) -> None:
        while not self._stop.wait(self._lease_s / 3):
            try:
                self.messages.renew(list(self._held))
            except sqlite3.Error:  # busy, or the disk is full: the next renewal may still come in time
                continue

    def _restore(self, message: Any) -> None:
        self.messages.release(self.let_go(message))

    _restore_at_beginning = _restore

    def _size(self, queue: str) -> int:
        return self.messages.size(queue)

    def _purge(self, queue: str) -> int:
        return self.messages.purge(queue)

    def close(self) -> None:
        if not self.closed:
            super().close()  # gives back what is held
            self._stop.set()
            if self._renewing is not None:
                self._renewing.join()
            self.messages.close()


class Transport(virtual.Transport):  # type: ignore[misc]
    """`chasqui+sqlite:////absolute/queue.db`, or three slashes for a path from here."""

    Channel = Channel
    polling_interval = POLL_S
    default_port = 0
    can_parse_url = True
    driver_type = "sqlite"
    driver_name = "sqlite3"
    connection_errors: ClassVar[Any] = (*virtual.Transport.connection_errors, sqlite3.OperationalError)
    # Asynchronous: Celery's other loop notices a child that was killed, and the wish to end, seconds later.
    implements: ClassVar[Any] = virtual.Transport.implements.extend(
        asynchronous=True, exchange_type=frozenset({"direct", "topic"})
    )

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self._looking: list[Any] = []

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Look for messages again and again, for as long as the connection is open."""
        self._looking.append(loop.call_repeatedly(POLL_S, self._look))

    def close_connection(self, connection: Any) -> None:
        while self._looking:
            self._looking.pop().cancel()
        super().close_connection(connection)

    def _look(self) -> None:
        with suppress(Empty):
            self.cycle.get(self._deliver, timeout=0)

    def driver_version(self) -> str:
        return sqlite3.sqlite_version


def path_of(url: str) -> Path:
    """The file behind what kombu leaves of the URL: `sqlite:////…`."""
    return Path(url.partition("://")[2].removeprefix("/"))
