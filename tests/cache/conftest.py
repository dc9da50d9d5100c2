"""A Redis of our own."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from absent import missing

ABSENT = [name for name in ("redis", "cachetools") if not importlib.util.find_spec(name)]
collect_ignore_glob = ["test_*.py"] if ABSENT and os.environ.get("CI") != "true" else []


@dataclass
class Server:
    """A real Redis, on a port of its own."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = shutil.which("redis-server") or missing("redis-server")
        command = [str(program), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        ends = time.monotonic() + 20
        while not self._listens():
            assert time.monotonic() < ends, "redis-server did not start"
            time.sleep(0.02)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def _listens(self) -> bool:
        with socket.socket() as link:
            return link.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture(scope="session")
def redis_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        port = link.getsockname()[1]
    server = Server(tmp_path_factory.mktemp("redis"), port)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_server(redis_running: Server) -> Server:
    """It runs, whatever the test before did to it."""
    if redis_running.process is None:
        redis_running.start()
    return redis_running
