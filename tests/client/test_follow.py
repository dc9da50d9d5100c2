"""Work that is followed: by events, by questions, over links that break, to ends of every kind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chasqui.catalog import jobs
from chasqui.client import follow as following
from chasqui.errors import JobCancelled, NoAudio, NoServer, ServerSaid, UnknownThing


@pytest.fixture
def job(client_to: Callable[..., Any], tmp_path: Path, fake_rooms: Any) -> str:
    path = tmp_path / "clase.mp3"
    path.write_text("hola")
    return str(client_to().upload(path).job_id)


def test_it_is_told_to_its_end(served: Any, client_to: Callable[..., Any], job: str) -> None:
    states = []
    for now in client_to().follow(job):
        states.append(now.state)
        if len(states) == 1:
            served.work(job)
    assert states[0] == "waiting"
    assert states[-1] == "done"
    assert [now.state for now in client_to().follow(job)] == ["done"]


def test_a_link_that_breaks_is_followed_on(
    served: Any, client_to: Callable[..., Any], cut_link: Callable[..., Any], job: str
) -> None:
    link = cut_link(lambda: 1_500)
    client = client_to(link.url)
    stages = []
    for now in client.follow(job):
        stages.append(now.stage)
        if now.state == "waiting":
            jobs.take(served.catalog, job, str(now.stage), "w")
        elif len(stages) < 12:
            jobs.beat(served.catalog, job, "w", len(stages) / 20)
        else:
            jobs.go_on(served.catalog, job, "w", None, "voice")
    assert now.state == "done"
    assert link.broken >= 1


def test_where_events_are_kept_back_it_asks(
    served: Any, client_to: Callable[..., Any], job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "POLL_S", 0.05)
    kept: list[str] = []

    def silent(*_: Any) -> Any:
        kept.append("back")
        raise TimeoutError("timed out")

    monkeypatch.setattr(following, "_stream", silent)
    states = []
    for now in client_to().follow(job):
        states.append(now.state)
        if now.state == "waiting":
            served.work(job)
    assert states == ["waiting", "done"]
    assert kept == ["back"]


def test_a_failure_is_raised_as_what_it_is(served: Any, client_to: Callable[..., Any], job: str) -> None:
    jobs.fail(served.catalog, job, "NoAudio", {"name": "clase.mp4", "streams": "video"})
    seen = []
    with pytest.raises(NoAudio, match=r"clase\.mp4"):
        for now in client_to().follow(job):
            seen.append(now)
    assert [now.state for now in seen] == ["failed"]
    assert "no tiene sonido" in seen[0].message


def test_an_error_of_a_newer_server_is_told_in_its_words(served: Any, client_to: Callable[..., Any], job: str) -> None:
    jobs.fail(served.catalog, job, "MoonAway", {"why": "x"})
    with pytest.raises(ServerSaid):
        list(client_to().follow(job))


def test_somebody_cancels_it(client_to: Callable[..., Any], job: str) -> None:
    assert client_to().cancel(job).state == "cancelled"
    with pytest.raises(JobCancelled):
        list(client_to().follow(job))
    assert [one.id for one in client_to().jobs()] == [job]


def test_a_job_that_is_not_there(client_to: Callable[..., Any]) -> None:
    with pytest.raises(UnknownThing):
        list(client_to().follow("00"))


def test_something_else_that_answers_is_no_server(tmp_path: Path) -> None:
    import functools
    import http.server

    from chasqui.client import Client

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = Client(f"http://127.0.0.1:{server.server_address[1]}", "x", patience_s=1)
        with pytest.raises(NoServer):
            list(client.follow("00"))
        with pytest.raises(NoServer):
            list(client.lessons())
        server.shutdown()
