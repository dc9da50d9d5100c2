"""What a dataset remembers of its source: which place holds which recording, so that nothing is hashed or done twice.

One SQLite file beside the rows. It says nothing that a run could not find out again: a damaged one is thrown away.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

from chasqui.records import Failure
from chasqui.run.chunk import Outcome
from chasqui.run.sources import Source
from chasqui.store.guard import BUSY_S, disk

TABLES = """
CREATE TABLE IF NOT EXISTS places (
  name TEXT PRIMARY KEY, mark TEXT, source TEXT, recording_id TEXT, failure TEXT, recipe TEXT, seen INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_recording ON places (recording_id, name);
CREATE INDEX IF NOT EXISTS by_mark ON places (mark);
CREATE TABLE IF NOT EXISTS made (
  recording_id TEXT PRIMARY KEY, stamp TEXT, settled INTEGER, run INTEGER,
  duration_s REAL, text_tokens INTEGER, audio_tokens INTEGER, seconds REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, facts TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (number INTEGER PRIMARY KEY, source TEXT);
"""


class Known(NamedTuple):
    """What is remembered of a place: the recording that lies there, or why it was refused."""

    recording_id: str | None
    failure: Failure | None


class Stands(NamedTuple):
    """A recording as it stands in the source now: its places in order, and the first of them."""

    recording_id: str
    names: tuple[str, ...]
    first: Source


class Totals(NamedTuple):
    """Of all rows of this source, whenever they were made."""

    recordings: int
    new: int  # made or made anew in this run
    duration_s: float
    text_tokens: int
    audio_tokens: int
    seconds: float  # of work that they took, in all processes together


class Places:
    """Of one dataset. Used by the process that writes the dataset, and by no other."""

    def __init__(self, path: Path, source: str) -> None:
        self._path = path
        with disk(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._open = _connect(path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                for ending in ("", "-wal", "-shm"):
                    path.with_name(path.name + ending).unlink(missing_ok=True)
                self._open = _connect(path)
            self._run = self._open.execute("INSERT INTO runs (source) VALUES (?)", (source,)).lastrowid
            self._open.execute("DELETE FROM facts")
            self._open.commit()

    def know_facts(self, facts: Iterable[tuple[str, dict[str, str]]]) -> None:
        """What the table beside the recordings says; it is read anew in every run."""
        with disk(self._path):
            self._open.executemany(
                "INSERT OR REPLACE INTO facts VALUES (?, ?)",
                ((name, json.dumps(said, sort_keys=True)) for name, said in facts),
            )
            self._open.commit()

    def facts(self, name: str) -> dict[str, str]:
        """Of one place; empty where the table does not name it."""
        row = self._open.execute("SELECT facts FROM facts WHERE name = ?", (name,)).fetchone()
        return dict(json.loads(row[0])) if row else {}

    def find(self, source: Source, recipe: str) -> Known | None:
        """What is known of these bytes, without looking at them: at this place, or at another link to the same file.

        A refusal counts for the settings it was met with, and only where trying again would change nothing.
        """
        query = "SELECT recording_id, failure, recipe FROM places WHERE mark = ? ORDER BY name = ? DESC LIMIT 1"
        row = self._open.execute(query, (source.mark, source.name)).fetchone()
        if row is None:
            return None
        if row[0] is not None:
            return Known(row[0], None)
        failure = Failure.model_validate_json(row[1])
        return Known(None, failure) if row[2] == recipe and failure.as_error().action == "reject" else None

    def place(self, source: Source, recording_id: str | None, failure: Failure | None = None, recipe: str = "") -> None:
        """Remember what lies at a place."""
        said = failure.model_dump_json() if failure else None
        where = json.dumps({key: value for key, value in asdict(source).items() if key != "facts"})
        row = (source.name, source.mark, where, recording_id, said, recipe, self._run)
        with disk(self._path):
            self._open.execute("INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def failed(self, recording_id: str, failure: Failure, recipe: str) -> None:
        """What is known by this id could not be made a row of, at whatever place it lies."""
        said = failure.model_dump_json()
        with disk(self._path):
            self._open.execute(
                "UPDATE places SET recording_id = NULL, failure = ?, recipe = ? WHERE recording_id = ?",
                (said, recipe, recording_id),
            )

    def met(self, recording_id: str) -> bool:
        """Whether these bytes were found already in this run."""
        query = "SELECT 1 FROM places WHERE recording_id = ? AND seen = ? LIMIT 1"
        return self._open.execute(query, (recording_id, self._run)).fetchone() is not None

    def row_made(self, outcome: Outcome, stamp: str) -> None:
        """The row that the dataset now holds safely was made of this."""
        facts = (outcome.duration_s, outcome.text_tokens, outcome.audio_tokens, sum(outcome.seconds.values()))
        with disk(self._path):
            self._open.execute(
                "INSERT INTO made VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET stamp = excluded.stamp, "
                "settled = excluded.settled, run = excluded.run, duration_s = excluded.duration_s, "
                "text_tokens = excluded.text_tokens, audio_tokens = excluded.audio_tokens, "
                # What was found done took its time once, in an earlier run.
                "seconds = max(seconds, excluded.seconds)",
                (outcome.recording_id, stamp, outcome.settled, self._run, *facts),
            )

    def fresh(self, recording_id: str, stamp: str) -> bool:
        """Whether its row was made of just this, and not in spite of a failure that another run may not meet."""
        query = "SELECT 1 FROM made WHERE recording_id = ? AND stamp = ? AND (settled OR run = ?)"
        return self._open.execute(query, (recording_id, stamp, self._run)).fetchone() is not None

    def save(self) -> None:
        """What was said until now survives a kill."""
        with disk(self._path):
            self._open.commit()

    def forget_unseen(self) -> None:
        """Places that were not met in this run are there no more; only sensible after all were listed."""
        with disk(self._path):
            self._open.execute("DELETE FROM places WHERE seen < ?", (self._run,))
            self._open.commit()

    def see_all(self) -> None:
        """Take every place that is known for met: nobody looks at the source in this run."""
        with disk(self._path):
            self._open.execute("UPDATE places SET seen = ?", (self._run,))
            self._open.commit()

    def standing(self) -> Iterator[Stands]:
        """Every recording that was met in this run, with all its places, also those of earlier runs; as of `save`."""
        query = (
            "SELECT recording_id, json_group_array(name) FROM (SELECT recording_id, name FROM places "
            "WHERE recording_id IN (SELECT recording_id FROM places WHERE seen = ?) ORDER BY recording_id, name) "
            "GROUP BY recording_id"
        )
        reading = sqlite3.connect(self._path, timeout=BUSY_S)  # apart, so that what is written meanwhile stays unseen
        try:
            for recording_id, listed in reading.execute(query, (self._run,)):
                names = tuple(sorted(json.loads(listed)))
                (said,) = reading.execute("SELECT source FROM places WHERE name = ?", (names[0],)).fetchone()
                first = replace(Source(**json.loads(said)), facts=self.facts(names[0]))
                yield Stands(recording_id, names, first)
        finally:
            reading.close()

    def seen_failures(self, most: int) -> list[tuple[str, Failure]]:
        """The first places met in this run whose recording was refused, in their order."""
        query = "SELECT name, failure FROM places WHERE seen = ? AND failure IS NOT NULL ORDER BY name LIMIT ?"
        rows = self._open.execute(query, (self._run, most))
        return [(name, Failure.model_validate_json(said)) for name, said in rows]

    def reasons(self) -> dict[str, int]:
        """How many places met in this run were refused for what, most first."""
        query = (
            "SELECT json_extract(failure, '$.error') AS error, count(*) FROM places "
            "WHERE seen = ? AND failure IS NOT NULL GROUP BY error ORDER BY 2 DESC, 1"
        )
        return dict(self._open.execute(query, (self._run,)).fetchall())

    def totals(self) -> Totals:
        """Of the recordings met in this run."""
        query = (
            "SELECT count(*), sum(run = ?), sum(duration_s), sum(text_tokens), sum(audio_tokens), sum(seconds) "
            "FROM made WHERE recording_id IN (SELECT recording_id FROM places WHERE seen = ?)"
        )
        row = self._open.execute(query, (self._run, self._run)).fetchone()
        return Totals(*(value or 0 for value in row))

    def unmet_facts(self) -> int:
        """Lines of the table that name no recording that is there."""
        query = "SELECT count(*) FROM facts WHERE name NOT IN (SELECT name FROM places WHERE seen = ?)"
        return int(self._open.execute(query, (self._run,)).fetchone()[0])

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._open.commit()
        self._open.close()


def stamp_of(recipe: str, label: str, names: Iterable[str], source: Source) -> str:
    """What a row is made of besides the sound: settings, places, facts, and which text stands beside it."""
    text_mark = source.mark.partition("+")[2]
    said = json.dumps([recipe, label, list(names), text_mark, source.etag, source.facts], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _connect(path: Path) -> sqlite3.Connection:
    connection: Any = sqlite3.connect(path, timeout=BUSY_S)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(TABLES)
        if (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(found)
    except sqlite3.Error:
        connection.close()
        raise
    return connection  # type: ignore[no-any-return]
