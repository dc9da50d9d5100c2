"""`run_stage`: found by key, one worker at a time, and a disk that is full."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from fakes import Rooms

from chasqui.config import Config, load
from chasqui.errors import DiskFull, NotReady
from chasqui.events import Event
from chasqui.ingest import accept
from chasqui.pipeline import PIPELINE, stages_for
from chasqui.records import Master, Plan, Request
from chasqui.run import key_of, run_stage
from chasqui.store import Store
from chasqui.store.folder import FolderStore
from chasqui.store.memory import MemoryStore


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore() if request.param == "memory" else FolderStore(tmp_path / "store")


@pytest.fixture
def recording_id(tmp_path: Path, store: Store, fake_rooms: Rooms) -> str:
    (tmp_path / "clase.mp3").write_text("hola")
    return accept(tmp_path / "clase.mp3", store).recording_id


def run_to(last: str, recording_id: str, store: Store, config: Config, **more: Any) -> Any:
    for stage in stages_for("publish"):
        record = run_stage(stage.name, recording_id, store, config, **more)
        if stage.name == last:
            return record
    raise KeyError(last)


def test_a_finished_stage_is_found_not_repeated(recording_id: str, store: Store, fake_rooms: Rooms) -> None:
    events: list[Event] = []
    first = run_to("clean", recording_id, store, load(), listener=events.append)
    again = run_to("clean", recording_id, store, load(), listener=events.append)
    assert first == again
    assert fake_rooms.runs == {"ingest": 1, "clean": 1}
    assert [event.kind for event in events if event.stage == "clean" and event.kind != "advanced"] == [
        "started",
        "warned",
        "finished",
        "reused",
    ]


def test_a_finished_stage_that_was_killed_at_its_very_end_leaves_nothing(
    tmp_path: Path, recording_id: str, store: Store, fake_rooms: Rooms
) -> None:
    run_to("clean", recording_id, store, load())
    left = tmp_path / "store" / recording_id / ".work" / "clean"
    left.mkdir(parents=True)
    (left / "half.flac").write_bytes(b"half")
    run_to("clean", recording_id, store, load())
    assert fake_rooms.runs["clean"] == 1
    assert left.exists() == isinstance(store, MemoryStore)  # there, this folder is nobody's


def test_another_option_or_version_is_other_work(
    recording_id: str, store: Store, fake_rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_to("choose", recording_id, store, load())
    run_to("choose", recording_id, store, load(choose__target="clear"))
    assert fake_rooms.runs == {"ingest": 1, "clean": 1, "analyze": 1, "transcribe": 1, "diarize": 1, "choose": 2}
    monkeypatch.setitem(PIPELINE, "choose", PIPELINE["choose"]._replace(version=99))
    run_stage("choose", recording_id, store, load(choose__target="clear"))
    assert fake_rooms.runs["choose"] == 3


def test_the_number_of_threads_is_not_other_work(recording_id: str, store: Store, fake_rooms: Rooms) -> None:
    run_to("clean", recording_id, store, load(threads=1))
    run_to("clean", recording_id, store, load(threads=7))
    assert fake_rooms.runs == {"ingest": 1, "clean": 1}


def test_the_key_knows_inputs_options_and_version_but_not_where_the_file_was(
    recording_id: str, store: Store, fake_rooms: Rooms
) -> None:
    recording = run_to("ingest", recording_id, store, load())
    stage, options = PIPELINE["clean"], load().options("clean")
    key = key_of(stage, [recording], options)
    assert key == key_of(stage, [recording.model_copy()], options)
    assert key != key_of(stage, [recording.model_copy(update={"duration_s": 1.0})], options)
    assert key != key_of(stage._replace(version=99), [recording], options)
    request = accept(Path(store.get(recording_id, "request", Request).path), store)  # type: ignore[union-attr]
    ingest = PIPELINE["ingest"]
    moved = request.model_copy(update={"path": "/elsewhere", "folder": "x"})
    assert key_of(ingest, [request], options) == key_of(ingest, [moved], options)
    assert key_of(ingest, [request], options) != key_of(ingest, [request.model_copy(update={"title": "T"})], options)


def test_how_a_plan_was_found_is_not_other_work(recording_id: str, store: Store, fake_rooms: Rooms) -> None:
    run_to("encode", recording_id, store, load())
    plan = store.get(recording_id, "choose", Plan)
    assert plan is not None
    store.put(recording_id, "choose", plan.model_copy(update={"scored": 0, "remembered": 7}), "found otherwise")
    run_stage("encode", recording_id, store, load())
    assert fake_rooms.runs["encode"] == 1


def test_a_stage_says_what_it_needs_first(recording_id: str, store: Store) -> None:
    with pytest.raises(NotReady, match="chasqui ingest"):
        run_stage("clean", recording_id, store, load())


def test_two_at_once_run_the_stage_once(
    recording_id: str, store: Store, fake_rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_to("ingest", recording_id, store, load())
    inside, go_on, results = threading.Event(), threading.Event(), []
    clean = fake_rooms.clean

    def slow(*needs: Any, **rest: Any) -> Master:
        inside.set()
        assert go_on.wait(20)
        return clean(*needs, **rest)

    monkeypatch.setattr(fake_rooms, "clean", slow)

    def work() -> None:
        results.append(run_stage("clean", recording_id, store, load()))

    threads = [threading.Thread(target=work) for _ in range(2)]
    threads[0].start()
    assert inside.wait(20)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert fake_rooms.runs["clean"] == 1
    assert results[0] == results[1]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, store: Store, fake_rooms: Rooms) -> None:
    (tmp_path / "big.mp3").write_text("FULL")
    recording_id = accept(tmp_path / "big.mp3", store).recording_id
    events: list[Event] = []
    with pytest.raises(DiskFull):
        run_to("encode", recording_id, store, load(), listener=events.append)
    assert store.key(recording_id, "encode") is None
    assert store.get(recording_id, "choose", Plan) is not None
    assert (events[-1].kind, events[-1].stage, events[-1].facts["error"]) == ("failed", "encode", "DiskFull")
    root = store.root  # type: ignore[attr-defined]
    assert not [
        path for path in root.rglob("*") if "encode" in path.parts and path.is_file() and ".locks" not in path.parts
    ]


def test_what_is_wanted_is_taken_only_if_it_is_what_these_settings_make(
    recording_id: str, store: Store, fake_rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    real = PIPELINE["transcribe"].room.run

    def transcribe(*inputs: Any, **rest: Any) -> Any:
        seen.append(inputs[-1])
        return real(*inputs[:-1], **rest)

    monkeypatch.setitem(PIPELINE, "transcribe", PIPELINE["transcribe"]._replace(wants=("choose",)))
    monkeypatch.setattr(PIPELINE["transcribe"].room, "run", transcribe)
    run_to("transcribe", recording_id, store, load())
    assert seen == [None]  # nobody has made it yet
    plan = run_stage("choose", recording_id, store, load())
    run_stage("transcribe", recording_id, store, load())
    assert seen == [None, plan]
    run_stage("transcribe", recording_id, store, load(choose__target="clear"))  # of other settings: not there
    assert seen == [None, plan, None]
    assert fake_rooms.runs["choose"] == 1


def test_the_stages_of_a_lesson_are_those_that_publishing_needs() -> None:
    assert [stage.name for stage in stages_for("publish")] == [
        "ingest",
        "clean",
        "analyze",
        "transcribe",
        "diarize",
        "choose",
        "encode",
        "verify",
        "publish",
    ]
    assert [stage.name for stage in stages_for("choose")] == ["ingest", "clean", "analyze", "choose"]
