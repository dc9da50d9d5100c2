"""From older schemas to this one: a function per step, and a folder that is swapped when all of it is written.

| version | what changed |
|---|---|
| 1 | the first that was published |

Before version 1 no dataset was ever written outside the tests. `_from_0` belongs to a schema that the tests invented,
so that the road is known to be passable when version 2 comes: its rows lack columns, call the duration `seconds` and
hold tokens as bare texts.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

from chasqui.collect.columns import COLUMNS
from chasqui.collect.index import Index, write_index
from chasqui.collect.ledger import Entry
from chasqui.collect.schema import SCHEMA_VERSION, blank, seal, write_line
from chasqui.collect.shards import ASIDE, Line, numbered, open_shards, sync_folder

Step = Callable[[dict[str, Any]], dict[str, Any]]
NEW, OLD = "migrated", "before"


def _from_0(row: dict[str, Any]) -> dict[str, Any]:
    new = blank(COLUMNS) | {
        name: value for name, value in row.items() if name not in ("seconds", "tokens", "row_sha256")
    }
    new["duration_s"] = row.get("seconds")
    new["tokens"] = [
        {"text": text, "norm": text.casefold(), "start": None, "end": None, "start_s": None, "end_s": None}
        | {"language": None, "stop": False, "word": True}
        for text in row.get("tokens", [])
    ]
    return new | {"schema_version": 1}


#: version → the step to the next one.
STEPS: dict[int, Step] = {0: _from_0}


def migrate(folder: Path, index: Index) -> Index:
    """Write every row anew beside the old ones, then swap. An interrupted one is begun again, or finished."""
    aside = folder / ASIDE / NEW
    shutil.rmtree(aside, ignore_errors=True)
    (aside / ASIDE).mkdir(parents=True)
    old = open_shards(folder, index.format, index.audio == "inside")
    new = open_shards(aside, index.format, index.audio == "inside")
    for number, shard in enumerate(old.names()):
        sounds = (row["audio"] for row in old.rows(["audio"], shard)) if old.inside else repeat(None)
        lines = [
            _line(row, index.schema_version, sound) for row, sound in zip(old.rows(shard=shard), sounds, strict=False)
        ]
        new.write(numbered(number, new.suffix), lines)
    changed = index.model_copy(update={"schema_version": SCHEMA_VERSION, "closed": False})
    write_index(aside, changed)
    finish(folder)
    return changed


def _line(row: dict[str, Any], version: int, sound: dict[str, Any] | None) -> Line:
    settings = str(row.pop("settings", ""))
    for step in range(version, SCHEMA_VERSION):
        row = STEPS[step](row)
    text, digest = seal(write_line(row, COLUMNS), settings)
    return Line(Entry(row["id"], digest, row["path"], row["status"], ""), text, sound["bytes"] if sound else None)


def finish(folder: Path) -> None:
    """Put a migrated dataset in the place of the old one, if there is a whole one; also after a kill half-way."""
    aside = folder / ASIDE / NEW
    if not (aside / "dataset.json").exists():
        return
    before = folder / ASIDE / OLD
    for name in ("data", "data.sqlite"):
        if (aside / name).exists():
            shutil.rmtree(before, ignore_errors=True)
            before.mkdir(parents=True, exist_ok=True)
            if (folder / name).exists():
                (folder / name).replace(before / name)
            (aside / name).replace(folder / name)
    (aside / "dataset.json").replace(folder / "dataset.json")
    sync_folder(folder)
    shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(before, ignore_errors=True)
