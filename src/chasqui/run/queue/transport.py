"""kombu's transport on `messages.py`. The stock transports without a server forget a message when it is handed over, so
a worker that is killed takes it along; here it comes back.

There is no fan-out: start workers without gossip, mingle and remote control.
"""

from __future__ import annotations

import logging
import os
import socket
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty
from typing import Any, ClassVar

from kombu.transport import virtual
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps, loads

from chasqui.run.queue.messages import DELIVERY_LIMIT, LEASE_S, Messages

#: An idle worker looks so often whether anybody has written, and so often at the messages themselves: leases run out by
#: themselves.
POLL_S, LEASES_S = 0.05, 1.0
NUMBER = "chasqui_number"

log = logging.getLogger("chasqui.queue")


class QoS(virtual.QoS):  # type: ignore[misc]
    """What is handed over and not acknowledged yet."""

    def ack(self, delivery_tag: str) -> None:
        with self._over(delivery_tag) as number:
            if number is not None:
                self.channel.messages.done(number)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        with self._over(delivery_tag) as number:
            if number is not None:
                (self.channel.messages.release if requeue else self.channel.messages.bury)(number)

    @contextmanager
    def _over(self, delivery_tag: str) -> Iterator[int | None]:
        """The number of the message, whose place is free afterwards also if the file cannot be written: it comes again
        when its lease is over, and a worker whose places are all taken would never work again.
        """
        message = self._delivered.get(delivery_tag)
        try:
            yield None if message is None else self.channel.let_go(message)
        finally:
            super().ack(delivery_tag)
            self.channel.connection.stir()


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
        try:
            message: dict[str, Any] = loads(bytes_to_str(taken.body))
            message["properties"][NUMBER] = taken.id
        except (ValueError, LookupError, TypeError):  # nobody can read it
            log.warning("message %d in %s cannot be read", taken.id, queue)
            self.messages.bury(taken.id)
            raise Empty() from None
        self._held.add(taken.id)
        self._renew()
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
        """When the channel closes."""
        self.messages.release(self.let_go(message), unused=True)

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
        self._looked_s, self._more = float("-inf"), True

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Look for messages again and again, for as long as the connection is open."""
        self._looking.append(loop.call_repeatedly(POLL_S, self._look))

    def close_connection(self, connection: Any) -> None:
        while self._looking:
            self._looking.pop().cancel()
        super().close_connection(connection)

    def stir(self) -> None:
        """A place is free: what waited for it may come now."""
        self._more = True

    def _look(self) -> None:
        """Where nobody has written, there is nothing new, except that places become free and leases end."""
        now = time.monotonic()
        stirred = [channel.messages.stirred() for channel in self.channels]
        if not (any(stirred) or self._more or now - self._looked_s > LEASES_S):
            return
        self._looked_s, self._more = now, False
        with suppress(Empty):
            self.cycle.get(self._deliver, timeout=0)
            self._more = True

    def driver_version(self) -> str:
        return sqlite3.sqlite_version


def path_of(url: str) -> Path:
    """The file behind what kombu leaves of the URL: `sqlite:////…`."""
    return Path(url.partition("://")[2].removeprefix("/"))
