"""Lists of records in blobs: JSON Lines, one record a line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from chasqui.records import Record

R = TypeVar("R", bound=Record)


def read(path: Path, kind: type[R]) -> list[R]:
    """The records of a file, in order."""
    with path.open(encoding="utf-8") as lines:
        return [kind.model_validate_json(line) for line in lines]


def write(path: Path, records: Iterable[Record]) -> Path:
    """Write records to a file, and give its path back."""
    with path.open("w", encoding="utf-8") as lines:
        lines.writelines(record.model_dump_json() + "\n" for record in records)
    return path
