"""What stands in a row of a dataset: kinds of values, the columns (columns.py), and the one way to write a row.

Everything else that knows columns (tables, cards, checks, docs) derives it from here.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

#: Raise it when a column is added, goes, or changes its kind or meaning, and write how old rows become new ones
#: (migrate.py).
SCHEMA_VERSION = 1

Scalar = Literal["text", "whole", "real", "flag"]


@dataclass(frozen=True)
class Many:
    """A list of values of one kind."""

    of: Kind


@dataclass(frozen=True)
class Group:
    """Named values of one thing, each of its kind."""

    fields: tuple[tuple[str, Kind], ...]


Kind = Scalar | Many | Group


class Column(NamedTuple):
    """One column, with what its values may be."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    since: int = 1  # schema version
    needed: bool = False  # never null
    least: float | None = None
    most: float | None = None
    values: tuple[str, ...] = ()  # all that there are


class Problem(NamedTuple):
    """What is wrong with a value: where, what was expected, what stands there."""

    column: str  # with the place in it: segments[3].kind
    expected: str
    found: str


def group(**fields: Kind) -> Group:
    """A Group by keywords, in their order."""
    return Group(tuple(fields.items()))


def many(kind: Kind | None = None, /, **fields: Kind) -> Many:
    """A list of a kind, or of groups with these fields."""
    return Many(kind if kind is not None else group(**fields))


def spell(kind: Kind) -> str:
    """The kind as docs and cards say it."""
    if isinstance(kind, Many):
        return f"list of {spell(kind.of)}"
    if isinstance(kind, Group):
        return "{" + ", ".join(f"{name}: {spell(inner)}" for name, inner in kind.fields) + "}"
    return kind


def blank(columns: tuple[Column, ...]) -> dict[str, Any]:
    """A row in which nothing is said: lists empty, all else null."""
    return {column.name: [] if isinstance(column.kind, Many) else None for column in columns}


def tidy(kind: Kind, value: Any) -> Any:
    """The value with numbers of their kind and every field of a group there, in order: one value, one spelling."""
    if value is None:
        return None
    if isinstance(kind, Many):
        return [tidy(kind.of, item) for item in value]
    if isinstance(kind, Group):
        return {name: tidy(inner, value.get(name)) for name, inner in kind.fields}
    if kind == "real":
        return float(value) + 0.0  # no negative nought: its spelling would differ
    return int(value) if kind == "whole" else value


def dump(value: Any) -> str:
    """The spelling of rows and of what is nested in them."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


#: Halves of characters: how Python keeps the bytes of a file name that is not UTF-8. No table takes them.
HALVES = re.compile("[\ud800-\udfff]")


def write_line(row: Mapping[str, Any], columns: tuple[Column, ...]) -> bytes:
    """The row as one line of JSON, every column there and in order: the same row, the same bytes."""
    text = dump({column.name: tidy(column.kind, row[column.name]) for column in columns})
    try:
        return text.encode()
    except UnicodeEncodeError:
        return HALVES.sub(lambda half: f"\\\\u{ord(half[0]):04x}", text).encode()


def seal(line: bytes, settings: str) -> tuple[bytes, str]:
    """The line with its last two columns, and the hash that is the second: of everything before it."""
    begun, told = memoryview(line)[:-1], b',"settings":"' + settings.encode() + b'"'
    digest = hashlib.sha256(begun)
    digest.update(told)
    name = digest.hexdigest()
    return b"".join((begun, told, b',"row_sha256":"', name.encode(), b'"}')), name


def digest_of(row: Mapping[str, Any], columns: tuple[Column, ...]) -> str:
    """The hash that should stand in `row_sha256` of a row that was read back."""
    return seal(write_line(row, columns), str(row["settings"]))[1]


def problems(row: Mapping[str, Any], columns: tuple[Column, ...]) -> Iterator[Problem]:
    """Everything that the row has against the schema, column by column."""
    for name in row.keys() - {column.name for column in columns}:
        yield Problem(name, "no such column", _shown(row[name]))
    for column in columns:
        if column.name not in row:
            yield Problem(column.name, "a column of that name", "none")
            continue
        value = row[column.name]
        if value is None:
            if column.needed:
                yield Problem(column.name, _expected(column), "null")
            continue
        yield from _misfits(column.kind, value, column.name)
        yield from _out_of_range(column, value)


def _out_of_range(column: Column, value: Any) -> Iterator[Problem]:
    if column.values and isinstance(value, str) and value not in column.values:
        yield Problem(column.name, _expected(column), _shown(value))
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and ((column.least is not None and value < column.least) or (column.most is not None and value > column.most))
    ):
        yield Problem(column.name, _expected(column), _shown(value))


def _misfits(kind: Kind, value: Any, where: str) -> Iterator[Problem]:
    if isinstance(kind, Many):
        if not isinstance(value, list):
            yield Problem(where, "a list", _shown(value))
            return
        for place, item in enumerate(value):
            yield from _misfits(kind.of, item, f"{where}[{place}]")
    elif isinstance(kind, Group):
        if value is None:
            yield Problem(where, "a group of values", "null")
        elif not isinstance(value, dict) or list(value) != [name for name, _ in kind.fields]:
            yield Problem(where, "the fields " + ", ".join(name for name, _ in kind.fields), _shown(value))
        else:
            for name, inner in kind.fields:
                if value[name] is not None:
                    yield from _misfits(inner, value[name], f"{where}.{name}")
    elif not _is(kind, value):
        yield Problem(where, NAMES[kind], _shown(value))


def _is(kind: Scalar, value: Any) -> bool:
    if kind == "flag":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == "text":
        return isinstance(value, str)
    if kind == "whole":
        return isinstance(value, int)
    return isinstance(value, int | float) and math.isfinite(value)


NAMES: dict[Scalar, str] = {"text": "a text", "whole": "a whole number", "real": "a number", "flag": "true or false"}


def _expected(column: Column) -> str:
    if column.values:
        return "one of " + ", ".join(column.values)
    said = NAMES[column.kind] if isinstance(column.kind, str) else "a list"
    if column.least is not None and column.most is not None:
        return f"{said} from {column.least:g} to {column.most:g}"
    return said if column.least is None else f"{said} of at least {column.least:g}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
