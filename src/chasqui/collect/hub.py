"""The columns as Hugging Face `datasets` knows them; it reads this from the Parquet files themselves."""

from __future__ import annotations

from typing import Any

from chasqui.collect.columns import TABLE
from chasqui.collect.schema import Group, Kind, Many

DTYPES = {"text": "string", "whole": "int64", "real": "float64", "flag": "bool"}


def features(inside: bool) -> dict[str, Any]:
    """Column → feature, as `datasets.Features.from_dict` reads it. `audio` is an Audio where it lies inside."""
    told = {column.name: _feature(column.kind) for column in TABLE}
    return told | ({"audio": {"_type": "Audio"}} if inside else {})


def _feature(kind: Kind) -> dict[str, Any]:
    if isinstance(kind, Many):
        return {"feature": _feature(kind.of), "_type": "List"}
    if isinstance(kind, Group):
        return {name: _feature(inner) for name, inner in kind.fields}
    return {"dtype": DTYPES[kind], "_type": "Value"}


def yaml_features(inside: bool, indent: str) -> list[str]:
    """The same as the card's front matter has it: readers of JSON Lines cannot guess the kind of an empty list."""
    lines = [line for column in TABLE for line in _yaml(column.name, column.kind, indent)]
    return lines + ([f"{indent}- name: audio", f"{indent}  dtype: audio"] if inside else [])


def _yaml(name: str, kind: Kind, indent: str) -> list[str]:
    head = f"{indent}- name: {name}"
    if isinstance(kind, Many):
        if isinstance(kind.of, Group):
            inner = [line for field, of in kind.of.fields for line in _yaml(field, of, indent + "  ")]
            return [head, f"{indent}  list:", *inner]
        return [head, f"{indent}  list: {DTYPES[str(kind.of)]}"]
    return [head, f"{indent}  dtype: {DTYPES[str(kind)]}"]
