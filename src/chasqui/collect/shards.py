"""Where the rows of a dataset lie: files that appear whole, one format each (jsonl.py, parquet.py, sqlite.py)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from chasqui.collect.ledger import Entry
from chasqui.errors import BadConfig

Format = Literal["parquet", "sqlite", "jsonl"]
FORMATS: tuple[Format, ...] = ("parquet", "sqlite", "jsonl")

#: Where everything is written before it takes its place; on the same file system, so that a rename is enough.
ASIDE = ".work"


class Line(NamedTuple):
    """A row on its way into a shard."""

    entry: Entry  # its shard is decided by whoever writes it
    text: bytes  # one line of JSON, sealed
    sound: Path | bytes | None  # a file, or what was in a table


class Shards(Protocol):
    """The files of one format. Every method that changes something leaves the old or the new state, never less."""

    inside: bool  # whether it holds the sound itself
    suffix: str  # of its shards
    shard_rows: int  # of a full shard

    def names(self) -> list[str]:
        """The shards, in order."""
        ...

    def size(self, shard: str) -> int:
        """Bytes of a shard."""
        ...

    def entries(self) -> Iterator[Entry]:
        """Every row there is, as the ledger wants it."""
        ...

    def rows(self, columns: Sequence[str] | None = None, shard: str | None = None) -> Iterator[dict[str, Any]]:
        """Every row, of all shards or one, with these columns or all but the sound."""
        ...

    def write(self, shard: str, lines: Sequence[Line], without: frozenset[str] = frozenset()) -> None:
        """Make the shard what it was, less the rows with these ids, and these lines behind it."""
        ...


def open_shards(folder: Path, kind: Format, inside: bool) -> Shards:
    """The shards of a format.

    Raises:
        BadConfig: its package is not installed, or it cannot hold sound and should.
    """
    if kind == "jsonl":
        from chasqui.collect.jsonl import JsonlShards

        return _able(JsonlShards(folder), kind, inside)
    if kind == "sqlite":
        from chasqui.collect.sqlite import SqliteShards

        return _able(SqliteShards(folder), kind, inside)
    from chasqui.collect.parquet import ParquetShards

    return ParquetShards(folder, inside)


def _able(shards: Shards, kind: Format, inside: bool) -> Shards:
    if inside:
        raise BadConfig(why=f"{kind} cannot hold sound inside; use parquet, or leave the sound beside the table")
    return shards


@contextmanager
def replacing(path: Path, root: Path) -> Iterator[Path]:
    """A path to write to; at the end it is synced and takes the place of `path`. After an exception nothing changed."""
    aside = root / ASIDE / f"{path.name}.{os.getpid()}.part"
    aside.parent.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield aside
        with aside.open("rb") as written:
            os.fsync(written.fileno())
        aside.replace(path)
        sync_folder(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """A rename survives a power cut only when its folder is synced too (not a thing on Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def numbered(number: int, suffix: str) -> str:
    """The name of a shard."""
    return f"part-{number:05d}{suffix}"


def listed(folder: Path, suffix: str) -> list[str]:
    """The names of the shards that lie in a folder, in order."""
    return sorted(path.name for path in folder.glob(f"part-*{suffix}")) if folder.is_dir() else []


def picked(row: dict[str, Any], columns: Iterable[str] | None) -> dict[str, Any]:
    """These columns of a row, or all."""
    return row if columns is None else {name: row.get(name) for name in columns}
