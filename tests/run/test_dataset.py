"""Making a dataset: what is worked on, what is not worked on again, and what becomes of everything that can go wrong.

The work is done in this process, by `run_chunk`, with the real ingest and collect on short sounds.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sounds import babble, write

import chasqui
import chasqui.collect.dataset
from chasqui.config import load
from chasqui.errors import BadConfig, BadDataset, BadTable, DiskFull, EmptySource, NewerDataset, Unreadable
from chasqui.events import Event
from chasqui.run.chunk import Outcome, Task, run_chunk
from chasqui.run.order import Made, chosen


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "clases"
    (folder / "b").mkdir(parents=True)
    for number, name in enumerate(("1.wav", "b/2.wav", "b/3.wav")):
        write(folder / name, babble(1.2, 16000, seed=number), 16000)
    (folder / "b" / "2.txt").write_text("Buenos días.")
    (folder / "carta.mp3").write_text("Estimados padres:")
    (folder / "vacía.mp3").touch()
    return folder


class Here:
    """A runner: the work in this process, in order; it notes what came by."""

    def __init__(self) -> None:
        self.worked: list[str] = []

    def __call__(self, tasks: Iterator[Task], job: Any, listener: Any, wanted: Any) -> Iterator[Outcome]:
        for task in tasks:
            self.worked.append(task.source.name)
            yield from run_chunk([task], job, listener, wanted)


def go(source: Path, runner: Any = None, **more: Any) -> Made:
    where = source.parent
    more = {"out": where / "data", "format": "jsonl", "stages": ["ingest"], "skip_summary": True, **more}
    return chasqui.dataset(source, store=f"file:{where / 'store'}", runner=runner or Here(), **more)


def rows(where: Path) -> dict[str, dict[str, Any]]:
    parts = sorted((where / "data" / "data").glob("*.jsonl"))
    found = [json.loads(line) for part in parts for line in part.read_text(encoding="utf-8").split("\n") if line]
    assert len({row["id"] for row in found}) == len(found)
    return {row["path"]: row for row in found}


def again(source: Path, **more: Any) -> tuple[Made, list[str]]:
    runner = Here()
    return go(source, runner, **more), runner.worked


def test_every_file_is_a_row_also_the_refused(source: Path) -> None:
    made = go(source)
    assert (made.recordings, made.new, made.refused) == (3, 3, 2)
    assert made.reasons == {"EmptyFile": 1, "NotMedia": 1}
    assert made.exit_code == 3
    assert made.duration_s == pytest.approx(3.6, abs=0.1)
    found = rows(source.parent)
    assert set(found) == {"1.wav", "b/2.wav", "b/3.wav", "carta.mp3", "vacía.mp3"}
    assert found["carta.mp3"]["error"] == "NotMedia" and found["carta.mp3"]["failed_stage"] == "ingest"
    assert found["b/2.wav"]["transcription"] == "Buenos días." and found["b/2.wav"]["source"] == "clases"
    assert "." not in {Path(name).suffix for name in os.listdir(source.parent / "data")}


def test_a_second_run_works_on_nothing_and_leaves_the_same_rows(source: Path) -> None:
    go(source)
    before = rows(source.parent)
    made, worked = again(source)
    assert worked == []
    assert (made.recordings, made.new, made.refused, made.exit_code) == (3, 0, 2, 3)
    assert rows(source.parent) == before


def test_what_is_new_or_has_changed_is_worked_on(source: Path) -> None:
    go(source)
    write(source / "4.wav", babble(1.2, 16000, seed=9), 16000)
    write(source / "b" / "3.wav", babble(1.4, 16000, seed=8), 16000)
    made, worked = again(source)
    assert worked == ["4.wav", "b/3.wav"]
    assert made.recordings == 4
    assert set(rows(source.parent)) == {"1.wav", "4.wav", "b/2.wav", "b/3.wav", "carta.mp3", "vacía.mp3"}


def test_a_refused_file_that_was_mended_takes_its_row(source: Path) -> None:
    go(source)
    write(source / "vacía.mp3", babble(1.2, 16000, seed=7), 16000, kind="wav")
    made, worked = again(source)
    assert worked == ["vacía.mp3"]
    assert made.reasons == {"NotMedia": 1}
    assert rows(source.parent)["vacía.mp3"]["status"] == "done"


def test_one_content_under_two_names_is_one_row_with_both(source: Path) -> None:
    shutil.copyfile(source / "1.wav", source / "b" / "otra vez.wav")
    go(source)
    found = rows(source.parent)
    assert found["1.wav"]["other_names"] == ["b/otra vez.wav"] and "b/otra vez.wav" not in found
    assert again(source)[1] == []
    (source / "1.wav").unlink()
    made, _ = again(source)
    assert made.recordings == 3
    assert rows(source.parent)["b/otra vez.wav"]["other_names"] == []


def test_links_are_names_and_are_not_read_again(source: Path) -> None:
    go(source)
    for number in range(20):
        (source / f"link {number:02}.wav").symlink_to("1.wav")
    made, worked = again(source)
    assert worked == ["1.wav"]  # its row, with more names
    assert made.recordings == 3
    assert len(rows(source.parent)["1.wav"]["other_names"]) == 20


def test_facts_from_the_table_and_a_changed_one_makes_one_row_anew(source: Path) -> None:
    table = source / "metadata.csv"
    table.write_text("file_name,speaker,licence,room\n1.wav,Ana,CC0-1.0,4b\nnadie.wav,Luis,,\n")
    heard: list[Event] = []
    made = go(source, listener=heard.append)
    assert made.unmet_facts == 1
    assert [event.message for event in heard if event.kind == "warned"] == [
        "1 lines of the table beside the recordings name none that is there"
    ]
    row = rows(source.parent)["1.wav"]
    assert (row["speakers"], row["licence"]) == (["Ana"], "CC0-1.0")
    assert {"name": "room", "value": "4b"} in row["given"]
    table.write_text("file_name,speaker,licence,room\n1.wav,Rosa,CC0-1.0,4b\n")
    assert again(source)[1] == ["1.wav"]
    assert rows(source.parent)["1.wav"]["speakers"] == ["Rosa"]


def test_a_broken_table_stops_before_the_work(source: Path) -> None:
    (source / "metadata.csv").write_text("file_name\n\n,\n")
    runner = Here()
    with pytest.raises(BadTable):
        go(source, runner)
    assert runner.worked == []


def test_other_settings_make_the_rows_anew(source: Path) -> None:
    go(source)
    before = rows(source.parent)
    _, worked = again(source, ingest__minimum_s=0.5)
    assert set(worked) == set(before)
    assert {row["settings"] for row in rows(source.parent).values()}.isdisjoint(
        {r["settings"] for r in before.values()}
    )


def test_no_cache_looks_at_every_file(source: Path) -> None:
    go(source)
    before = rows(source.parent)
    _, worked = again(source, cache=False)
    assert len(worked) == 5
    assert rows(source.parent) == before


def test_a_limit_and_a_prefix_take_a_part_and_forget_nothing(source: Path) -> None:
    assert again(source, limit=2)[1] == ["1.wav", "carta.mp3"]
    assert again(source, prefix="b/")[1] == ["b/2.wav", "b/3.wav"]
    assert len(rows(source.parent)) == 4
    made, worked = again(source)
    assert worked == ["vacía.mp3"]
    assert made.recordings == 3


def test_skip_ingest_looks_at_no_source(source: Path) -> None:
    go(source)
    shutil.rmtree(source.parent / "data")
    shutil.move(source, source.with_name("away"))
    made, worked = again(source, skip_ingest=True)
    assert sorted(worked) == ["1.wav", "b/2.wav", "b/3.wav"]
    assert (made.recordings, made.refused) == (3, 0)


@pytest.mark.parametrize("kind", ["limit", "batch"])
@pytest.mark.parametrize("number", [0, -1])
def test_a_limit_of_nothing_is_refused_in_words(source: Path, kind: str, number: int) -> None:
    with pytest.raises(BadConfig, match="leaves nothing to do"):
        go(source, **{kind: number})
    assert not (source.parent / "data").exists()


@pytest.mark.parametrize("wish", [{"stages": ["analyse"]}, {"workers": -1}, {"ingest__minimum": 3}])
def test_a_slip_of_the_pen_is_told_before_anything_is_written(source: Path, wish: dict[str, Any]) -> None:
    with pytest.raises(BadConfig):
        go(source, **wish)
    assert not (source.parent / "data").exists()


def test_a_store_in_memory_cannot_be_shared(source: Path) -> None:
    with pytest.raises(BadConfig, match="store in memory"):
        chasqui.dataset(source, out=source.parent / "data", store="memory:")


def test_an_empty_folder_and_a_prefix_that_nothing_has_are_told(source: Path, tmp_path: Path) -> None:
    (tmp_path / "nada").mkdir()
    with pytest.raises(EmptySource, match="nada"):
        go(tmp_path / "nada")
    with pytest.raises(EmptySource, match="clases \\(c/"):
        go(source, prefix="c/")
    with pytest.raises(Unreadable, match="no such file"):
        go(tmp_path / "gone")
    assert not (tmp_path / "data").exists()


def test_a_folder_that_is_no_dataset_is_left_alone(source: Path) -> None:
    (source.parent / "data").mkdir()
    (source.parent / "data" / "tesis.doc").write_text("mine")
    with pytest.raises(BadDataset, match="something else"):
        go(source)
    assert os.listdir(source.parent / "data") == ["tesis.doc"]


def test_a_dataset_of_another_format_or_of_a_newer_chasqui_is_refused(source: Path) -> None:
    go(source)
    with pytest.raises(BadDataset, match="jsonl, not sqlite"):
        go(source, format="sqlite")
    assert again(source, format=None)[1] == []  # nobody said: as it is
    index = source.parent / "data" / "dataset.json"
    told = json.loads(index.read_text())
    index.write_text(json.dumps({**told, "schema_version": 1000}))
    with pytest.raises(NewerDataset):
        go(source)


def test_a_full_disk_stops_everything_and_loses_nothing(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class Filling(Here):
        def __call__(self, *what: Any) -> Iterator[Outcome]:
            for number, outcome in enumerate(super().__call__(*what)):
                yield outcome
                if number == 1:
                    monkeypatch.setattr("chasqui.ingest.run", full)

    with pytest.raises(DiskFull):
        go(source, Filling(), batch=1)
    monkeypatch.undo()
    assert set(rows(source.parent)) == {"1.wav", "carta.mp3", "vacía.mp3"}
    made, worked = again(source)
    assert worked == ["b/2.wav", "b/3.wav"]
    assert made.recordings == 3


def test_rows_that_a_full_disk_kept_out_of_the_dataset_come_the_next_time(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise DiskFull(path="data")

    with monkeypatch.context() as patch:
        patch.setattr(chasqui.collect.dataset.Dataset, "flush", full)
        with pytest.raises(DiskFull):
            go(source)
    made, _ = again(source)
    assert (made.recordings, made.refused, len(rows(source.parent))) == (3, 2, 5)


def test_a_failure_that_may_pass_is_tried_again(source: Path) -> None:
    class Dying(Here):
        def __call__(self, *what: Any) -> Iterator[Outcome]:
            for outcome in super().__call__(*what):
                lost = outcome.task.source.name == "1.wav"
                told = {"error": "WorkerLost", "evidence": {"name": "1.wav", "why": "signal 9"}}
                yield replace(outcome, row=None, failure=Failure(**told)) if lost else outcome

    from chasqui.records import Failure

    made = go(source, Dying())
    assert made.reasons == {"EmptyFile": 1, "NotMedia": 1, "WorkerLost": 1}
    assert rows(source.parent)["1.wav"]["error"] == "WorkerLost"
    made, worked = again(source)
    assert worked == ["1.wav"]
    assert "WorkerLost" not in made.reasons and rows(source.parent)["1.wav"]["status"] == "done"


def test_a_row_that_was_made_in_spite_of_a_failure_is_made_again_in_the_next_run(source: Path) -> None:
    class Unsettled(Here):
        def __call__(self, *what: Any) -> Iterator[Outcome]:
            for outcome in super().__call__(*what):
                yield replace(outcome, settled=outcome.task.source.name != "1.wav")

    runner = Unsettled()
    go(source, runner)
    assert runner.worked.count("1.wav") == 1
    assert again(source)[1] == ["1.wav"]
    assert again(source)[1] == []


def test_a_lost_memory_costs_time_and_changes_no_row(source: Path) -> None:
    go(source)
    before = rows(source.parent)
    (source.parent / "data" / ".work" / "places.sqlite").write_bytes(b"SQLite format 3\0" + b"?" * 5000)
    made, worked = again(source)
    assert len(worked) == 5 and made.recordings == 3
    assert rows(source.parent) == before


def test_when_the_store_is_gone_rows_stay_and_new_work_is_done(source: Path) -> None:
    go(source)
    shutil.rmtree(source.parent / "store")
    assert again(source)[1] == []
    shutil.rmtree(source.parent / "data")
    assert again(source)[0].recordings == 3


def test_the_dataset_may_lie_inside_its_source(source: Path) -> None:
    inside = {"out": source / "data"}
    go(source, **inside)
    made, worked = again(source, **inside)
    assert worked == [] and made.recordings == 3


def test_a_format_whose_package_is_absent_leaves_nothing_behind(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BadConfig, match=r"chasqui\[data\]"):
        go(source, format="parquet")
    assert not (source.parent / "data").exists()
    assert go(source).recordings == 3


NAMED = ("transcribe",)


@pytest.mark.parametrize(
    ("stages", "settings", "asked"),
    [
        (None, {}, False),
        (None, {"transcribe__recogniser": "whisper:small"}, True),
        (None, {"transcribe__recogniser": "whisper:small", "diarize__speakers": "none"}, False),
        (None, {"diarize__speakers": "2"}, True),
        (NAMED, {"diarize__speakers": "auto"}, True),
        (NAMED, {"transcribe__recogniser": "whisper:small"}, False),
        (("diarize",), {}, True),
    ],
)
def test_voices_are_told_apart_only_where_somebody_asks(stages: Any, settings: dict[str, str], asked: bool) -> None:
    named = chosen(stages, load(env={}, **settings))
    assert ("diarize" in named) is asked
    assert named[-1] == "collect"
