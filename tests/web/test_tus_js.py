"""The official client of tus for JavaScript, in Node, against the real server over a real socket."""

from __future__ import annotations

import json
import random
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from absent import missing
from cuts import Cuts
from sqlalchemy import select

from chasqui.catalog.tables import Lesson
from chasqui.records import Request

HERE = Path(__file__).parent / "tus"


@pytest.fixture
def address(house: Any) -> Iterator[str]:
    from cheroot.wsgi import Server

    server = Server(("127.0.0.1", 0), house.app, numthreads=4, timeout=2)
    server.shutdown_timeout = 1
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.bind_addr[1]}"
    server.stop()
    thread.join()


@pytest.fixture
def send(house: Any, tool: Callable[[str], str], tmp_path: Path) -> Callable[..., Any]:
    """`send(address, path, **options)`: what the client said."""
    node = tool("node")
    if not (HERE / "node_modules" / "tus-js-client").exists():
        missing("tus-js-client (make tus)")

    def run(address: str, path: Path, **options: Any) -> Any:
        job = {
            "endpoint": f"{address}/api/v1/uploads",
            "token": house.tokens["ours", "creator"],
            "path": str(path),
            "title": "La papa",
            **options,
        }
        command = [node, str(HERE / "send.mjs"), json.dumps(job)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=HERE)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "clase ñ.mp3"
    path.write_bytes(random.Random(9).randbytes(1_000_000))
    return path


def arrived(house: Any) -> tuple[str, bytes]:
    """(title, bytes) of the one lesson that there is."""
    with house.catalog.reading() as db:
        lesson = db.scalars(select(Lesson)).one()
    request = house.store.get(lesson.recording_id, "request", Request)
    assert request.name == "clase ñ.mp3"
    return lesson.title, house.store.path(request.handed).read_bytes()


def test_it_sends_a_file_in_pieces(house: Any, address: str, send: Callable[..., Any], sound: Path) -> None:
    told = send(address, sound, chunk=150_000)
    assert told["url"].startswith(f"{address}/api/v1/uploads/")
    assert arrived(house) == ("La papa", sound.read_bytes())


def test_it_goes_on_by_itself_over_a_link_that_breaks(
    house: Any, address: str, send: Callable[..., Any], sound: Path
) -> None:
    allowed = iter([250_000, 300_000, 350_000])
    link = Cuts(address, lambda: next(allowed, None))
    told = send(link.url, sound, chunk=100_000)
    link.close()
    assert told.keys() == {"url"}, told
    assert link.broken >= 1
    assert arrived(house) == ("La papa", sound.read_bytes())


def test_another_one_goes_on_where_the_first_gave_up(
    house: Any, address: str, send: Callable[..., Any], sound: Path
) -> None:
    first = send(address, sound, chunk=100_000, stop=400_000)
    assert first["stopped"] >= 400_000
    assert send(address, sound, chunk=100_000, url=first["url"])["url"] == first["url"]
    assert arrived(house) == ("La papa", sound.read_bytes())


def test_it_hears_why_it_is_refused(address: str, send: Callable[..., Any], sound: Path) -> None:
    told = send(address, sound, token="nobody", chunk=100_000)
    assert told["status"] == 401
    assert "NotSignedIn" in told["error"]
