"""A service that answers over a socket, and clients of it."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cuts import Cuts
from schools import Schools, relaxed

from chasqui.client import Client

if TYPE_CHECKING:
    from cheroot.wsgi import Server

NEEDED = ("sqlalchemy", "flask_openapi3", "argon2", "celery", "cheroot")
ABSENT = [name for name in NEEDED if not importlib.util.find_spec(name)]
collect_ignore_glob = ["test_*.py"] if ABSENT and os.environ.get("CI") != "true" else []


class Served:
    """A service on a port of its own, which can be ended and begun again on another one."""

    def __init__(self, folder: Path, schools: Schools) -> None:
        from chasqui.run.service import Service

        self.service = Service(data=folder)
        schools.copy_to(folder)
        self.catalog, self.stores = relaxed(self.service.catalog()), self.service.stores()
        self.school = schools.ids["ours"]
        self.store = self.stores(self.school)
        self.tokens = {role: token for (school, role), token in schools.tokens.items() if school == "ours"}
        self._server: Server | None = None
        self.begin()

    def begin(self) -> None:
        from cheroot.wsgi import Server

        from chasqui.web.app import make_app

        app = make_app(self.service, self.catalog, self.stores)
        server = Server(("127.0.0.1", 0), app, numthreads=8, timeout=3)
        server.shutdown_timeout = 1
        server.prepare()
        self.port = server.bind_addr[1]
        self._server, self._thread = server, threading.Thread(target=server.serve, daemon=True)
        self._thread.start()

    def end(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._thread.join()
            self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def work(self, job_id: str) -> None:
        """Do what there is to do, in this process."""
        from chasqui.catalog.tables import Job
        from chasqui.run.queue.work import Worker

        worker = Worker("w", self.catalog, self.stores)
        while True:
            with self.catalog.reading() as db:
                job = db.get_one(Job, job_id)
            if job.state != "waiting":
                return
            worker.perform(job.id, str(job.stage))


@pytest.fixture(autouse=True)
def passwords(quick_passwords: None) -> None:
    """Nothing here is about what they cost."""


@pytest.fixture
def served(tmp_path: Path, two_schools: Schools, plugins: None) -> Iterator[Served]:
    made = Served(tmp_path / "data", two_schools)
    yield made
    made.end()
    made.catalog.close()


@pytest.fixture
def client_to(served: Served, tmp_path: Path) -> Callable[..., Client]:
    """A client of the service, or of a link to it."""

    def make(url: str | None = None, role: str = "creator", **rest: Any) -> Client:
        rest = {"patience_s": 20.0, "state": tmp_path / "state", **rest}
        return Client(url or served.url, served.tokens[role], **rest)

    return make


@pytest.fixture
def cut_link(served: Served) -> Iterator[Callable[..., Cuts]]:
    """A link to the service: `cut_link(allowed, hard=False)`."""
    made: list[Cuts] = []

    def make(allowed: Callable[[], int | None], hard: bool = False) -> Cuts:
        made.append(Cuts(served.url, allowed, hard))
        return made[-1]

    yield make
    for link in made:
        link.close()
