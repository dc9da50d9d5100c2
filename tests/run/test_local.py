"""Packing a batch with tiny rooms: what is done once, what is refused, what goes on."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from fakes import ROOMS, Rooms

from chasqui import pack
from chasqui.errors import BadConfig, EmptyFile, NotMedia, NotReady, NotWritable, Unreadable
from chasqui.events import Event
from chasqui.run.local import Packed, run_stages
from chasqui.store.folder import FolderStore
from chasqui.store.memory import MemoryStore


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of classes, and we stand beside it."""
    for name, data in {"a/Clase 1.mp3": "uno", "a/b/Clase 2.mp3": "dos", "notas.mp3": "TEXT", "vacío.mp3": ""}.items():
        (tmp_path / "school" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "school" / name).write_text(data)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "school"


def go(paths: object, out: Path, **more: object) -> list[Packed]:
    return pack(paths, out=out, **more)  # type: ignore[arg-type]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_one_file_becomes_one_folder(fake_rooms: Rooms, school: Path, out: Path) -> None:
    (packed,) = go(school / "a" / "Clase 1.mp3", out)
    assert packed.error is None
    assert packed.folder == out / "clase-1"
    assert set(snapshot(out)) == {"clase-1/voice.opus", "clase-1/certificate.json", "clase-1/lesson.json"}
    assert (out / "clase-1" / "voice.opus").read_bytes() == b"opus comfortableclean uno"


def test_a_batch_keeps_its_structure_and_goes_on_when_some_are_refused(
    fake_rooms: Rooms, school: Path, out: Path
) -> None:
    results = {packed.source.name: packed for packed in go([school, school / "gone.mp3"], out)}
    assert results["Clase 1.mp3"].lesson and results["Clase 2.mp3"].lesson
    assert isinstance(results["notas.mp3"].error, NotMedia)
    assert isinstance(results["vacío.mp3"].error, EmptyFile)
    assert isinstance(results["gone.mp3"].error, Unreadable)
    folders = [results[name].folder for name in ("Clase 1.mp3", "Clase 2.mp3")]
    assert all(folder is not None and (folder / "voice.opus").exists() for folder in folders)
    assert folders[1] is not None and "b" in folders[1].relative_to(out).parts


def test_the_second_time_nothing_is_done_again(fake_rooms: Rooms, school: Path, out: Path) -> None:
    go(school, out)
    before, runs = snapshot(out), fake_rooms.runs.copy()
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    go(school, out)
    assert snapshot(out) == before
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == times
    assert fake_rooms.runs == runs + Counter(ingest=1)  # the one that is refused is looked at again


def test_a_moved_recording_is_not_repeated_and_a_renamed_one_not_cleaned_again(
    fake_rooms: Rooms, school: Path, out: Path
) -> None:
    go(school / "a" / "Clase 1.mp3", out)
    (school / "a" / "Clase 1.mp3").rename(school / "Clase 1.mp3")
    go(school / "Clase 1.mp3", out)
    assert fake_rooms.runs == dict.fromkeys(ROOMS, 1)
    (school / "Clase 1.mp3").rename(school / "Tema 9.mp3")
    (packed,) = go(school / "Tema 9.mp3", out)
    assert packed.folder == out / "tema-9"
    expected = dict.fromkeys(ROOMS, 1) | {
        "ingest": 2,
        "encode": 2,
        "publish": 2,
    }  # the title stands in the voice's tags
    assert fake_rooms.runs == expected


def test_another_target_repeats_only_what_depends_on_it(fake_rooms: Rooms, school: Path, out: Path) -> None:
    go(school / "a" / "Clase 1.mp3", out)
    go(school / "a" / "Clase 1.mp3", out, target="clear", budget="2 kB")
    assert fake_rooms.runs == {
        "ingest": 1,
        "clean": 1,
        "analyze": 1,
        "transcribe": 1,
        "diarize": 1,
        "choose": 2,
        "encode": 2,
        "verify": 2,
        "publish": 2,
    }
    assert (out / "clase-1" / "voice.opus").read_bytes().startswith(b"opus clear")


def test_a_lost_output_is_put_back_from_the_store(fake_rooms: Rooms, school: Path, out: Path) -> None:
    go(school / "a" / "Clase 1.mp3", out)
    before, runs = snapshot(out), fake_rooms.runs.copy()
    (out / "clase-1" / "voice.opus").write_bytes(b"broken")
    go(school / "a" / "Clase 1.mp3", out)
    assert snapshot(out) == before
    assert fake_rooms.runs == runs


def test_two_recordings_of_one_name_get_two_folders_every_time(fake_rooms: Rooms, tmp_path: Path, out: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "Clase.mp3").write_text(folder)
    files = [tmp_path / "x" / "Clase.mp3", tmp_path / "y" / "Clase.mp3"]
    first = [packed.folder for packed in go(files, out)]
    again = [packed.folder for packed in go(files[::-1], out)][::-1]
    assert first == again
    assert first[0] == out / "clase"
    assert first[1] is not None and first[1].name.startswith("clase-") and len(first[1].name) == len("clase-") + 8


def test_what_a_teacher_put_beside_a_lesson_stays(fake_rooms: Rooms, school: Path, out: Path) -> None:
    go(school / "a" / "Clase 1.mp3", out)
    (out / "clase-1" / "apuntes.txt").write_text("mío")
    go(school / "a" / "Clase 1.mp3", out, target="clear")
    assert (out / "clase-1" / "apuntes.txt").read_text() == "mío"
    assert [path.name for path in out.iterdir()] == ["clase-1"]


def test_a_folder_that_is_not_ours_is_left_alone(fake_rooms: Rooms, school: Path, out: Path) -> None:
    (out / "clase-1").mkdir(parents=True)
    (out / "clase-1" / "voice.opus").write_text("somebody's")
    (packed,) = go(school / "a" / "Clase 1.mp3", out)
    assert (out / "clase-1" / "voice.opus").read_text() == "somebody's"
    assert packed.folder is not None and packed.folder.name.startswith("clase-1-")


def test_leftovers_of_a_killed_run_are_cleared(fake_rooms: Rooms, school: Path, out: Path) -> None:
    (packed,) = go(school / "a" / "Clase 1.mp3", out)
    before = snapshot(out)
    (out / "clase-1").rename(out / f".clase-1.{packed.recording_id}.old")
    (out / f".clase-1.{packed.recording_id}.part").mkdir()
    go(school / "a" / "Clase 1.mp3", out)
    assert snapshot(out) == before


def test_a_place_that_cannot_be_written_is_said_before_any_work(
    fake_rooms: Rooms, school: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotWritable):
        go(school, tmp_path / "file" / "out")
    assert not fake_rooms.runs


def test_nothing_is_left_behind_when_all_are_refused(fake_rooms: Rooms, school: Path, out: Path) -> None:
    go(school / "notas.mp3", out / "deep" / "er")
    assert not out.exists()


def test_a_full_disk_stops_the_batch_and_says_so_for_the_rest(fake_rooms: Rooms, tmp_path: Path, out: Path) -> None:
    for name, text in {"1.mp3": "uno", "2.mp3": "FULL", "3.mp3": "tres"}.items():
        (tmp_path / name).write_text(text)
    results = go([tmp_path / f"{n}.mp3" for n in (1, 2, 3)], out, store=f"file:{tmp_path / 'store'}")
    assert [packed.error.code if packed.error else "" for packed in results] == ["", "DiskFull", "DiskFull"]
    assert set(os.listdir(out)) == {"1"}
    assert fake_rooms.runs["ingest"] == 2


def test_a_defect_costs_one_recording_and_says_what_it_is(
    fake_rooms: Rooms, tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "1.mp3").write_text("BUG")
    (tmp_path / "2.mp3").write_text("dos")
    monkeypatch.delenv("CHASQUI_DEBUG", raising=False)
    bad, good = go([tmp_path / "1.mp3", tmp_path / "2.mp3"], out, store="memory:")
    assert bad.error is not None and bad.error.code == "Defect"
    assert "ZeroDivisionError" in str(bad.error)
    assert good.lesson is not None
    monkeypatch.setenv("CHASQUI_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        go(tmp_path / "1.mp3", out, store="memory:")


def test_options_are_checked_before_any_work(fake_rooms: Rooms, school: Path, out: Path) -> None:
    for wrong in ({"target": "loud"}, {"budget": "many"}, {"publish__pen_per_md": 1}, {"stroe": "x"}, {"lang": "fr"}):
        with pytest.raises(BadConfig):
            go(school, out, **wrong)
    assert not fake_rooms.runs


def test_events_tell_whose_they_are(fake_rooms: Rooms, school: Path, out: Path) -> None:
    events: list[Event] = []
    go([school / "a" / "Clase 1.mp3", school / "notas.mp3"], out, listener=events.append, store="memory:")
    told = [(event.stage, event.kind) for event in events if event.kind != "advanced"]
    assert told[0] == ("pack", "started")
    assert told[1:3] == [("ingest", "started"), ("ingest", "finished")]
    assert ("pack", "finished") in told and told[-1] == ("pack", "failed")
    assert events[-1].facts["error"] == "NotMedia"
    assert len({event.recording_id for event in events}) == 2


def test_without_a_target_the_default_of_choose_holds(fake_rooms: Rooms, school: Path, out: Path) -> None:
    (packed,) = go(school / "a" / "Clase 1.mp3", out, store=MemoryStore())
    assert packed.certificate is not None and packed.certificate.promised == "comfortable"


def test_stages_one_by_one_need_those_before(fake_rooms: Rooms, school: Path, tmp_path: Path) -> None:
    from chasqui.config import load
    from chasqui.ingest import accept

    store = FolderStore(tmp_path / "store")
    request = accept(school / "a" / "Clase 1.mp3", store)
    with pytest.raises(NotReady):
        run_stages(["clean"], request.recording_id, store, load())
    made = run_stages(["ingest", "clean", "analyze"], request.recording_id, store, load())
    assert [type(record).__name__ for record in made] == ["Recording", "Master", "Analysis"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder in which nothing can be made, for root too")
def test_a_folder_that_cannot_be_made_is_said_before_any_work(fake_rooms: Rooms, school: Path) -> None:
    with pytest.raises(NotWritable):
        go(school, Path("/proc/chasqui"))
    assert not fake_rooms.runs
