"""The postman: takes letters from the outbox to where they belong, and picks up jobs whose worker fell silent. One
process of a service does this; a second one does no harm: who is silent, each sees for itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from chasqui.catalog import Catalog, jobs, outbox
from chasqui.errors import CatalogAway, TryAgain
from chasqui.run.queue.watch import Watch
from chasqui.run.queue.work import queue_of

if TYPE_CHECKING:
    from chasqui.run.service import Service

#: A job that was asked for begins after this at most.
ROUND_S = 0.2
#: Letters that waited on purpose go out after this at most, also where nobody has written anything.
DUE_S = 1.0
#: Silent workers and dead letters are looked for so often.
SWEEP_S = 3.0
#: Old letters are thrown away so often, and whatever else may wait is done.
TIDY_S = 60.0

log = logging.getLogger("chasqui.queue")


class Postman:
    """Runs in a thread of its own between `start` and `stop`.

    `dead`: (job, stage) of letters that nobody could deliver. `chores`: what else is to be done now and then.
    """

    def __init__(
        self,
        catalog: Catalog,
        send: Mapping[str, outbox.Send],
        trouble: tuple[type[Exception], ...],
        silent_s: float = jobs.SILENT_S,
        dead: Callable[[], Iterator[tuple[str, str]]] | None = None,
        chores: Sequence[Callable[[], object]] = (),
    ) -> None:
        self._catalog, self._send, self._trouble = catalog, send, trouble
        self._watch, self._dead = Watch(silent_s), dead
        self._chores = [lambda: outbox.clear(catalog), *chores]
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._stirred = catalog.stirred()
        self._posted_s = self._swept_s = self._tidied_s = float("-inf")

    def round(self) -> int:
        """Once through everything; letters sent."""
        sent, now = 0, time.monotonic()
        if self._stirred() or now - self._posted_s > DUE_S:
            self._posted_s = now
            sent = outbox.post(self._catalog, self._send, self._trouble)
        if time.monotonic() - self._swept_s > SWEEP_S:
            self._swept_s = time.monotonic()
            self._sweep()
        if time.monotonic() - self._tidied_s > TIDY_S:
            self._tidied_s = time.monotonic()
            for chore in self._chores:
                chore()
        return sent

    def _sweep(self) -> None:
        for job, stage in self._undelivered():
            log.warning("workers died over a letter for %s (%s)", job, stage)
            jobs.undelivered(self._catalog, job, stage, queue_of(stage))
        silent = self._watch.silent(jobs.signs(self._catalog))
        if lost := jobs.sweep(self._catalog, queue_of, silent):
            log.warning("picked up again: %s", ", ".join(lost))

    def _undelivered(self) -> Iterator[tuple[str, str]]:
        try:
            yield from self._dead() if self._dead is not None else ()
        except self._trouble as error:
            log.warning("dead letters cannot be read: %s", error)

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


def postman(service: Service, catalog: Catalog, chores: Sequence[Callable[[], object]] = ()) -> Postman:
    """The postman of a service: tasks to its broker."""
    from amqp.exceptions import MessageNacked  # type: ignore[import-untyped]
    from kombu.exceptions import OperationalError

    from chasqui.run.queue import dead
    from chasqui.run.queue.app import make_app, send

    app = make_app(service)
    senders: dict[str, outbox.Send] = {"task": lambda queue, body: send(app, queue, dict(body))}
    broker = app.connection_for_write()
    trouble = (OperationalError, MessageNacked, OSError, TryAgain, *broker.connection_errors, *broker.channel_errors)
    return Postman(
        catalog,
        senders,
        trouble,
        service.silent_s,
        lambda: dead.letters(app, service.broker, service.embedded),
        chores,
    )
