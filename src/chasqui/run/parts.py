"""Are the things there that a service needs? One look at each, within a second altogether, and not again for some
seconds: whoever asks often loads nobody.

A look runs in a thread of its own. One that hangs hangs alone: its part counts as not answering, and is not looked at
by a second thread until the first comes back.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chasqui.errors import ChasquiError, NotWritable, ServiceDown
from chasqui.run.bare import bare
from chasqui.run.service import Service

if TYPE_CHECKING:
    from chasqui.catalog import Catalog
    from chasqui.run.notices.mqtt import Broker
    from chasqui.store import Store

#: All looks together.
LIMIT_S = 0.9
#: What was seen is good for so long.
KEPT_S = 5.0
#: A notice broker that is not there after this is told as away.
CONNECT_S = 0.8
WELL, SILENT = "ok", "NoAnswer"

log = logging.getLogger("chasqui.service")


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Part:
    """Something that a service stands on. `look` raises what is wrong with it, or says what it saw."""

    name: str
    kind: str  # sqlite, postgresql, amqp …
    address: str  # without secrets
    needed: bool  # nothing goes without it; where the others are away, everything else goes on
    look: Callable[[], Any]
    close: Callable[[], None] = _nothing


@dataclass(frozen=True)
class Seen:
    """What a look saw."""

    state: str  # ok, or the code of what is wrong
    why: str = ""  # for operators: it may name machines
    facts: Any = None


class Parts:
    """The parts of a service, looked at together."""

    def __init__(self, parts: Sequence[Part], limit_s: float = LIMIT_S, kept_s: float = KEPT_S) -> None:
        self.parts = parts
        self._limit_s = limit_s
        self._watched = {part.name: _Watched(part, limit_s, kept_s) for part in parts}

    def seen(self) -> dict[str, Seen]:
        """What each part looks like, by name."""
        for one in self._watched.values():
            one.begin()
        until_s = time.monotonic() + self._limit_s
        return {name: one.seen(until_s) for name, one in self._watched.items()}

    def close(self) -> None:
        """Let go of connections."""
        for part in self.parts:
            part.close()


class _Watched:
    """One part, what was seen of it last, and the look that is under way."""

    def __init__(self, part: Part, limit_s: float, kept_s: float) -> None:
        self._part, self._limit_s, self._kept_s = part, limit_s, kept_s
        self._lock = threading.Lock()
        self._seen: Seen | None = None
        self._seen_s = self._begun_s = float("-inf")
        self._over = threading.Event()
        self._over.set()

    def begin(self) -> None:
        """Look again, unless that is being done or was done a moment ago."""
        with self._lock:
            now = time.monotonic()
            if not self._over.is_set() or now - self._seen_s < self._kept_s:
                return
            self._begun_s = now
            self._over.clear()
        threading.Thread(target=self._look, name=f"look at {self._part.name}", daemon=True).start()

    def seen(self, until_s: float) -> Seen:
        """What the look saw; whoever asks waits for it until then, and not for one that has taken longer already."""
        late_s = min(until_s, self._begun_s + self._limit_s)
        if not self._over.wait(max(0.0, late_s - time.monotonic())) or self._seen is None:
            return Seen(SILENT, f"no answer in {self._limit_s:g} s")
        return self._seen

    def _look(self) -> None:
        try:
            seen = Seen(WELL, facts=self._part.look())
        except ChasquiError as error:
            seen = Seen(error.code, str(error.evidence.get("why") or error))
        except Exception as error:
            log.exception("a defect in looking at %s", self._part.name)
            seen = Seen("Defect", type(error).__name__)
        with self._lock:
            self._seen, self._seen_s = seen, time.monotonic()
            self._over.set()


def parts_of(service: Service, catalog: Catalog, store: Store) -> list[Part]:
    """Those that a service is configured with. Nothing is connected to yet."""
    return [_catalog(service, catalog), _store(store), _broker(service), _cache(service), *_notices(service)]


def _catalog(service: Service, catalog: Catalog) -> Part:
    from sqlalchemy import text

    def look() -> str | None:
        with catalog.reading() as db:
            version: str | None = db.scalar(text("SELECT version_num FROM alembic_version"))
        return version

    url = catalog.engine.url.render_as_string()
    return Part("catalog", catalog.engine.dialect.name, bare(url.replace("+psycopg", "")), True, look)


def _store(store: Store) -> Part:
    kind = store.url.partition(":")[0]

    def look() -> None:
        store.key("0" * 16, "request")
        if kind == "file":
            _writable(Path(store.url.partition(":")[2]))

    return Part("store", kind, bare(store.url), True, look)


def _writable(folder: Path) -> None:
    """The folder, or as long as nothing was kept the one that it will be made in."""
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not os.access(there, os.W_OK):
        raise NotWritable(path=there, why="it is read-only, or somebody else's")


def _broker(service: Service) -> Part:
    from chasqui.run.queue.look import AtRabbit, InFile

    look = InFile(service.broker) if service.embedded else AtRabbit(service.broker)
    kind = "embedded" if service.embedded else service.broker.partition(":")[0]
    return Part("broker", kind, bare(service.broker), False, look, look.close)


def _cache(service: Service) -> Part:
    kind = service.cache_url.partition(":")[0]
    if kind == "memory":
        return Part("cache", kind, "memory:", False, _nothing)
    from redis import Redis

    patience = {"socket_timeout": CONNECT_S, "socket_connect_timeout": CONNECT_S}
    client: Redis = Redis.from_url(service.cache_url, retry=None, **patience)

    def look() -> None:
        from redis.exceptions import RedisError

        try:
            client.ping()
        except (RedisError, OSError) as error:
            raise ServiceDown(url=bare(service.cache_url), why=str(error)) from error

    return Part("cache", kind, bare(service.cache_url), False, look, client.close)


def _notices(service: Service) -> list[Part]:
    if not service.mqtt_url:
        return []
    looker = _Notices(service.mqtt_url)
    kind = service.mqtt_url.partition(":")[0]
    return [Part("notices", kind, bare(service.mqtt_url), False, looker, looker.close)]


class _Notices:
    """One connection, kept while it lasts; after a loss a new one, which comes at once and not after a long pause."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._broker: Broker | None = None

    def __call__(self) -> None:
        from chasqui.run.notices.mqtt import Broker

        broker = self._broker = self._broker or Broker(self._url)
        before, until_s = broker.why, time.monotonic() + CONNECT_S
        broker.new_connection()
        while not broker.here and broker.why == before and time.monotonic() < until_s:
            time.sleep(0.01)
        if not broker.here:
            self._broker = None
            threading.Thread(target=broker.close, daemon=True).start()  # its good-bye may take a while
            raise ServiceDown(url=broker, why=broker.why)

    def close(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            broker.close()
