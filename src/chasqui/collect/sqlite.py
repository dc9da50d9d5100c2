"""Rows in one SQLite file: `recordings`, with indexes, and `recordings_text`, which is searched with MATCH.

Lists are JSON, for `json_each` and friends. Every change is a transaction: a reader sees all of it or nothing.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from chasqui.collect.columns import TABLE
from chasqui.collect.ledger import Entry
from chasqui.collect.schema import SCHEMA_VERSION, Many, dump
from chasqui.collect.shards import Line

FILE = "data.sqlite"
#: The only shard.
SHARD = "part-00000"
INDEXED = ("path", "status", "language", "duration_s", "sha256")
#: What is searched, with and without accents alike: "mañana" is found by "manana".
SEARCHED = ("title", "transcription", "path")
TYPES = {"text": "TEXT", "whole": "INTEGER", "real": "REAL", "flag": "INTEGER"}
#: A reader holds the file for as long as it reads.
BUSY_S = 60.0


class SqliteShards:
    """`data.sqlite`."""

    inside = False
    suffix = ""
    shard_rows = sys.maxsize

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def names(self) -> list[str]:
        """The only shard, if it is there."""
        return [SHARD] if self._file.exists() else []

    def size(self, shard: str) -> int:
        """Nought: it never fills up."""
        return 0

    def entries(self) -> Iterator[Entry]:
        """Every row there is, as the ledger wants it."""
        for row in self.rows(("id", "row_sha256", "path", "status")):
            yield Entry(row["id"], row["row_sha256"], row["path"], row["status"], SHARD)

    def rows(self, columns: Sequence[str] | None = None, shard: str | None = None) -> Iterator[dict[str, Any]]:
        """Every row with these columns or all."""
        if not self._file.exists():
            return
        # Not mode=ro: after a kill the first reader has to undo what was half done.
        with closing(sqlite3.connect(f"file:{_quoted(self._file)}?mode=rw", uri=True, timeout=BUSY_S)) as base:
            kinds = {name: kind for _, name, kind, *_ in base.execute("PRAGMA table_info(recordings)")}
            if not kinds:  # just born
                return
            names = [name for name in columns or kinds if name in kinds]
            chosen = ", ".join(f'"{name}"' for name in names)
            for values in base.execute(f"SELECT {chosen} FROM recordings ORDER BY rowid"):
                yield {
                    name: json.loads(value) if kinds[name] == "JSON" and value is not None else value
                    for name, value in zip(names, values, strict=True)
                }

    def write(self, shard: str, lines: Sequence[Line], without: frozenset[str] = frozenset()) -> None:
        """Take rows with these ids out and these lines in, in one transaction."""
        marks = ", ".join("?" * len(TABLE))
        with self._writing() as base:
            base.executemany("DELETE FROM recordings WHERE id = ?", ((name,) for name in sorted(without)))
            base.executemany(f"INSERT INTO recordings VALUES ({marks})", (_values(line.text) for line in lines))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file, isolation_level=None, timeout=BUSY_S)) as base:
            base.execute("PRAGMA synchronous = FULL")
            base.execute("BEGIN IMMEDIATE")
            if not base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                for statement in _definition():
                    base.execute(statement)
            yield base
            base.execute("COMMIT")  # not reached after an exception: closing undoes what was begun


def _definition() -> Iterator[str]:
    columns = ", ".join(
        f'"{column.name}" {"JSON" if isinstance(column.kind, Many) else TYPES[str(column.kind)]}'
        + (" PRIMARY KEY" if column.name == "id" else " NOT NULL" if column.needed else "")
        for column in TABLE
    )
    yield f"CREATE TABLE recordings ({columns})"
    for name in INDEXED:
        yield f"CREATE INDEX recordings_{name} ON recordings ({name})"
    searched = ", ".join(SEARCHED)
    yield (
        f"CREATE VIRTUAL TABLE recordings_text USING fts5({searched}, content='recordings', "
        "tokenize='unicode61 remove_diacritics 2')"
    )
    new, old = (", ".join(f"{row}.{name}" for name in SEARCHED) for row in ("new", "old"))
    yield (
        "CREATE TRIGGER recordings_in AFTER INSERT ON recordings BEGIN "
        f"INSERT INTO recordings_text (rowid, {searched}) VALUES (new.rowid, {new}); END"
    )
    yield (
        "CREATE TRIGGER recordings_out AFTER DELETE ON recordings BEGIN "
        f"INSERT INTO recordings_text (recordings_text, rowid, {searched}) VALUES ('delete', old.rowid, {old}); END"
    )
    yield f"PRAGMA user_version = {SCHEMA_VERSION}"


def _values(line: bytes) -> list[Any]:
    row = json.loads(line)
    return [dump(row[column.name]) if isinstance(column.kind, Many) else row[column.name] for column in TABLE]


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path.resolve()))
