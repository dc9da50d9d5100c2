"""Lessons that are fetched: over links that break, whole or not at all, and nowhere else than where they were sent."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chasqui.client import fetch as fetching
from chasqui.errors import Garbled, NotMadeYet, ServerSaid, UnknownThing
from chasqui.records import Lesson


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def made(served: Any, client_to: Callable[..., Any], tmp_path: Path, fake_rooms: Any) -> Any:
    """A lesson of tiny rooms, uploaded and made."""
    path = tmp_path / "clase.mp3"
    path.write_text("hola")
    made = client_to().upload(path, title="La papa")
    served.work(made.job_id)
    return made


def expected(served: Any, recording_id: str) -> dict[str, bytes]:
    lesson = served.store.get(recording_id, "publish", Lesson)
    return {f"{lesson.slug}/{blob.name}": served.store.path(blob).read_bytes() for blob in lesson.files}


def test_a_lesson_comes_as_it_is(served: Any, client_to: Callable[..., Any], made: Any, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    home = client_to().fetch(made.lesson_id, tmp_path / "out", lambda *at: told.append(at))
    assert files(tmp_path / "out") == expected(served, made.recording_id)
    assert (home / "lesson.json").is_file()
    assert told[-1][0] == told[-1][1] == sum(map(len, files(home).values()))
    assert client_to().fetch(made.lesson_id, tmp_path / "out") == home


def test_a_link_that_breaks_costs_only_what_was_on_its_way(
    served: Any,
    client_to: Callable[..., Any],
    cut_link: Callable[..., Any],
    made: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noise = random.Random(3).randbytes(2_000_000)
    _grow(served, made, noise)
    link = cut_link(lambda: 400_000)
    began: list[int] = []
    rest = fetching._rest
    monkeypatch.setattr(fetching, "_rest", lambda *a: (began.append(a[4]), rest(*a))[1])
    home = client_to(link.url).fetch(made.lesson_id, tmp_path / "out")
    assert (home / "voice.opus").read_bytes() == noise
    assert link.broken >= 4
    assert max(began) > 1_200_000
    assert len([at for at in began if at == 0]) <= len(list(home.iterdir())) + 2


def test_what_a_killed_program_fetched_is_not_fetched_again(
    served: Any, client_to: Callable[..., Any], cut_link: Callable[..., Any], made: Any, tmp_path: Path
) -> None:
    noise = random.Random(3).randbytes(2_000_000)
    _grow(served, made, noise)

    def killed(at: int, _whole: int) -> None:
        if at > 300_000:
            raise KeyboardInterrupt

    link = cut_link(lambda: 700_000)
    with pytest.raises(KeyboardInterrupt):
        client_to(link.url).fetch(made.lesson_id, tmp_path / "out", killed)
    assert not any(path.name == "lesson.json" and path.parent.name[0] != "." for path in (tmp_path / "out").rglob("*"))
    link.allowed = lambda: None
    told: list[int] = []
    home = client_to(link.url).fetch(made.lesson_id, tmp_path / "out", lambda at, _whole: told.append(at))
    assert hashlib.sha256((home / "voice.opus").read_bytes()).digest() == hashlib.sha256(noise).digest()
    assert [path.name for path in (tmp_path / "out").iterdir()] == [home.name]


def test_what_is_not_what_it_should_be_is_not_kept(
    served: Any, client_to: Callable[..., Any], made: Any, tmp_path: Path
) -> None:
    lesson = served.store.get(made.recording_id, "publish", Lesson)
    blob = next(blob for blob in lesson.files if blob.name == "voice.opus")
    path = served.store.path(blob)
    path.chmod(0o600)
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(Garbled):
        client_to().fetch(made.lesson_id, tmp_path / "out")
    assert [path for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")] == []


@pytest.mark.parametrize("name", ["../../x", "..", "a/b", "a\\b", "", "a\0b"])
def test_names_that_lead_elsewhere_are_refused(
    client_to: Callable[..., Any], made: Any, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_to()
    told = client.lesson(made.lesson_id)
    told["files"] = {name: told["files"]["voice.opus"]}
    monkeypatch.setattr(type(client.wire), "json", lambda *_: json.loads(json.dumps(told)))
    with pytest.raises(ServerSaid):
        client.fetch(made.lesson_id, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_not_there_or_not_ready_is_told(client_to: Callable[..., Any], tmp_path: Path, fake_rooms: Any) -> None:
    path = tmp_path / "otra.mp3"
    path.write_text("hola otra vez")
    made = client_to().upload(path)
    with pytest.raises(NotMadeYet, match="otra"):
        client_to().fetch(made.lesson_id, tmp_path / "out")
    with pytest.raises(UnknownThing):
        client_to().fetch("00", tmp_path / "out")


def _grow(served: Any, made: Any, noise: bytes) -> None:
    """The lesson, as if its voice had been two megabytes: tiny rooms make tiny files."""
    from chasqui.catalog import lessons
    from chasqui.catalog.tables import Job
    from chasqui.run.queue.work import facts

    lesson = served.store.get(made.recording_id, "publish", Lesson)
    with served.store.workspace(made.recording_id, "publish") as work:
        (work.folder / "voice.opus").write_bytes(noise)
        blobs = [
            work.keep(work.folder / "voice.opus", blob.media_type) if blob.name == "voice.opus" else blob
            for blob in lesson.files
        ]
        key = served.store.key(made.recording_id, "publish")
        grown = lesson.model_copy(update={"files": tuple(blobs), "bytes": len(noise)})
        served.store.put(made.recording_id, "publish", grown, key)
    with served.catalog.writing() as db:
        lessons.made(db, db.get_one(Job, made.job_id), facts(made.recording_id, served.store))
