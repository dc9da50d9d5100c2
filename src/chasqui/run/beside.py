"""The table of facts beside the recordings of a dataset: metadata.csv, .tsv or .jsonl, a line per recording.

One column says which: `file_name` (as Hugging Face has it) or `path`, below the root. What `text`, `title`, `language`,
`speaker`, `licence` and `consent` hold is known by name; every further column travels as it stands.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chasqui.errors import BadTable

#: The columns that may say which recording a line is about.
NAMES = ("file_name", "path", "file", "filename")
#: Spellings that people use, and ours.
SAME = {"transcription": "text", "sentence": "text", "license": "licence", "lang": "language", "speaker_id": "speaker"}
#: A field of a line: longer ones are a quote that was never closed.
MOST_CHARS = 4 << 20


def read_table(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """(place below the root, facts) of each line, one after the other.

    Raises:
        BadTable: which line, and what is wrong with it.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = _objects(path, file) if path.suffix == ".jsonl" else _rows(path, file)
            for number, values in lines:
                yield _line(path, number, values)
    except UnicodeDecodeError as error:
        raise BadTable(path=str(path), why=f"it is not UTF-8 text ({error.reason} at byte {error.start})") from error
    except OSError as error:
        raise BadTable(path=str(path), why=(error.strerror or str(error)).lower()) from error


def _rows(path: Path, file: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    csv.field_size_limit(MOST_CHARS)
    reader = csv.DictReader(file, dialect="excel-tab" if path.suffix == ".tsv" else "excel", strict=True)
    try:
        for values in reader:
            if None in values:
                raise BadTable(path=str(path), why=f"line {reader.line_num} has more fields than the first line")
            yield reader.line_num, values
    except csv.Error as error:
        raise BadTable(path=str(path), why=f"line {reader.line_num}: {error}") from error


def _objects(path: Path, file: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except ValueError as error:
            raise BadTable(path=str(path), why=f"line {number}: {error}") from error
        if not isinstance(values, dict):
            raise BadTable(path=str(path), why=f"line {number} is no JSON object")
        yield number, values


def _line(path: Path, number: int, values: dict[str, Any]) -> tuple[str, dict[str, str]]:
    column = next((column for column in NAMES if values.get(column)), None)
    if column is None:
        raise BadTable(path=str(path), why=f"line {number} does not say which file it is about ({NAMES[0]})")
    facts = {SAME.get(name, name): _told(value) for name, value in values.items() if name != column}
    return str(values[column]).removeprefix("./"), {name: value for name, value in facts.items() if value}


def _told(value: Any) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
