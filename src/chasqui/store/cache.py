"""Many tiny values per recording (scores), in one SQLite file: crash-safe, and shared by threads and processes.

A value is re-computable, so a lost one costs time and nothing else: the file is not synced to the disk, and a damaged
file is thrown away.
"""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from threading import Lock

from chasqui.store.guard import BUSY_S, disk

log = logging.getLogger("chasqui.store")


class Cache:
    """The remembered values of one recording. Opened at first use; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._open: sqlite3.Connection | None = None

    def remember(self, key: str, value: bytes) -> None:
        """Keep a value; it survives a kill of this process from the moment this returns."""
        with self._lock, disk(self._path):
            self._connection().execute("INSERT OR REPLACE INTO remembered VALUES (?, ?)", (key, value))

    def recall(self, key: str) -> bytes | None:
        """The value, or None."""
        with self._lock, disk(self._path):
            row = self._connection().execute("SELECT value FROM remembered WHERE key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def close(self) -> None:
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            try:
                self._open = _connect(self._path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                log.warning("the remembered scores in %s are damaged and will be computed again: %s", self._path, error)
                _remove(self._path)
                self._open = _connect(self._path)
        return self._open


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        # The write-ahead log lets readers read while another process writes, and recovers by itself after a kill.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("CREATE TABLE IF NOT EXISTS remembered (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
        # Touches every page once: damage is met here, where it can be cured, and not in the middle of a search.
        if (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(found)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
