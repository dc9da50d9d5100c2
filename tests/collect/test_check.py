"""What is wrong with a dataset is found, and told so that it can be found again."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from absent import missing

from chasqui.collect.check import check, tell
from chasqui.collect.columns import TABLE
from chasqui.collect.folder import open_dataset
from chasqui.collect.schema import problems
from chasqui.errors import BadDataset
from chasqui.words import LANGUAGES
from collect.written import full, line, write


def keys(folder: Path) -> list[str]:
    found = list(check(folder))
    for finding in found:
        for lang in LANGUAGES:
            assert "?" not in tell(finding, lang)
    return [finding.key for finding in found]


def shard(folder: Path) -> Path:
    return folder / "data" / "part-00000.jsonl"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    sound = tmp_path / "s.flac"
    sound.write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    with open_dataset(tmp_path / "d", "jsonl") as made:
        made.add_line(full("1", audio_path="audio/0000000000000001.flac", audio_sha256=empty), sound)
        made.add_line(full("2"), None)
    return tmp_path / "d"


def test_a_whole_dataset_has_no_faults(tmp_path: Path, kind: Any) -> None:
    write(tmp_path / "d", kind, 5)
    assert keys(tmp_path / "d") == []


def test_a_changed_value_is_found_by_its_hash(data: Path) -> None:
    shard(data).write_text(shard(data).read_text().replace('"Hola, mañana"', '"Hola, ayer"', 1))
    assert keys(data) == ["check.hash"]


@pytest.mark.parametrize(
    ("old", "new", "column", "expected"),
    [
        ('"duration_s":2.0', '"duration_s":-2.0', "duration_s", "a number of at least 0"),
        ('"duration_s":2.0', '"duration_s":"two"', "duration_s", "a number"),
        ('"status":"done"', '"status":"perhaps"', "status", "one of done, degraded, failed"),
        ('"kind":"speech"', '"kind":7', "segments[0].kind", "a text"),
        ('"speech_share":0.75,"lou', '"speech_share":1.75,"lou', "speech_share", "a number from 0 to 1"),
        ('"title":null,', "", "title", "a column of that name"),
        ('"title":null', '"title":null,"tytle":"x"', "tytle", "no such column"),
        ('"path":"1.wav"', '"path":null', "path", "a text"),
    ],
)
def test_a_wrong_value_is_told_with_its_place(data: Path, old: str, new: str, column: str, expected: str) -> None:
    text = shard(data).read_text()
    assert old in text
    shard(data).write_text(text.replace(old, new, 1))
    found = [finding for finding in check(data) if finding.key == "check.value"]
    assert [(f.facts["row"], f.facts["column"], f.facts["expected"]) for f in found] == [(1, column, expected)]
    assert column in tell(found[0], "es") and expected not in tell(found[0], "es")


def test_a_shard_that_cannot_be_read(data: Path) -> None:
    shard(data).write_text(shard(data).read_text()[:-40])
    assert keys(data) == ["check.unreadable"]


def test_a_damaged_parquet_shard(tmp_path: Path) -> None:
    if find_spec("pyarrow") is None:
        missing("pyarrow")
    write(tmp_path / "d", "parquet", 3)
    path = tmp_path / "d" / "data" / "part-00000.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    assert keys(tmp_path / "d") == ["check.unreadable"]


def test_sound_that_changed_or_is_gone_or_is_nobodys(data: Path) -> None:
    sound = data / "audio" / "0000000000000001.flac"
    sound.write_bytes(b"other")
    assert keys(data) == ["check.sound_changed"]
    sound.rename(sound.with_name("00000000000000ff.flac"))
    assert keys(data) == ["check.sound_gone", "check.stray"]


def test_a_row_that_is_there_twice(data: Path) -> None:
    text = shard(data).read_text()
    shard(data).write_text(text + text.splitlines()[0] + "\n")
    assert "check.twice" in keys(data)


def test_numbers_and_cards_that_are_not_true(data: Path) -> None:
    file = data / "dataset.json"
    index = json.loads(file.read_text())
    index["totals"]["duration_s"] = 99
    file.write_text(json.dumps(index))
    assert keys(data) == ["check.total", "check.told", "check.told"]


def test_what_people_write_below_the_card_is_theirs(data: Path) -> None:
    card = data / "README.md"
    card.write_text(card.read_text() + "\nRecorded in Cusco.\n")
    assert keys(data) == []
    with open_dataset(data, "jsonl") as again:
        again.add_line(full("3"), None)
    assert "Recorded in Cusco." in card.read_text()
    assert keys(data) == []


def test_one_that_is_open_is_said_to_be(data: Path) -> None:
    made = open_dataset(data, "jsonl")
    made.add_line(line("9"), None)
    made.flush()
    assert keys(data) == ["check.open"]
    made.close()
    assert keys(data) == []


def test_no_dataset_at_all(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match=r"no dataset\.json"):
        list(check(tmp_path))


def test_nothing_is_wrong_with_a_row_that_says_little() -> None:
    row = json.loads(line("1")) | {"settings": "", "row_sha256": "x"}
    assert list(problems(row, TABLE)) == []
