"""Which rows a dataset has: id, hash, place and shard of each, in a scratch database beside the shards.

The shards are the truth: the ledger is written anew from them whenever a dataset is opened to be written to, and holds
a million rows without holding them in memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

#: Ids asked about in one statement; SQLite takes 999 parameters in its oldest builds.
AT_ONCE = 900


class Entry(NamedTuple):
    """One row as the ledger knows it."""

    id: str
    digest: str  # row_sha256
    path: str
    status: str
    shard: str


class Ledger(Mapping[str, str]):
    """id → hash of its row, over all shards; a Mapping, so that callers may ask and count."""

    def __init__(self, path: Path, entries: Iterable[Entry]) -> None:
        path.unlink(missing_ok=True)
        # check_same_thread: a dataset is written by one thread at a time, which need not be the one that opened it.
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._base.execute("PRAGMA journal_mode = OFF")  # scratch: written anew, never recovered
        self._base.execute("PRAGMA synchronous = OFF")
        self._base.execute(
            "CREATE TABLE held (id TEXT PRIMARY KEY, digest TEXT, path TEXT, status TEXT, shard TEXT) WITHOUT ROWID"
        )
        self._base.execute("CREATE INDEX by_path ON held (path)")
        self.put(entries)

    def put(self, entries: Iterable[Entry]) -> None:
        """Know these rows, in the place of those with the same ids."""
        self._base.execute("BEGIN")
        self._base.executemany("INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?)", entries)
        self._base.execute("COMMIT")

    def drop(self, ids: Iterable[str]) -> None:
        """Forget these rows."""
        self._base.execute("BEGIN")
        self._base.executemany("DELETE FROM held WHERE id = ?", ((one,) for one in ids))
        self._base.execute("COMMIT")

    def entries(self, ids: Iterable[str]) -> dict[str, Entry]:
        """What is known of these ids."""
        return {entry.id: entry for entry in self._select("id", ids)}

    def at(self, paths: Iterable[str]) -> list[Entry]:
        """The rows whose place is one of these."""
        return list(self._select("path", paths))

    def in_shard(self, shard: str) -> int:
        """Rows in a shard."""
        return int(self._base.execute("SELECT count(*) FROM held WHERE shard = ?", (shard,)).fetchone()[0])

    def digests(self) -> Iterator[str]:
        """The hashes of all rows, in the order of their ids."""
        return (row[0] for row in self._base.execute("SELECT digest FROM held ORDER BY id"))

    def close(self) -> None:
        """Nothing can be asked any more."""
        self._base.close()

    def __getitem__(self, recording_id: str) -> str:
        row = self._base.execute("SELECT digest FROM held WHERE id = ?", (recording_id,)).fetchone()
        if row is None:
            raise KeyError(recording_id)
        return str(row[0])

    def __iter__(self) -> Iterator[str]:
        return (row[0] for row in self._base.execute("SELECT id FROM held ORDER BY id"))

    def __len__(self) -> int:
        return int(self._base.execute("SELECT count(*) FROM held").fetchone()[0])

    def _select(self, column: str, wanted: Iterable[str]) -> Iterator[Entry]:
        asked = list(wanted)
        for start in range(0, len(asked), AT_ONCE):
            part = asked[start : start + AT_ONCE]
            marks = ",".join("?" * len(part))
            query = f"SELECT id, digest, path, status, shard FROM held WHERE {column} IN ({marks})"
            yield from (Entry(*row) for row in self._base.execute(query, part))
