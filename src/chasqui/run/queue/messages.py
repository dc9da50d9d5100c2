"""A queue in one SQLite file. A message is held on a lease: whoever has it says again and again that it lives; when it
falls silent, the next one gets the message. What was taken too often is dead and waits for somebody to look at it.

Leases are judged by this machine's clock, so the file must lie on a local disk and all workers on this machine.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

#: A worker that is killed is followed after this long at most. It says that it lives three times as often.
LEASE_S = 15.0
#: Deliveries after the first until a message is dead: RabbitMQ's x-delivery-limit means the same.
DELIVERY_LIMIT = 3
BUSY_S = 30.0

_TABLES = """
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  queue TEXT NOT NULL,
  priority INTEGER NOT NULL DEFAULT 0,
  body TEXT NOT NULL,
  holder TEXT,
  lease_until_s REAL,
  deliveries INTEGER NOT NULL DEFAULT 0,
  dead INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS messages_next ON messages (queue, dead, priority DESC, id);
"""
#: Also where the lease ends further away than any can: the clock was set back since.
_FREE = """queue = :queue AND dead = 0
AND (lease_until_s IS NULL OR lease_until_s < :now OR lease_until_s > :now + 2 * :lease)"""
_BURY = f"UPDATE messages SET dead = 1, holder = NULL, lease_until_s = NULL WHERE {_FREE} AND deliveries > :limit"
_TAKE = f"""
UPDATE messages SET holder = :holder, lease_until_s = :until, deliveries = deliveries + 1
WHERE id = (SELECT id FROM messages WHERE {_FREE} ORDER BY priority DESC, id LIMIT 1)
RETURNING id, body, deliveries
"""
_SIZE = "SELECT count(*) FROM messages WHERE queue = ? AND dead = 0"


class Taken(NamedTuple):
    """A message that is held."""

    id: int
    body: str
    deliveries: int  # this one included


class Messages:
    """The file, for one holder. May be used from several threads."""

    def __init__(self, path: Path, holder: str, lease_s: float = LEASE_S, limit: int = DELIVERY_LIMIT) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._holder, self._lease_s, self._limit = holder, lease_s, limit
        self._lock, self._version = threading.RLock(), -1
        self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")  # a message that was accepted survives the loss of power
        self._db.executescript(_TABLES)

    def put(self, queue: str, body: str, priority: int = 0) -> None:
        """A message at the end of its priority. On return it is on the disk."""
        self._run("INSERT INTO messages (queue, priority, body) VALUES (?, ?, ?)", (queue, priority, body))

    def take(self, queue: str) -> Taken | None:
        """The next message, now held; those that were held too often are buried on the way."""
        now = time.time()
        facts = {"queue": queue, "now": now, "lease": self._lease_s, "limit": self._limit}
        with self._lock:
            if not self._run(f"SELECT 1 FROM messages WHERE {_FREE} LIMIT 1", facts):
                return None  # looking costs no write: workers do it all the time
            self._run(_BURY, facts)
            rows = self._run(_TAKE, {**facts, "holder": self._holder, "until": now + self._lease_s})
        return Taken(*rows[0]) if rows else None

    def renew(self, ids: Iterable[int]) -> None:
        """We still live."""
        until = time.time() + self._lease_s
        for number in ids:
            self._run(
                "UPDATE messages SET lease_until_s = ? WHERE id = ? AND holder = ?", (until, number, self._holder)
            )

    def done(self, number: int) -> None:
        """Away with it; unless somebody else holds it by now, because we were taken for dead."""
        self._run("DELETE FROM messages WHERE id = ? AND holder = ?", (number, self._holder))

    def release(self, number: int, unused: bool = False) -> None:
        """Let somebody else have it. `unused`: nobody has opened it, so this was no delivery."""
        free = "UPDATE messages SET holder = NULL, lease_until_s = NULL, deliveries = deliveries - ?"
        self._run(f"{free} WHERE id = ? AND holder = ?", (int(unused), number, self._holder))

    def bury(self, number: int) -> None:
        """Nobody shall have it."""
        mine = "WHERE id = ? AND holder = ?"
        self._run(f"UPDATE messages SET dead = 1, holder = NULL, lease_until_s = NULL {mine}", (number, self._holder))

    def size(self, queue: str) -> int:
        """Messages of a queue that are not dead, held ones too."""
        return int(self._run(_SIZE, (queue,))[0][0])

    def purge(self, queue: str) -> int:
        """Throw away what nobody holds; how many."""
        free = f"DELETE FROM messages WHERE {_FREE} RETURNING id"
        return len(self._run(free, {"queue": queue, "now": time.time(), "lease": self._lease_s}))

    def dead(self) -> list[tuple[int, str, str]]:
        """(id, queue, body) of the dead, oldest first."""
        return self._run("SELECT id, queue, body FROM messages WHERE dead = 1 ORDER BY id")

    def forget(self, number: int) -> None:
        """A dead one was looked at."""
        self._run("DELETE FROM messages WHERE id = ? AND dead = 1", (number,))

    def stirred(self) -> bool:
        """Whether others have written since this was asked last. A look into shared memory, which costs next to
        nothing; leases that run out are not seen by it.
        """
        version = self._run("PRAGMA data_version")[0][0]
        before, self._version = self._version, version
        return bool(before != version)

    def close(self) -> None:
        """Leases run out by themselves."""
        with self._lock:
            self._db.close()

    def _run(self, statement: str, facts: Any = ()) -> list[Any]:
        with self._lock:
            return self._db.execute(statement, facts).fetchall()
