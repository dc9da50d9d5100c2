"""The columns of a sweep's tables, and how they become Parquet files. Docs: train.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

#: Where a segment comes from. Texts are empty and numbers null where a treatment was not given.
PROVENANCE: dict[str, str] = {
    "segment_id": "string",
    "take_id": "string",
    "recording_id": "string",
    "source": "string",  # files below the folder of recordings, one per line
    "corpus": "string",
    "group": "string",  # who or what stays on one side of the split
    "speaker": "string",  # the group, where it is one that speaks
    "split": "string",
    "language": "string",
    "content": "string",  # speech, words, music, noise
    "treatment": "string",
    "noise": "string",
    "mixed_snr_db": "float32",  # of the mixture; `snr_db` among the features is measured on the master
    "room": "string",
    "bed": "string",
    "bed_db": "float32",
    "channel": "string",
    "seed": "int64",
    "licence": "string",
    "denoised": "bool",  # whether `clean` found noise to reduce
    "kind": "string",  # speech or music, as `analyze` found
    "start_packet": "int32",
    "packets": "int32",
    "start_s": "float64",
    "seconds": "float64",
}
ROWS: dict[str, str] = {
    **PROVENANCE,
    "rung": "string",
    "bitrate_bps": "int32",
    "bytes": "int32",  # payload of the segment with its lacing
    "estoi": "float32",  # speech only
    "visqol": "float32",  # speech mode for speech, audio mode for music
    "pesq": "float32",  # null unless asked for
}


def segments(features: Sequence[str]) -> dict[str, str]:
    """Columns of segments.parquet: provenance, and each feature under its own name."""
    return {**PROVENANCE, "feature_version": "string", **dict.fromkeys(features, "float32")}


def write(path: Path, rows: list[dict[str, Any]], wanted: dict[str, str]) -> None:
    """A table of these columns; what a row has beside them is left out."""
    import pyarrow as pa

    schema = pa.schema([(name, _type(kind)) for name, kind in wanted.items()])
    _put(path, pa.Table.from_pylist(rows, schema=schema))


def write_frames(path: Path, frames: list[tuple[str, Any]], names: Sequence[str]) -> None:
    """frames.parquet: per segment its packets, and their rows one after the other in half precision.

    Reshape `values` to [packets, len(names)]; the names stand in the table's metadata, under `columns`.
    """
    import pyarrow as pa

    lengths = np.array([values.size for _, values in frames], np.int32)
    flat = np.concatenate([values.reshape(-1) for _, values in frames] or [np.zeros(0)]).astype(np.float16)
    table = pa.table(
        {
            "segment_id": pa.array([name for name, _ in frames], pa.string()),
            "packets": pa.array([len(values) for _, values in frames], pa.int32()),
            "values": pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32()), flat),
        }
    )
    _put(path, table.replace_schema_metadata({"columns": json.dumps(list(names))}))


def _type(kind: str) -> Any:
    import pyarrow as pa

    return {
        "string": pa.string(),
        "float32": pa.float32(),
        "float64": pa.float64(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "bool": pa.bool_(),
    }[kind]


def _put(path: Path, table: Any) -> None:
    import pyarrow.parquet as pq

    aside = path.with_suffix(".part")
    pq.write_table(table, aside, compression="zstd")
    aside.replace(path)
