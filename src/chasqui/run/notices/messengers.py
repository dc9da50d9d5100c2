"""The threads that take notices and webhooks out of the outbox: each kind by itself, so that a broker that is away and
an address that answers slowly hold up nobody else, the tasks least of all.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from chasqui.catalog import Catalog, lessons, outbox
from chasqui.errors import CatalogAway, ServiceDown

if TYPE_CHECKING:
    from chasqui.run.notices.mqtt import Broker
    from chasqui.run.service import Service

#: Nobody waits for notices as for a job to begin.
ROUND_S = 0.5
#: Letters that met trouble are tried again after this at most, also where nobody has written anything.
DUE_S = 2.0
#: What is being sent when the service ends may take so long.
END_S = 1.0
#: Threads for webhooks: so many addresses may be slow before the others wait.
WEBHOOK_THREADS = 3
#: What a broker acknowledged in this time before it was lost is told again when it is back: usual ones write what they
#: retain to disk every half hour.
UNSURE_S = 1800.0
#: Notices that go nowhere are thrown away so often.
DROP_S = 10.0

#: Retained by a broker that has been told of everything. No school can have this name.
KNOWN = "chasqui/-/known"

log = logging.getLogger("chasqui.notices")


class Messenger:
    """Sends letters of its kinds in a thread of its own between `start` and `stop`."""

    def __init__(
        self,
        catalog: Catalog,
        send: Mapping[str, outbox.Send],
        before: Callable[[], object] = lambda: None,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        """`before` is done before each round, `after` in the end."""
        self._catalog, self._send, self._before, self._after = catalog, send, before, after
        self._stirred, self._posted_s = catalog.stirred(), float("-inf")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._rounds, name=f"messenger {'/'.join(send)}", daemon=True)

    def round(self) -> int:
        """Once through everything; letters sent.

        Raises:
            CatalogAway, ServiceDown
        """
        self._before()
        now = time.monotonic()
        if not self._send or not (self._stirred() or now - self._posted_s > DUE_S):
            return 0
        self._posted_s = now
        return outbox.post(self._catalog, self._send, (ServiceDown,))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends soon: what is on its way to somebody slow is sent again after the next start."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(END_S)
        self._after()

    def _rounds(self) -> None:
        while not self._over.wait(ROUND_S):
            try:
                self.round()
            except (CatalogAway, ServiceDown) as error:
                log.warning("notices wait: %s", error)
                self._over.wait(1.0)
            except Exception:  # one letter with a defect must not end the post of all others
                log.exception("a defect in notices")
                self._over.wait(1.0)


def messengers(service: Service, catalog: Catalog) -> list[Messenger]:
    """Those of a service.

    Raises:
        BadConfig: an address that cannot be understood.
        NotInstalled
    """
    from chasqui.run.notices.webhook import deliver

    hook = partial(deliver, catalog, service)
    return [_notices(service, catalog), *(Messenger(catalog, {"webhook": hook}) for _ in range(WEBHOOK_THREADS))]


def _notices(service: Service, catalog: Catalog) -> Messenger:
    if not service.mqtt_url:
        return Messenger(catalog, {}, before=_every(DROP_S, lambda: outbox.drop(catalog, "notice")))
    from chasqui.run.notices.mqtt import Broker, notice
    from chasqui.run.notices.progress import Progress

    broker = Broker(service.mqtt_url, back=lambda: _back(catalog))
    progress = Progress(catalog, broker)
    send = partial(notice, broker, service.public_url)

    def before() -> None:
        if broker.new_connection():
            _introduce(catalog, broker)
        progress.tell()

    return Messenger(catalog, {"notice": send}, before, after=broker.close)


def _introduce(catalog: Catalog, broker: Broker) -> None:
    """A broker that does not know us is new, or has lost everything: it is told of all that is published."""
    if not broker.retains(KNOWN):
        log.info("%s is told of %d lessons", broker, lessons.announce(catalog))
        broker.publish(KNOWN, b"{}", retain=True)  # the letters are written; they go by themselves


def _back(catalog: Catalog) -> None:
    """The broker was lost and is there again: tell what waited, and what it may have forgotten."""
    outbox.again(catalog, "notice", "chasqui/%/lessons/%", time.time() - UNSURE_S)
    outbox.hurry(catalog, "notice")


def _every(seconds: float, do: Callable[[], object]) -> Callable[[], None]:
    last = float("-inf")

    def sometimes() -> None:
        nonlocal last
        if time.monotonic() - last > seconds:
            last = time.monotonic()
            do()

    return sometimes
