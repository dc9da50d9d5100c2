"""The postman: takes letters from the outbox to where they belong, and picks up jobs whose worker fell silent. One
process of a service does this; a second one does no harm.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from chasqui.catalog import Catalog, jobs, outbox
from chasqui.errors import CatalogAway, TryAgain
from chasqui.pipeline import STAGES
from chasqui.run.queue.work import queue_of

if TYPE_CHECKING:
    from chasqui.run.service import Service

#: A job that was asked for begins after this at most.
ROUND_S = 0.2
#: Silent workers are looked for so often, old letters thrown away too.
SWEEP_S = 10.0

log = logging.getLogger("chasqui.queue")


class Postman:
    """Runs in a thread of its own between `start` and `stop`."""

    def __init__(self, catalog: Catalog, send: Mapping[str, outbox.Send], trouble: tuple[type[Exception], ...]) -> None:
        self._catalog, self._send, self._trouble = catalog, send, trouble
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._swept_s = 0.0

    def round(self) -> int:
        """Once through everything; letters sent."""
        if time.monotonic() - self._swept_s > SWEEP_S:
            self._swept_s = time.monotonic()
            if lost := jobs.sweep(self._catalog, {stage.name: queue_of(stage.name) for stage in STAGES}):
                log.warning("picked up again: %s", ", ".join(lost))
            outbox.clear(self._catalog)
        return outbox.post(self._catalog, self._send, self._trouble)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._rounds, name="postman", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _rounds(self) -> None:
        while not self._over.wait(ROUND_S):
            try:
                self.round()
            except (CatalogAway, TryAgain) as error:
                log.warning("the post waits: %s", error)
                self._over.wait(1.0)
            except Exception:  # one letter with a defect must not end the post of all others
                log.exception("a defect in the post")
                self._over.wait(1.0)


def postman(service: Service, catalog: Catalog) -> Postman:
    """The postman of a service: tasks to its broker."""
    from kombu.exceptions import OperationalError

    from chasqui.run.queue.app import make_app, send

    app = make_app(service)
    senders: dict[str, outbox.Send] = {"task": lambda queue, body: send(app, queue, dict(body))}
    return Postman(catalog, senders, (OperationalError, OSError, TryAgain))
