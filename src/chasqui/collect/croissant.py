"""croissant.json: the dataset for search engines and loaders, after MLCommons' Croissant 1.0.

https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

from __future__ import annotations

import json
from typing import Any

from chasqui.collect.columns import AUDIO, TABLE
from chasqui.collect.index import Index
from chasqui.collect.schema import Column, Group, Kind, Many, Scalar

NAME = "croissant.json"
TYPES: dict[Scalar, str] = {"text": "sc:Text", "whole": "sc:Integer", "real": "sc:Float", "flag": "sc:Boolean"}
#: format → media type and files of the rows. SQLite has no reader in Croissant 1.0: the file is named, its columns not.
FILES = {
    "parquet": ("application/x-parquet", "data/*.parquet"),
    "jsonl": ("application/jsonlines", "data/*.jsonl"),
    "sqlite": ("application/vnd.sqlite3", "data.sqlite"),
}
TERMS = """citeAs column extract field fileProperty fileObject fileSet format includes isLiveDataset jsonPath key md5
parentField path recordSet references regex repeated replace samplingRate separator source subField transform"""
#: As the specification writes it.
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{term: f"cr:{term}" for term in TERMS.split()},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "sc": "https://schema.org/",
}


def croissant(index: Index) -> str:
    """The file. It holds no date and no address: those belong to whoever publishes the dataset."""
    media_type, files = FILES[index.format]
    rows = {
        "@type": "cr:FileSet",
        "@id": "rows",
        "name": "rows",
        "description": "The rows, one per recording.",
        "encodingFormat": media_type,
        "includes": files,
    }
    told: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": index.title or "recordings",
        "description": _description(index),
        "license": [name for name in index.totals.licences if name != "unknown"] or ["unknown"],
        "inLanguage": [name for name in index.totals.languages if name != "unknown"],
        "version": f"{index.schema_version}.0.0",
        "distribution": [rows],
    }
    if index.format != "sqlite":
        columns = (*TABLE, AUDIO) if index.audio == "inside" else TABLE
        fields = [_field(column) for column in columns if column.name != "audio"]
        told["recordSet"] = [
            {
                "@type": "cr:RecordSet",
                "@id": "recordings",
                "name": "recordings",
                "key": {"@id": "recordings/id"},
                "field": fields,
            }
        ]
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def _description(index: Index) -> str:
    totals = index.totals
    return (
        f"{totals.rows - totals.failed} recordings, {totals.duration_s / 3600:.2f} hours, with transcriptions, tokens, "
        "segments and measurements where they were made; prepared with Chasqui."
    )


def _field(column: Column) -> dict[str, Any]:
    place = f"recordings/{column.name}"
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": place,
        "name": column.name,
        "description": column.meaning,
        "source": _source(column.name),
    }
    kind = column.kind
    if isinstance(kind, Many):
        field["repeated"] = True
    if (scalar := _scalar(kind)) is not None:
        return field | {"dataType": TYPES[scalar]}
    assert isinstance(kind, Many) and isinstance(kind.of, Group)  # noqa: S101 - groups are only in lists
    return field | {
        "dataType": "sc:Text",
        "subField": [
            {
                "@type": "cr:Field",
                "@id": f"{place}/{name}",
                "name": name,
                "dataType": TYPES[scalar],
                "source": _source(column.name) | {"transform": {"jsonPath": name}},
            }
            for name, inner in kind.of.fields
            if (scalar := _scalar(inner)) is not None
        ],
    }


def _scalar(kind: Kind) -> Scalar | None:
    """What it is made of; None for groups in groups, which readers of Croissant 1.0 cannot have."""
    inner = kind.of if isinstance(kind, Many) else kind
    return inner if isinstance(inner, str) else None


def _source(column: str) -> dict[str, Any]:
    return {"fileSet": {"@id": "rows"}, "extract": {"column": column}}
