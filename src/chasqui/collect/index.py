"""dataset.json: what kind of dataset a folder is, what its rows were made with, and what it held when it was closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from chasqui import __version__
from chasqui.collect.schema import SCHEMA_VERSION
from chasqui.collect.shards import Format, replacing
from chasqui.errors import BadDataset

NAME = "dataset.json"
Audio = Literal["beside", "inside"]


class Totals(BaseModel):
    """What a dataset held when it was closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int = 0
    done: int = 0
    degraded: int = 0
    failed: int = 0
    duration_s: float = 0.0
    speech_s: float = 0.0
    words: int = 0
    tokens: int = 0
    audio_bytes: int = 0
    languages: dict[str, int] = {}  # rows of each, most first
    licences: dict[str, int] = {}
    digest: str = ""  # of all rows, whatever their order


class Index(BaseModel):
    """The file. It says what the shards are; they alone say what is in them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["chasqui dataset"] = "chasqui dataset"
    schema_version: int = SCHEMA_VERSION
    format: Format = "parquet"
    audio: Audio = "beside"
    title: str = ""
    tool_version: str = __version__
    closed: bool = False  # False: being written to, or somebody was interrupted; `totals` are those of the last close
    totals: Totals = Totals()
    settings: dict[str, dict[str, Any]] = {}  # hash → stage → version and options


def read_index(folder: Path) -> Index | None:
    """The index of a folder, or None if it has none.

    Raises:
        BadDataset: there is one that cannot be read.
    """
    try:
        return Index.model_validate_json((folder / NAME).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValidationError) as error:
        raise BadDataset(path=str(folder), why=f"{NAME} cannot be read") from error


def write_index(folder: Path, index: Index) -> None:
    """Put the index in its place, whole."""
    with replacing(folder / NAME, folder) as aside:
        aside.write_text(index.model_dump_json(indent=1) + "\n", encoding="utf-8")
