"""What a dataset remembers of its source, and what it must not believe."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from chasqui.records import Failure
from chasqui.run.chunk import Outcome, Task
from chasqui.run.places import Known, Places, stamp_of
from chasqui.run.sources import Source

RECIPE = "r1"


def source(name: str, mark: str = "9:1", **more: str) -> Source:
    return Source(name, f"/in/{name}", 9, mark, **more)  # type: ignore[arg-type]


def outcome(place: Source, recording_id: str, settled: bool = True) -> Outcome:
    facts = {"duration_s": 60.0, "text_tokens": 3, "audio_tokens": 100, "seconds": {"clean": 2.0}}
    return Outcome(Task(place, (place.name,)), recording_id, settled=settled, **facts)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "d" / ".work" / "places.sqlite"


def test_a_place_is_known_by_its_mark_also_under_another_name(path: Path) -> None:
    places = Places(path, "/in")
    assert places.find(source("a"), RECIPE) is None
    places.place(source("a"), "id1")
    assert places.find(source("a"), RECIPE) == Known("id1", None)
    assert places.find(source("link"), "other settings") == Known("id1", None)
    assert places.find(source("a", "9:2"), RECIPE) is None
    places.close()


@pytest.mark.parametrize(("error", "known"), [("NotMedia", True), ("WorkerLost", False), ("DiskFull", False)])
def test_only_a_refusal_that_would_come_again_is_believed(path: Path, error: str, known: bool) -> None:
    places = Places(path, "/in")
    places.place(source("a"), None, Failure(error=error, evidence={"name": "a"}), RECIPE)
    assert (places.find(source("a"), RECIPE) is not None) == known
    assert places.find(source("a"), "other settings") is None
    assert places.reasons() == {error: 1}
    places.close()


def test_a_recording_stands_with_all_its_places_the_first_with_its_facts(path: Path) -> None:
    places = Places(path, "/in")
    places.know_facts([("a", {"speaker": "Ana"}), ("nobody", {"speaker": "Luis"})])
    places.place(source("b"), "id1")
    places.place(source("a"), "id1")
    places.place(source("c", "9:3"), "id2")
    places.save()
    first, second = sorted(places.standing())
    assert (first.recording_id, first.names, first.first.facts) == ("id1", ("a", "b"), {"speaker": "Ana"})
    assert (second.names, second.first) == (("c",), source("c", "9:3"))
    assert places.unmet_facts() == 1
    places.close()


def test_what_is_not_met_again_is_forgotten_only_when_asked(path: Path) -> None:
    places = Places(path, "/in")
    places.place(source("a"), "id1")
    places.place(source("b"), "id1")
    places.close()
    places = Places(path, "/in")
    assert not places.met("id1")
    places.place(source("b"), "id1")
    places.save()
    assert places.met("id1")
    assert [stands.names for stands in places.standing()] == [("a", "b")], "a part of the source may have been listed"
    places.forget_unseen()
    assert [stands.names for stands in places.standing()] == [("b",)]
    places.close()


def test_a_row_is_fresh_by_its_stamp_and_where_it_was_settled(path: Path) -> None:
    places = Places(path, "/in")
    places.row_made(outcome(source("a"), "id1"), "s1")
    places.row_made(outcome(source("b"), "id2", settled=False), "s1")
    assert places.fresh("id1", "s1") and not places.fresh("id1", "s2")
    assert places.fresh("id2", "s1"), "not again in the same run"
    places.close()
    places = Places(path, "/in")
    assert places.fresh("id1", "s1") and not places.fresh("id2", "s1")
    places.close()


def test_totals_are_of_what_was_met_and_count_work_once(path: Path) -> None:
    places = Places(path, "/in")
    for name, recording_id in (("a", "id1"), ("b", "id2")):
        places.place(source(name, f"9:{name}"), recording_id)
        places.row_made(outcome(source(name), recording_id), "s1")
    places.close()
    places = Places(path, "/in")
    places.place(source("a", "9:a"), "id1")
    reused = Outcome(Task(source("a"), ("a",)), "id1", duration_s=60.0, text_tokens=3, audio_tokens=100)
    places.row_made(reused, "s2")
    assert places.totals() == (1, 1, 60.0, 3, 100, 2.0)
    places.close()


def test_a_stamp_changes_with_whatever_a_row_is_made_of() -> None:
    whole = ("r", "clases", ("a",), source("a", "9:1+5:1"))
    others = [
        ("r2", *whole[1:]),
        ("r", "otras", *whole[2:]),
        ("r", "clases", ("a", "b"), whole[3]),
        (*whole[:3], source("a", "9:1+5:2")),
        (*whole[:3], Source("a", "/in/a", 9, "9:1+5:1", facts={"speaker": "Ana"})),
    ]
    assert len({stamp_of(*stamp) for stamp in [whole, *others]}) == 6
    moved = source("a", "9:7+5:1")
    assert stamp_of(*whole) == stamp_of("r", "clases", ("a",), moved), "the sound itself is known by its id"


@pytest.mark.parametrize("damage", [b"no database at all", b"SQLite format 3\0" + b"?" * 3000])
def test_a_damaged_file_is_thrown_away(path: Path, damage: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(damage)
    places = Places(path, "/in")
    places.place(source("a"), "id1")
    places.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM places").fetchone() == (1,)
    connection.close()
