"""The folder of a dataset: every row once, whatever the interruptions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chasqui.collect.columns import COLUMNS
from chasqui.collect.dataset import Dataset
from chasqui.collect.folder import open_dataset
from chasqui.collect.index import read_index
from chasqui.collect.schema import blank, write_line
from chasqui.collect.shards import FORMATS, open_shards
from chasqui.errors import BadConfig, BadDataset, EmptyFile, StoreBusy


def line(name: str, **columns: Any) -> bytes:
    """A row as the stage writes it."""
    row = blank(COLUMNS) | {"id": name * 16, "path": f"{name}.wav", "status": "done"}
    return write_line(row | {"tool_version": "1", "schema_version": 1} | columns, COLUMNS)


def rows(folder: Path) -> list[dict[str, Any]]:
    index = read_index(folder)
    assert index is not None
    return list(open_shards(folder, index.format, index.audio == "inside").rows())


@pytest.fixture(params=FORMATS)
def kind(request: pytest.FixtureRequest) -> Any:
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
    return request.param


def test_rows_come_back_as_they_went_in(tmp_path: Path, kind: Any) -> None:
    words = [{"text": 'ñ "x"', "start_s": 0.1, "end_s": 1, "probability": None}]
    with open_dataset(tmp_path / "d", kind) as data:
        data.add_line(line("a", words=words, duration_s=2, transcription="línea\nnueva"), None)
    (row,) = rows(tmp_path / "d")
    assert (row["words"], row["duration_s"], row["transcription"]) == (words, 2.0, "línea\nnueva")


def test_a_row_is_there_once(tmp_path: Path, kind: Any) -> None:
    for _ in range(2):
        with open_dataset(tmp_path / "d", kind) as data:
            data.add_line(line("a"), None)
            data.add_line(line("b"), None)
    assert [row["path"] for row in rows(tmp_path / "d")] == ["a.wav", "b.wav"]
    assert data.counts.same == 2


def test_a_changed_row_takes_the_place_of_the_old_one(tmp_path: Path, kind: Any) -> None:
    with open_dataset(tmp_path / "d", kind) as data:
        data.add_line(line("a"), None)
        data.add_line(line("b"), None)
    with open_dataset(tmp_path / "d", kind) as data:
        data.add_line(line("a", title="nuevo"), None)
    assert {row["path"]: row["title"] for row in rows(tmp_path / "d")} == {"a.wav": "nuevo", "b.wav": None}
    assert (data.counts.replaced, data.index.totals.rows) == (1, 2)


def test_a_failure_is_a_row_until_it_succeeds(tmp_path: Path, kind: Any) -> None:
    with open_dataset(tmp_path / "d", kind) as data:
        data.fail("a.wav", EmptyFile(name="a.wav"), stage="ingest")
    (row,) = rows(tmp_path / "d")
    assert (row["status"], row["error"], row["failed_stage"]) == ("failed", "EmptyFile", "ingest")
    assert row["message"] == "a.wav is empty (0 bytes)."
    with open_dataset(tmp_path / "d", kind) as data:
        data.add_line(line("a"), None)
    assert [row["status"] for row in rows(tmp_path / "d")] == ["done"]


def test_the_digest_does_not_know_the_order(tmp_path: Path, kind: Any) -> None:
    digests = set()
    for number, order in enumerate(("abc", "cba")):
        with open_dataset(tmp_path / str(number), kind) as data:
            for name in order:
                data.add_line(line(name), None)
                data.flush()
        digests.add(data.index.totals.digest)
    assert len(digests) == 1


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BadDataset, match="something else"):
        open_dataset(tmp_path, "jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_another_format_is_refused(tmp_path: Path) -> None:
    open_dataset(tmp_path / "d", "jsonl").close()
    with pytest.raises(BadDataset, match="jsonl, not sqlite"):
        open_dataset(tmp_path / "d", "sqlite")


def test_sound_inside_needs_parquet(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="cannot hold sound"):
        open_dataset(tmp_path / "d", "jsonl", audio="inside")


def test_one_writes_at_a_time(tmp_path: Path) -> None:
    with open_dataset(tmp_path / "d", "jsonl"), pytest.raises(StoreBusy):
        open_dataset(tmp_path / "d", "jsonl")


def test_it_is_a_dataset_as_soon_as_it_is_open(tmp_path: Path) -> None:
    data: Dataset = open_dataset(tmp_path / "d", "jsonl")
    index = read_index(tmp_path / "d")
    data.close()
    assert index is not None and not index.closed
