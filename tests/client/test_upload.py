"""Uploads over links that break, to servers that go away, from programs that are killed."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from chasqui.catalog.tables import Lesson, School, Upload
from chasqui.client import upload as sending
from chasqui.errors import (
    BadConfig,
    Garbled,
    NoRoom,
    NoServer,
    NotAllowed,
    NotSignedIn,
    ServerAway,
    TooLarge,
    Unreadable,
)
from chasqui.records import Request


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """Three megabytes that nobody has seen before."""
    path = tmp_path / "clase 1.mp3"
    path.write_bytes(random.Random(5).randbytes(3_000_000))
    return path


def counted(served: Any, table: Any) -> int:
    with served.catalog.reading() as db:
        return int(db.scalar(select(func.count()).select_from(table)) or 0)


def test_what_arrives_is_what_was_sent(served: Any, client_to: Callable[..., Any], sound: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    made = client_to().upload(sound, title="La papa", target="clear", advanced=lambda *at: told.append(at))
    assert made.recording_id == hashlib.sha256(sound.read_bytes()).hexdigest()[:16]
    request = served.store.get(made.recording_id, "request", Request)
    assert request.name == "clase 1.mp3"
    assert served.store.path(request.handed).read_bytes() == sound.read_bytes()
    assert client_to().lesson(made.lesson_id)["title"] == "La papa"
    assert told == sorted(told)
    assert told[-1] == (3_000_000, 3_000_000)
    assert list((tmp_path / "state").iterdir()) == []


@pytest.mark.parametrize("hard", [False, True])
def test_cuts_cost_only_what_was_on_its_way(
    served: Any, client_to: Callable[..., Any], cut_link: Callable[..., Any], sound: Path, hard: bool
) -> None:
    chance = random.Random(1)
    link = cut_link(lambda: chance.randrange(1_000, 600_000), hard)
    made = client_to(link.url).upload(sound)
    assert made.recording_id == hashlib.sha256(sound.read_bytes()).hexdigest()[:16]
    assert link.broken >= 5
    assert link.up < 2 * 3_000_000
    assert counted(served, Upload) == counted(served, Lesson) == 1


def test_a_link_that_never_carries_a_whole_answer_is_given_up(
    client_to: Callable[..., Any], cut_link: Callable[..., Any], sound: Path
) -> None:
    link = cut_link(lambda: 50)
    with pytest.raises(ServerAway) as caught:
        client_to(link.url, patience_s=1.5).upload(sound)
    assert caught.value.evidence["url"] == link.url


def test_a_server_that_is_begun_anew_is_gone_on_with(
    served: Any, client_to: Callable[..., Any], cut_link: Callable[..., Any], sound: Path
) -> None:
    link = cut_link(lambda: 1_500_000)
    away = threading.Event()

    def again() -> None:
        served.begin()
        link.to = served.url

    def advanced(at: int, _whole: int) -> None:
        if at > 1_000_000 and not away.is_set():
            away.set()
            served.end()
            threading.Timer(1.0, again).start()

    made = client_to(link.url).upload(sound, advanced=advanced)
    assert away.is_set()
    assert served.store.get(made.recording_id, "request", Request) is not None
    assert counted(served, Upload) == 1


def test_a_killed_program_goes_on_in_the_next_one(
    served: Any, client_to: Callable[..., Any], cut_link: Callable[..., Any], sound: Path
) -> None:
    link = cut_link(lambda: 900_000)

    def killed(at: int, _whole: int) -> None:
        if at > 1_500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client_to(link.url).upload(sound, advanced=killed)
    until = time.monotonic() + 20
    while not any(path.stat().st_size > 800_000 for path in served.service.incoming.glob("*.part")):
        assert time.monotonic() < until
        time.sleep(0.05)
    link.allowed = lambda: None
    first: list[int] = []
    client_to(link.url).upload(sound, advanced=lambda at, _whole: first.append(at))
    assert first[0] >= 800_000
    assert link.up < 3_000_000 + 200_000
    assert counted(served, Upload) == 1


def test_an_upload_that_the_server_forgot_begins_anew(
    served: Any, client_to: Callable[..., Any], sound: Path, tmp_path: Path
) -> None:
    client = client_to()
    note = sending.Note(tmp_path / "state", client.wire, sound, {})
    note.write("0123456789ab")
    assert client.upload(sound).lesson_id
    assert note.read() is None


def test_a_file_that_changed_is_another_upload(client_to: Callable[..., Any], sound: Path, tmp_path: Path) -> None:
    def note(**facts: str) -> str:
        return sending.Note(tmp_path, client_to().wire, sound, facts).fingerprint

    first, titled = note(), note(title="x")
    sound.write_bytes(b"another")
    assert len({first, titled, note()}) == 3


def test_the_same_file_again_is_the_same_lesson(served: Any, client_to: Callable[..., Any], sound: Path) -> None:
    first = client_to().upload(sound)
    assert client_to().upload(sound) == first
    with served.catalog.reading() as db:
        assert db.scalar(select(School.used_bytes)) == 3_000_000


def test_a_begin_whose_answer_is_lost_reserves_no_room_twice(
    served: Any, client_to: Callable[..., Any], cut_link: Callable[..., Any], sound: Path
) -> None:
    cuts = iter([600])  # the question gets there, the answer does not come back whole
    link = cut_link(lambda: next(cuts, None))
    client_to(link.url).upload(sound)
    assert link.broken == 1
    assert counted(served, Upload) == 1


def test_refusals_are_the_errors_that_they_are(served: Any, client_to: Callable[..., Any], sound: Path) -> None:
    with pytest.raises(BadConfig, match="perfect"):
        client_to().upload(sound, target="perfect")
    with pytest.raises(NotAllowed):
        client_to(role="student").upload(sound)
    with pytest.raises(Unreadable):
        client_to().upload(sound.with_name("nada.mp3"))
    stranger = client_to()
    object.__setattr__(stranger.wire, "token", "nobody")
    with pytest.raises(NotSignedIn):
        stranger.upload(sound)
    with served.catalog.writing() as db:
        db.get_one(School, served.school).quota_bytes = 1_000_000
    with pytest.raises(NoRoom) as caught:
        client_to().upload(sound)
    assert caught.value.evidence["bytes"] == 3_000_000
    object.__setattr__(served.service, "upload_bytes", 1000)
    with pytest.raises(TooLarge):
        client_to().upload(sound)


def test_bytes_that_are_not_ours_are_told(
    client_to: Callable[..., Any], sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_sent", lambda *_: {"lesson_id": "1", "job_id": "2", "recording_id": "0" * 16})
    with pytest.raises(Garbled, match=r"clase 1\.mp3"):
        client_to().upload(sound)


@pytest.mark.parametrize("url", ["ftp://x", "chasqui.example.pe", "http://", "http://x:99999", ""])
def test_what_is_no_address_is_told(client_to: Callable[..., Any], url: str, tmp_path: Path) -> None:
    from chasqui.client import Client

    with pytest.raises(NoServer):
        Client(url, "x")
