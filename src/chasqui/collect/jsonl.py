"""Rows as JSON Lines: nothing to install, every language reads it, and `grep` does too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from chasqui.collect.ledger import Entry
from chasqui.collect.shards import Line, listed, picked, replacing

SUFFIX = ".jsonl"


class JsonlShards:
    """`data/part-….jsonl`, one row a line."""

    inside = False
    suffix = SUFFIX
    shard_rows = 10_000

    def __init__(self, folder: Path) -> None:
        self._root, self._folder = folder, folder / "data"

    def names(self) -> list[str]:
        """The shards, in order."""
        return listed(self._folder, SUFFIX)

    def size(self, shard: str) -> int:
        """Bytes of a shard."""
        return (self._folder / shard).stat().st_size

    def entries(self) -> Iterator[Entry]:
        """Every row there is, as the ledger wants it."""
        for shard in self.names():
            for row in self.rows(shard=shard):
                yield Entry(row["id"], row["row_sha256"], row["path"], row["status"], shard)

    def rows(self, columns: Sequence[str] | None = None, shard: str | None = None) -> Iterator[dict[str, Any]]:
        """Every row, of all shards or one, with these columns or all."""
        for name in [shard] if shard else self.names():
            with (self._folder / name).open(encoding="utf-8") as lines:
                for line in lines:
                    yield picked(json.loads(line), columns)

    def write(self, shard: str, lines: Sequence[Line], without: frozenset[str] = frozenset()) -> None:
        """Make the shard what it was, less the rows with these ids, and these lines behind it."""
        path = self._folder / shard
        if not lines and without and all(row["id"] in without for row in self.rows(["id"], shard)):
            path.unlink()
            return
        with replacing(path, self._root) as aside, aside.open("wb") as out:
            if path.exists():
                with path.open("rb") as old:
                    out.writelines(line for line in old if not without or json.loads(line)["id"] not in without)
            out.writelines(line.text + b"\n" for line in lines)
