"""A dataset that is open to be written to: which rows go where, and in which order, so that a kill costs none."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock

from chasqui.collect.index import NAME, Index, write_index
from chasqui.collect.ledger import Entry, Ledger
from chasqui.collect.row import failed
from chasqui.collect.schema import SCHEMA_VERSION, seal
from chasqui.collect.shards import ASIDE, Line, numbered, open_shards, replacing
from chasqui.errors import BadDataset, ChasquiError
from chasqui.records import Row
from chasqui.store import Store
from chasqui.store.guard import disk

#: Rows, and bytes of text and sound, that wait for a shard: memory does not grow with the recordings.
PENDING_ROWS, PENDING_BYTES = 10_000, 64 << 20
#: A last shard of fewer bytes is written again with the new rows behind its own, where these are few: many flushes do
#: not leave many files, and no row is written again for many others.
REWRITTEN_BYTES, FEW_ROWS = 4 << 20, 1_000


@dataclass
class Counts:
    """What became of the rows that were handed in."""

    added: int = 0
    replaced: int = 0
    same: int = 0
    dropped: int = 0  # rows whose place another one took


def settings_key(settings: Mapping[str, Any]) -> str:
    """What stands in the column `settings`."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16] if settings else ""


class Dataset:
    """See `folder.open_dataset`, which makes it. One process writes; anybody may read meanwhile."""

    def __init__(self, folder: Path, index: Index, lock: FileLock, settings: dict[str, Any]) -> None:
        self.folder, self.index, self.counts = folder, index, Counts()
        self._lock = lock
        self._settings = settings_key(settings)
        self._shards = open_shards(folder, index.format, index.audio == "inside")
        self._ledger = Ledger(folder / ASIDE / "ledger.sqlite", self._shards.entries())
        self._pending: dict[str, Line] = {}
        self._at: dict[str, str] = {}
        self._also: dict[str, list[str]] = {}  # further places of pending rows: a failure told of one of them is over
        self._bytes = 0
        self._sounds: dict[str, Path] = {}

    def known(self) -> Mapping[str, str]:
        """Recording id → hash of its row, of all rows that are in shards."""
        return self._ledger

    def add(self, row: Row, store: Store) -> None:
        """Take a row in, with its sound. It is in a shard after the next `flush`, which comes by itself as well.

        Raises:
            BadDataset: a row of another schema.
            DiskFull, NotWritable: the disk says so; the rows that were in shards still are.
        """
        if row.schema_version != SCHEMA_VERSION:
            raise BadDataset(path=str(self.folder), why=f"a row of schema {row.schema_version} was handed in")
        with disk(self.folder):
            self.add_line(store.path(row.line).read_bytes(), store.path(row.audio) if row.audio else None)

    def fail(
        self, path: str, error: ChasquiError, *, recording_id: str | None = None, stage: str = "", **known: Any
    ) -> None:
        """Take a failure in: a row of its own, until the recording at this path succeeds.

        Args:
            path: below the source, with /.
            recording_id: where its content could be read.
            known: further columns: `other_names`, `source`, `etag`, `sha256`, `source_bytes` …
        """
        name = recording_id or hashlib.sha256(f"failed {path}".encode()).hexdigest()[:16]
        names: Iterable[str] = known.pop("other_names", ())
        with disk(self.folder):
            self.add_line(failed(name, path, error, stage=stage, names=names, **known), None)

    def add_line(self, line: bytes, sound: Path | None, settings: str | None = None) -> None:
        """Take in a row as `write_line` writes it, where its sound lies now, and under which settings it was made."""
        text, digest = seal(line, self._settings if settings is None else settings)
        entry = _glance(line, digest)
        self._also[entry.id] = _other_names(line)
        for place in (entry.path, *self._also[entry.id]):
            if (other := self._at.get(place)) not in (None, entry.id):
                self._pending.pop(str(other), None)
        self._pending[entry.id] = Line(entry, text, sound)
        self._at[entry.path] = entry.id
        self._bytes += len(text) + (sound.stat().st_size if sound and self._shards.inside else 0)
        if len(self._pending) >= PENDING_ROWS or self._bytes >= PENDING_BYTES:
            self._flush()

    def flush(self) -> None:
        """Put what was handed in into shards.

        Raises:
            DiskFull, NotWritable: the disk says so; the same rows may be handed in again, and only they are missing.
        """
        with disk(self.folder):
            self._flush()

    def close(self) -> None:
        """Flush, and bring the index, the card and the Croissant file up to what is there."""
        try:
            with disk(self.folder):
                self._flush()
                if not self.index.closed or self.counts.added or self.counts.replaced or self.counts.dropped:
                    self._describe()
        finally:
            self._ledger.close()
            (self.folder / ASIDE / "ledger.sqlite").unlink(missing_ok=True)
            self._lock.release()

    def __enter__(self) -> Dataset:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            self.close()
        except ChasquiError:
            if error is None:  # else the first error is the one to tell
                raise

    def _flush(self) -> None:
        pending, self._pending, self._at, self._bytes = self._pending, {}, {}, 0
        also, self._also = self._also, {}
        held = self._ledger.entries(pending)
        same = [name for name, line in pending.items() if name in held and held[name].digest == line.entry.digest]
        for name in same:
            self._lay(pending.pop(name), again=False)
        self.counts.same += len(same)
        if not pending:
            return
        places = [place for name, line in pending.items() for place in (line.entry.path, *also[name])]
        displaced = [entry for entry in self._ledger.at(places) if entry.id not in pending]
        displaced = [entry for entry in displaced if entry.id not in same]
        self._open()
        for line in pending.values():
            self._lay(line, again=True)
        self._rewrite(pending, held, displaced)
        self._append([line for name, line in pending.items() if name not in held])
        self._clear(pending, displaced)
        self.counts.added += sum(name not in held for name in pending)
        self.counts.replaced += sum(name in held for name in pending)
        self.counts.dropped += len(displaced)

    def _open(self) -> None:
        """Say in the index that rows are on their way, so that nobody takes its totals for today's."""
        if self.index.closed or not (self.folder / NAME).exists():
            self.index = self.index.model_copy(update={"closed": False})
            write_index(self.folder, self.index)

    def _rewrite(self, pending: Mapping[str, Line], held: Mapping[str, Entry], displaced: list[Entry]) -> None:
        """Replace rows where they lie, and take out the displaced: before the new ones come, so that none is double."""
        without: dict[str, set[str]] = {}
        for entry in [*held.values(), *displaced]:
            if entry.id in pending or entry in displaced:
                without.setdefault(entry.shard, set()).add(entry.id)
        for shard, ids in sorted(without.items()):
            lines = [_into(shard, pending[name]) for name in sorted(ids) if name in pending]
            self._shards.write(shard, lines, frozenset(ids))
            self._ledger.drop(ids)
            self._ledger.put(line.entry for line in lines)

    def _append(self, lines: list[Line]) -> None:
        """New rows go behind those of the last shard until it is full, then into new ones."""
        names = self._shards.names()
        last = names[-1] if names else None
        room = 0
        if last is not None and len(lines) < FEW_ROWS and self._shards.size(last) < REWRITTEN_BYTES:
            room = max(self._shards.shard_rows - self._ledger.in_shard(last), 0)
        number = int(last.removeprefix("part-").partition(".")[0]) if last else -1
        while lines:
            if not room:
                number, room = number + 1, self._shards.shard_rows
            shard = numbered(number, self._shards.suffix)
            part = [_into(shard, line) for line in lines[:room]]
            self._shards.write(shard, part)
            self._ledger.put(line.entry for line in part)
            lines, room = lines[room:], 0

    def _lay(self, line: Line, again: bool) -> None:
        """The sound beside the table, under the name that its row gives it."""
        if not isinstance(line.sound, Path) or self._shards.inside:
            return
        target = self.folder / "audio" / f"{line.entry.id}{line.sound.suffix}"
        if again or not target.exists():
            with replacing(target, self.folder) as aside:
                shutil.copyfile(line.sound, aside)

    def _clear(self, pending: Mapping[str, Line], displaced: Iterable[Entry]) -> None:
        """Remove the sound that no row names any more."""
        audio = self.folder / "audio"
        if self._shards.inside or not audio.is_dir():
            return
        for entry in displaced:
            for path in audio.glob(f"{entry.id}.*"):
                path.unlink(missing_ok=True)

    def _describe(self) -> None:
        from chasqui.collect.describe import describe

        self.index = describe(self.folder, self.index, self._shards, self._ledger)


def _into(shard: str, line: Line) -> Line:
    return line._replace(entry=line.entry._replace(shard=shard))


def _other_names(line: bytes) -> list[str]:
    start = line.index(b',"other_names":') + len(b',"other_names":')
    found: list[str] = json.loads(line[start : line.index(b',"source":', start)])
    return found


def _glance(line: bytes, digest: str) -> Entry:
    """What the ledger wants of a line, without parsing it all: quotes in texts are escaped, so these are no texts."""
    end = line.index(b',"other_names":')
    head = json.loads(line[:end] + b"}")
    start = line.index(b',"status":"', end) + len(b',"status":"')
    return Entry(head["id"], digest, head["path"], line[start : line.index(b'"', start)].decode(), "")
