"""Buckets for tests: a server inside this process (moto), a real one (`.ci/swift`), and a line between that breaks."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from absent import missing

from chasqui.store.s3 import Connection


class Server(NamedTuple):
    """Where it is, and who we are there."""

    url: str
    key: str
    secret: str

    @property
    def env(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret}


@cache
def connection_to(server: Server) -> Connection:
    """Shared: making a client takes longer than most tests."""
    return Connection(env=server.env, attempts=1)


class Shelf:
    """A new bucket on a server, and a client of the tests' own to fill it with."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.connection = connection_to(server)
        self.client = self.connection.client
        self.bucket = f"clases-{uuid.uuid4().hex[:12]}"
        self.url = f"s3://{self.bucket}"
        self.client.create_bucket(Bucket=self.bucket)

    def put(self, key: str, body: bytes, **more: Any) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=body, **more)

    def put_parts(self, key: str, path: Path, part_bytes: int = 8 << 20) -> None:
        """Upload in parts, as tools do with large files."""
        from boto3.s3.transfer import TransferConfig

        how = TransferConfig(multipart_threshold=part_bytes, multipart_chunksize=part_bytes)
        self.client.upload_file(str(path), self.bucket, key, Config=how)

    def everything(self) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def remove(self) -> None:
        for key in self.everything():
            self.client.delete_object(Bucket=self.bucket, Key=key)
        self.client.delete_bucket(Bucket=self.bucket)


@pytest.fixture(scope="session")
def moto_server() -> Iterator[Server]:
    try:
        from moto.server import ThreadedMotoServer
    except ImportError:
        missing("moto")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield Server(f"http://{host}:{port}", "somebody", "not-a-secret")
    server.stop()


@pytest.fixture(scope="session")
def swift_server() -> Server:
    """OpenStack Swift, where `.ci/swift start` has said that it is."""
    if "CHASQUI_TEST_S3" not in os.environ:
        missing("a real S3 server (.ci/swift install, .ci/swift start, and its variables)")
    return Server(*(os.environ[f"CHASQUI_TEST_S3{part}"] for part in ("", "_KEY", "_SECRET")))


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of whoever runs the tests."""
    try:
        import boto3  # noqa: F401 - what every test with a bucket needs
    except ImportError:
        missing("boto3")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "no-such-file"))


@pytest.fixture
def shelf_on(no_keys: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[Server], Shelf]]:
    """Makes a bucket on a server; the environment leads there."""
    made: list[Shelf] = []

    def make(server: Server) -> Shelf:
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        made.append(Shelf(server))
        return made[-1]

    yield make
    for shelf in made:
        shelf.remove()


@pytest.fixture
def shelf(moto_server: Server, shelf_on: Callable[[Server], Shelf]) -> Shelf:
    """A bucket in this process."""
    return shelf_on(moto_server)


@pytest.fixture(params=["moto", "swift"])
def any_shelf(request: pytest.FixtureRequest, shelf_on: Callable[[Server], Shelf]) -> Shelf:
    """A bucket on each server."""
    return shelf_on(request.getfixturevalue(f"{request.param}_server"))


class Line:
    """A line to a server that counts what comes over it, and breaks when it is told to.

    After `cut_after` bytes of answers each of the next `cuts` connections ends without a word. After `hold_after` bytes
    in all it stops, says so (`held`), and waits for `go_on`. While `down`, nobody answers.
    """

    def __init__(self, server: Server) -> None:
        to = urlsplit(server.url)
        self._to = (to.hostname or "", to.port or 80)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.server = server._replace(url=f"http://127.0.0.1:{self._door.getsockname()[1]}")
        self.down = False
        self.cuts = 0
        self.cut_after = 0
        self.came = 0  # bytes of answers, headers included
        self.asked: list[str] = []  # first lines of questions, as far as they begin a packet
        self.hold_after: int | None = None
        self.held, self.go_on = Event(), Event()
        self._lock = Lock()
        self._open: list[socket.socket] = []
        self._threads: list[Thread] = []
        Thread(target=self._serve, daemon=True).start()

    def hang_up(self) -> None:
        """End every connection, whoever still holds it; then begin to count anew."""
        self.down, self.hold_after = True, None
        self.go_on.set()
        _end(*self._open)
        for thread in self._threads:
            thread.join()
        for end in self._open:
            end.close()
        self._open, self._threads = [], []
        self.down, self.came = False, 0

    def close(self) -> None:
        self.hang_up()
        self._door.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                if self.down:
                    near.close()
                    continue
                far = socket.create_connection(self._to)
                self._open += [near, far]
                both = [Thread(target=self._ask, args=(near, far)), Thread(target=self._answer, args=(far, near))]
                self._threads += both
                for thread in both:
                    thread.daemon = True
                    thread.start()

    def _ask(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while piece := near.recv(1 << 16):
                if self.down:
                    break
                if piece.split(b" ", 1)[0] in (b"GET", b"HEAD", b"PUT", b"POST", b"DELETE"):
                    self.asked.append(piece.split(b"\r\n", 1)[0].decode())
                far.sendall(piece)
        _end(near, far)

    def _answer(self, far: socket.socket, near: socket.socket) -> None:
        with self._lock:
            left = self.cut_after if self.cuts > 0 else None
            self.cuts -= left is not None
        with suppress(OSError):
            while piece := far.recv(1 << 16):
                if self.down:
                    break
                if left is not None:
                    piece, left = piece[:left], left - len(piece[:left])
                with self._lock:
                    self.came += len(piece)
                    hold = self.hold_after is not None and self.came >= self.hold_after
                if hold and not self.go_on.is_set():
                    self.held.set()
                    self.go_on.wait()
                    if self.down:
                        break
                near.sendall(piece)
                if left == 0:
                    break
        _end(near, far)


def _end(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def line_to() -> Iterator[Callable[[Server], Line]]:
    made: list[Line] = []

    def make(server: Server) -> Line:
        made.append(Line(server))
        return made[-1]

    yield make
    for line in made:
        line.close()
