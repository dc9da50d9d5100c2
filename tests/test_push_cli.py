"""`chasqui push`: what it tells, with which exit code. The way of a recording through it is told in the stories."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from chasqui.cli import main
from chasqui.client import Client, Job, Made
from chasqui.errors import BadConfig, NoServer, NotMedia, NotSignedIn, ServerAway

URL = "http://127.0.0.1:9"


@pytest.fixture
def push(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """(exit code, standard output, standard error) of `chasqui push …`."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("CHASQUI_TOKEN", raising=False)
    monkeypatch.delenv("CHASQUI_SERVER", raising=False)
    for name in ("a.mp3", "b.mp3"):
        (tmp_path / name).write_bytes(name.encode())

    def run(*arguments: Any) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["push", *map(str, arguments)])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose answers are known: b.mp3 is no sound."""
    facts = {"title": "La papa", "state": "made", "bytes": 100_000, "source_bytes": 5_000_000, "kept": "understood"}

    def follow(_self: Client, job_id: str) -> Any:
        yield Job(job_id, "0" * 16, "1", "running", "clean", 0.5)
        if job_id == "b.mp3":
            raise NotMedia(name="b.mp3", why="a text")
        yield Job(job_id, "0" * 16, "1", "done", "publish", 0.0)

    monkeypatch.setattr(Client, "upload", lambda _self, path, **_: Made("1", path.name, "0" * 16))
    monkeypatch.setattr(Client, "follow", follow)
    monkeypatch.setattr(Client, "lesson", lambda *_: facts)


def test_without_a_token_nothing_is_sent(push: Any, tmp_path: Path) -> None:
    code, _, said = push(tmp_path / "a.mp3", "--server", URL)
    assert code == NotSignedIn.exit_code
    assert said.startswith("Error: ")


def test_without_a_server_the_command_line_is_wrong(push: Any, tmp_path: Path) -> None:
    assert push(tmp_path / "a.mp3", "--token", "x")[0] == 2


def test_what_is_no_address_is_told(push: Any, tmp_path: Path) -> None:
    code, _, said = push(tmp_path / "a.mp3", "--server", "chasqui.example.pe", "--token", "x")
    assert code == NoServer.exit_code
    assert "http://" in said


def test_one_title_is_for_one_recording(push: Any, tmp_path: Path) -> None:
    code, _, said = push(tmp_path, "--server", URL, "--token", "x", "--title", "La papa")
    assert code == BadConfig.exit_code
    assert "envíelas una por una" in said


def test_a_server_that_is_away_is_asked_once_for_all(
    push: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
    impatient = {**(Client.__init__.__kwdefaults__ or {}), "patience_s": 0.3}
    monkeypatch.setattr(Client.__init__, "__kwdefaults__", impatient)
    code, _, said = push(tmp_path, "--server", url, "--token", "x")
    assert code == ServerAway.exit_code
    assert said.count("✗") == 1
    assert "nadie atiende" in said


def test_some_are_refused_in_the_words_of_pack(push: Any, served: None, tmp_path: Path) -> None:
    code, out, said = push(tmp_path, "--server", URL, "--token", "x")
    assert code == 3
    assert out == "✓ La papa: 5.0 MB → 100 kB, se entiende ✓. 1\n"
    assert "✗" in said
    assert "b.mp3" in said


def test_programs_read_events_and_one_result(push: Any, served: None, tmp_path: Path) -> None:
    code, out, _ = push(tmp_path / "a.mp3", "--server", URL, "--token", "x", "--json")
    *events, result = map(json.loads, out.splitlines())
    assert code == 0
    assert [event["stage"] for event in events if event["kind"] == "started"] == ["pack", "upload", "clean", "publish"]
    assert (result["kind"], result["exit_code"], result["refused"]) == ("result", 0, [])
    assert result["lessons"][0]["lesson_id"] == "1"
    code, out, _ = push(tmp_path / "b.mp3", "--server", URL, "--token", "x", "--json")
    (refused,) = json.loads(out.splitlines()[-1])["refused"]
    assert (code, refused["error"]) == (13, "NotMedia")
