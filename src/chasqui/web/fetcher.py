"""The fetcher: takes links that people want imported to where uploads go. Threads beside the web server; a fetch that
ends with its server is begun anew by the next one.
"""

from __future__ import annotations

import io
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chasqui.catalog import Catalog, imports, uploads
from chasqui.catalog.permissions import Actor
from chasqui.catalog.tables import Import, Upload
from chasqui.errors import CatalogAway, ChasquiError, Defect, NoRoom, TooLarge
from chasqui.ingest import feed
from chasqui.ingest.address import read_networks
from chasqui.ingest.link import Found, Limits, Rules, fetch, opened
from chasqui.web.api.uploads import finish
from chasqui.web.incoming import Incoming

if TYPE_CHECKING:
    from flask import Flask

    from chasqui.run.service import Service

#: Fetched at once: they mostly wait for servers far away.
HANDS = 4
#: An import begins after this at most.
LOOK_S = 1.0
#: So often the catalog hears how far a fetch is, and the fetch whether it is still wanted.
BEAT_S = 1.0
FEED_S = 60.0

log = logging.getLogger("chasqui.web")


class _Unwanted(Exception):  # noqa: N818 - no error: somebody cancelled
    """Raised in the middle of a fetch that nobody waits for any more."""


class Fetcher:
    """Runs between `start` and `stop`."""

    def __init__(self, app: Flask, rules: Rules | None = None) -> None:
        self._app = app
        self._catalog: Catalog = app.extensions["catalog"]
        service: Service = app.extensions["service"]
        self._most_bytes, self._incoming = service.most_bytes, Incoming(service.incoming)
        own = urlsplit(service.public_url).hostname or ""
        self._rules = rules or Rules(read_networks(service.private_networks), [own])
        self._over, self._looking = threading.Event(), threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self) -> Fetcher:
        for number in range(HANDS):
            thread = threading.Thread(target=self._rounds, name=f"fetcher-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def stop(self) -> None:
        """End soon; what is under way is given up and begun anew by the next server."""
        self._over.set()
        for thread in self._threads:
            thread.join(2 * BEAT_S)  # one that waits for a silent server is left behind

    def step(self) -> bool:
        """Fetch the next link, if there is one."""
        if (wanted := imports.take(self._catalog)) is None:
            return False
        self._fetch(wanted)
        return True

    def _next(self) -> Import | None:
        """Waits for a link; None in the end. One hand looks for all that have nothing to do."""
        with self._looking:
            while not self._over.is_set():
                if (wanted := imports.take(self._catalog)) is not None:
                    return wanted
                self._over.wait(LOOK_S)
        return None

    def _fetch(self, wanted: Import) -> None:
        try:
            self._drop(wanted.upload_id)  # of an attempt that was ended
            actor = imports.owner(self._catalog, wanted)
            with self._alive(wanted):
                (self._sound if wanted.newest is None else self._feed)(wanted, actor)
        except _Unwanted:
            pass
        except CatalogAway:
            raise
        except ChasquiError as error:
            imports.fail(self._catalog, wanted, error.code, error.evidence, error.action == "retry")
        except Exception as error:
            log.exception("a defect while fetching")
            imports.fail(
                self._catalog, wanted, Defect.__name__, {"name": wanted.url, "what": type(error).__name__}, False
            )

    def _feed(self, wanted: Import, _actor: Actor) -> None:
        into, limits = io.BytesIO(), Limits(most_bytes=feed.MOST_BYTES, whole_s=FEED_S)
        found = fetch(wanted.url, limits, self._rules, into)
        episodes = feed.read_feed(into.getvalue(), found.url, wanted.newest or 1)
        imports.split(self._catalog, wanted, [(one.url, one.title) for one in episodes])

    def _sound(self, wanted: Import, actor: Actor) -> None:
        file_bytes, left = self._most_bytes(actor.role), uploads.room(self._catalog, actor.school_id)
        most = file_bytes if left is None else min(file_bytes, left)
        upload: Upload | None = None
        try:
            with opened(wanted.url, Limits(most_bytes=file_bytes), self._rules) as found:
                name = wanted.facts.get("filename") or found.name
                size = most if found.size is None else found.size  # unsaid: all room there is, until it is known
                if found.size is None and not most:
                    raise NoRoom(name=wanted.url, left=0)
                upload = uploads.begin(self._catalog, actor, name, size, file_bytes, {**wanted.facts, "filename": name})
                self._go_on(wanted, 0, upload_id=upload.id, size_bytes=found.size)
                came = self._incoming.append(upload.id, 0, upload.bytes, _Body(self, wanted, found))
            upload = uploads.settle(self._catalog, upload.id, came)
            with self._app.app_context():
                made = finish(upload)
        except TooLarge as error:
            self._drop(upload.id if upload else None)
            if most < file_bytes and error.evidence.get("most") == most:
                raise NoRoom(name=wanted.url, bytes=error.evidence.get("bytes"), left=most) from error
            raise TooLarge(name=wanted.url, bytes=error.evidence.get("bytes"), most=file_bytes) from error
        except BaseException:
            self._drop(upload.id if upload else None)
            raise
        imports.done(self._catalog, wanted, received_bytes=came, lesson_id=made.lesson_id, job_id=made.job_id)

    @contextmanager
    def _alive(self, wanted: Import) -> Iterator[None]:
        """Say that it is being fetched, also while nothing comes. Or the next hand would take it, and the next one,
        until one slow server holds them all.
        """
        over = threading.Event()

        def speak() -> None:
            while not over.wait(imports.SILENT_S / 3):
                with suppress(CatalogAway):
                    imports.alive(self._catalog, wanted)

        threading.Thread(target=speak, name="fetcher alive", daemon=True).start()
        try:
            yield
        finally:
            over.set()

    def _go_on(self, wanted: Import, received: int, **known: object) -> None:
        if self._over.is_set() or not imports.beat(self._catalog, wanted, received, **known):
            raise _Unwanted

    def _drop(self, upload_id: str | None) -> None:
        if upload_id is not None and uploads.end(self._catalog, upload_id):
            self._incoming.drop(upload_id)

    def _rounds(self) -> None:
        while not self._over.is_set():
            try:
                while (wanted := self._next()) is not None:
                    self._fetch(wanted)
            except CatalogAway as error:
                log.warning("imports wait: %s", error)
                self._over.wait(LOOK_S)
            except Exception:  # one link with a defect must not end all others
                log.exception("a defect in the fetcher")
                self._over.wait(LOOK_S)


class _Body:
    """What a link brings, as a body that arrives."""

    def __init__(self, fetcher: Fetcher, wanted: Import, found: Found) -> None:
        self._fetcher, self._wanted = fetcher, wanted
        self._blocks: Iterator[bytes] = found.read()
        self._came, self._told_s = 0, time.monotonic()

    def read(self, _size: int, /) -> bytes:
        block = next(self._blocks, b"")
        self._came += len(block)
        if time.monotonic() - self._told_s > BEAT_S:
            self._told_s = time.monotonic()
            self._fetcher._go_on(self._wanted, self._came)
        return block
