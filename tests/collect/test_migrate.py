"""Older schemas become this one. Version 0 is invented here: no such dataset was ever published (see migrate.py)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from chasqui.collect import migrate
from chasqui.collect.check import check
from chasqui.collect.folder import open_dataset
from chasqui.collect.index import Index, read_index, write_index
from chasqui.collect.schema import SCHEMA_VERSION
from collect.written import full, rows

OLD = {
    "id": "00000000000000aa", "path": "clase.wav", "other_names": [], "status": "done", "seconds": 3.5,
    "tokens": ["Hola", "mundo"], "title": "Clase", "schema_version": 0, "tool_version": "0", "settings": "x",
}  # fmt: skip


def old(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "part-00000.jsonl").write_text(json.dumps(OLD) + "\n")
    write_index(folder, Index(format="jsonl", schema_version=0, title="Viejo"))
    return folder


def test_old_rows_become_rows_of_today(tmp_path: Path) -> None:
    folder = old(tmp_path / "d")
    assert [finding.key for finding in check(folder)] == ["check.old"]
    with open_dataset(folder, "jsonl") as data:
        data.add_line(full("1"), None)
    migrated, new = rows(folder)
    assert (migrated["duration_s"], migrated["title"], migrated["settings"]) == (3.5, "Clase", "x")
    assert [token["norm"] for token in migrated["tokens"]] == ["hola", "mundo"]
    assert new["path"] == "1.wav"
    assert list(check(folder)) == []
    assert not (folder / ".work" / migrate.OLD).exists()


def test_sqlite_and_parquet_migrate_as_well(tmp_path: Path, kind: Any) -> None:
    folder = tmp_path / "d"
    with open_dataset(folder, kind) as data:
        data.add_line(full("1"), None)
    index = read_index(folder)
    assert index is not None
    write_index(folder, index.model_copy(update={"schema_version": 0}))
    step = migrate.STEPS[0]
    migrate.STEPS[0] = lambda row: {name: value for name, value in row.items() if name != "row_sha256"}
    try:
        open_dataset(folder, kind).close()
    finally:
        migrate.STEPS[0] = step
    assert list(check(folder)) == []
    assert [row["path"] for row in rows(folder)] == ["1.wav"]


@pytest.mark.parametrize("moment", ["before the swap", "in the middle of it"])
def test_a_kill_during_the_migration_loses_nothing(tmp_path: Path, moment: str) -> None:
    folder, done = old(tmp_path / "d"), old(tmp_path / "done")
    open_dataset(done, "jsonl").close()
    aside = folder / ".work" / migrate.NEW
    shutil.copytree(done, aside, ignore=shutil.ignore_patterns(".work"))
    if moment == "before the swap":
        (aside / "dataset.json").unlink()  # it comes last: without it the new rows may be half of them
        (aside / "data" / "part-00000.jsonl").write_text("")
    else:
        write_index(aside, Index(format="jsonl", title="Viejo"))
        (folder / "data").rename(folder / ".work" / migrate.OLD)
    open_dataset(folder, "jsonl").close()
    assert rows(folder) == rows(done)
    assert list(check(folder)) == []


def test_every_version_has_a_step() -> None:
    assert set(migrate.STEPS) == set(range(SCHEMA_VERSION))
