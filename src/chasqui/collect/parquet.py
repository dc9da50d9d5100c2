"""Rows as Parquet: nested types, zstd, statistics, a row group per thousand rows; the sound inside, if it shall be."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from chasqui.collect.columns import TABLE
from chasqui.collect.hub import features
from chasqui.collect.ledger import Entry
from chasqui.collect.schema import SCHEMA_VERSION, Group, Kind, Many
from chasqui.collect.shards import Line, listed, replacing
from chasqui.errors import NotInstalled

SUFFIX = ".parquet"
#: Rows of a group: what a reader has to hold at once. With the sound inside, a few dozen MB.
GROUP_ROWS, GROUP_ROWS_INSIDE = 1_000, 100
#: Rows handed on at once: less than a group, because nested rows are large as Python objects.
BATCH_ROWS = 200
#: zstd's own default; 9 saves 4 % of such tables for three times the time.
LEVEL = 3


class ParquetShards:
    """`data/part-….parquet`."""

    suffix = SUFFIX
    shard_rows = 10_000

    def __init__(self, folder: Path, inside: bool = False) -> None:
        pyarrow()
        self.inside = inside
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
            for row in self.rows(("id", "row_sha256", "path", "status"), shard):
                yield Entry(row["id"], row["row_sha256"], row["path"], row["status"], shard)

    def rows(self, columns: Sequence[str] | None = None, shard: str | None = None) -> Iterator[dict[str, Any]]:
        """Every row, of all shards or one, with these columns or all but the sound."""
        from pyarrow.parquet import ParquetFile

        for name in [shard] if shard else self.names():
            with ParquetFile(self._folder / name) as file:
                there = file.schema_arrow.names
                wanted = [c for c in there if c != "audio"] if columns is None else [c for c in columns if c in there]
                size = GROUP_ROWS * 10 if columns is not None and "audio" not in columns else BATCH_ROWS
                for batch in file.iter_batches(size, columns=wanted):
                    yield from batch.to_pylist()

    def write(self, shard: str, lines: Sequence[Line], without: frozenset[str] = frozenset()) -> None:
        """Make the shard what it was, less the rows with these ids, and these lines behind it."""
        from pyarrow.parquet import ParquetFile, ParquetWriter

        path = self._folder / shard
        if not lines and without and all(row["id"] in without for row in self.rows(["id"], shard)):
            path.unlink()
            return
        groups = GROUP_ROWS_INSIDE if self.inside else GROUP_ROWS
        parts = [self.table(lines)] if lines else []
        if path.exists():
            with ParquetFile(path) as old:
                parts.insert(0, _less(old.read(), without))
        # In one table: many flushes would leave many groups of a few rows, and each costs hundreds of columns.
        whole = pyarrow().concat_tables(parts).combine_chunks()
        schema = arrow_schema(self.inside)
        with (
            replacing(path, self._root) as aside,
            ParquetWriter(aside, schema, compression="zstd", compression_level=LEVEL) as writer,
        ):
            writer.write_table(whole, groups)

    def table(self, lines: Sequence[Line]) -> Any:
        """The lines as an Arrow table: parsed by Arrow itself, which is strict about kinds and names."""
        from pyarrow import json as arrow_json

        text = b"\n".join(line.text for line in lines)
        longest = max(len(line.text) for line in lines)
        table = arrow_json.read_json(
            io.BytesIO(text),
            arrow_json.ReadOptions(block_size=max(1 << 20, longest + 1)),
            arrow_json.ParseOptions(explicit_schema=arrow_schema(False), unexpected_field_behavior="error"),
        )
        if self.inside:
            table = table.append_column(arrow_schema(True).field("audio"), _sounds(lines))
        return table.cast(arrow_schema(self.inside))


@cache
def arrow_schema(inside: bool) -> Any:
    """The columns as Arrow knows them, with what Hugging Face reads beside them."""
    pa = pyarrow()
    fields = [pa.field(column.name, _arrow(column.kind), nullable=True) for column in TABLE]
    if inside:
        fields.append(pa.field("audio", pa.struct([("bytes", pa.binary()), ("path", pa.string())])))
    told = {
        "chasqui.schema_version": str(SCHEMA_VERSION),
        "huggingface": json.dumps({"info": {"features": features(inside)}}),
    }
    return pa.schema(fields, metadata=told)


def pyarrow() -> Any:
    """The package.

    Raises:
        NotInstalled: it is absent.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise NotInstalled(what="--format parquet", missing="pyarrow", extra="data") from error
    return pa


def _arrow(kind: Kind) -> Any:
    pa = pyarrow()
    if isinstance(kind, Many):
        return pa.list_(_arrow(kind.of))
    if isinstance(kind, Group):
        return pa.struct([(name, _arrow(inner)) for name, inner in kind.fields])
    return {"text": pa.string(), "whole": pa.int64(), "real": pa.float64(), "flag": pa.bool_()}[kind]


def _sounds(lines: Sequence[Line]) -> Any:
    pa = pyarrow()
    found = []
    for line in lines:
        data = line.sound.read_bytes() if isinstance(line.sound, Path) else line.sound
        name = f"{line.entry.id}{line.sound.suffix}" if isinstance(line.sound, Path) else f"{line.entry.id}.flac"
        found.append(None if data is None else {"bytes": data, "path": name})
    return pa.array(found, arrow_schema(True).field("audio").type)


def _less(table: Any, without: frozenset[str]) -> Any:
    if not without:
        return table
    import pyarrow.compute as pc

    return table.filter(pc.invert(pc.is_in(table["id"], value_set=pyarrow().array(sorted(without)))))
