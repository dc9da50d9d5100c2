"""The folder of a dataset: every row once, whatever the interruptions."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from chasqui.collect.check import check
from chasqui.collect.dataset import Dataset
from chasqui.collect.folder import open_dataset
from chasqui.collect.index import Index, read_index, write_index
from chasqui.errors import BadConfig, BadDataset, EmptyFile, NewerDataset, StoreBusy
from collect.written import full, line, rows, write


def test_rows_come_back_as_they_went_in(tmp_path: Path, kind: Any) -> None:
    words = [{"text": 'ñ "x"', "start_s": 0.1, "end_s": 1, "probability": None, "speaker": None}]
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


def test_names_of_every_kind_survive(tmp_path: Path, kind: Any) -> None:
    names = ['a "b"', "c\\d", 'e,"other_names":[', "f\ng", "h'i;--", "ñandú 🦙", "caf\udce9", 'x","status":"failed']
    with open_dataset(tmp_path / "d", kind) as data:
        for number, name in enumerate(names):
            data.add_line(line(str(number), path=name), None)
    found = rows(tmp_path / "d")
    assert [row["path"] for row in found] == [*names[:-2], "caf\\udce9", names[-1]]
    assert {row["status"] for row in found} == {"done"}
    assert list(check(tmp_path / "d")) == []


def test_a_row_takes_the_place_of_what_its_path_named_before(tmp_path: Path, kind: Any) -> None:
    with open_dataset(tmp_path / "d", kind) as data:
        data.add_line(line("1", path="clase.wav"), None)
        data.add_line(line("2", path="otra.wav"), None)
    with open_dataset(tmp_path / "d", kind) as data:
        data.add_line(line("3", path="clase.wav"), None)
    assert {row["path"]: row["id"][-1] for row in rows(tmp_path / "d")} == {"clase.wav": "3", "otra.wav": "2"}
    assert data.counts.dropped == 1


def test_small_flushes_do_not_leave_many_files(tmp_path: Path, kind: Any) -> None:
    write(tmp_path / "d", kind, 30, every=1)
    assert len(list((tmp_path / "d").glob("data*/part-*"))) <= 1
    assert len(rows(tmp_path / "d")) == 30


def test_sound_lies_beside_and_goes_with_its_row(tmp_path: Path, kind: Any) -> None:
    sound = tmp_path / "x.flac"
    sound.write_bytes(b"fLaC")
    with open_dataset(tmp_path / "d", kind) as data:
        data.add_line(line("1", path="clase.wav", audio_path="audio/0000000000000001.flac"), sound)
    assert (tmp_path / "d" / "audio" / "0000000000000001.flac").read_bytes() == b"fLaC"
    with open_dataset(tmp_path / "d", kind) as data:
        data.add_line(line("2", path="clase.wav"), None)
    assert list((tmp_path / "d" / "audio").iterdir()) == []


def test_a_killed_writer_leaves_a_dataset_and_the_next_one_the_same_rows(tmp_path: Path, kind: Any) -> None:
    clean = write(tmp_path / "clean", kind, 120)
    folder = tmp_path / "d"
    for rows_before_the_kill in (1, 40):
        writer = subprocess.Popen(
            [sys.executable, "-m", "collect.written", str(folder), kind, "120"],
            cwd=Path(__file__).parents[1],
        )
        try:
            while writer.poll() is None and _count(folder) < rows_before_the_kill:
                time.sleep(0.01)
        finally:
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait()
        found = [row["id"] for row in rows(folder)]
        assert len(found) == len(set(found)) >= rows_before_the_kill
        assert {finding.key for finding in check(folder)} <= {"check.open"}
    assert write(folder, kind, 120) == clean
    assert list(check(folder)) == []


def _count(folder: Path) -> int:
    """Rows that a reader sees while somebody writes: it may look at any moment, and never sees half a shard."""
    return len(rows(folder)) if (folder / "dataset.json").exists() else 0


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from chasqui.collect.folder import open_dataset
from chasqui.errors import DiskFull
from collect.written import line
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
data = open_dataset(Path(sys.argv[1]), sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
data.add_line(line("2", title="".join(map(chr, range(0x4e00, 0x9e00)))), None)
try:
    data.flush()
except DiskFull as error:
    print(error)
"""


def test_a_full_disk_is_said_and_costs_nothing_that_was_there(tmp_path: Path, kind: Any) -> None:
    folder = tmp_path / "d"
    with open_dataset(folder, kind) as data:
        data.add_line(line("1"), None)
    said = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(folder), kind],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    if kind != "sqlite":  # to SQLite a limit on the size of files is an error of the device, and not a full disk
        assert "The disk is full" in said.stdout, said.stderr
    assert [row["path"] for row in rows(folder)] == ["1.wav"]
    with open_dataset(folder, kind) as data:
        data.add_line(full("2"), None)
    assert list(check(folder)) == []


def test_a_newer_dataset_is_left_alone(tmp_path: Path) -> None:
    write_index(tmp_path, Index(format="jsonl", schema_version=99))
    with pytest.raises(NewerDataset, match="schema 99"):
        open_dataset(tmp_path, "jsonl")


def test_an_unchanged_dataset_is_not_written_to(tmp_path: Path, kind: Any) -> None:
    write(tmp_path / "d", kind, 3)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "d").rglob("*") if ".work" not in path.parts}
    write(tmp_path / "d", kind, 3)
    assert {path: path.stat().st_mtime_ns for path in before if path.is_file()} == {
        path: at for path, at in before.items() if path.is_file()
    }


def test_settings_are_told_once_and_named_by_every_row(tmp_path: Path, kind: Any) -> None:
    settings = {"clean": {"version": 2, "options": {}}}
    with open_dataset(tmp_path / "d", kind, settings=settings) as data:
        data.add_line(line("1"), None)
    (row,) = rows(tmp_path / "d")
    assert data.index.settings[row["settings"]] == settings
