"""The process of `chasqui serve`: a web server that streams bodies, the postman, and a worker beside it.

cheroot, because it hands a body over as it arrives: what a cut link brought is kept. Servers that collect a body first
lose it all.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from threading import Event
from typing import TYPE_CHECKING

from chasqui.catalog import accounts
from chasqui.catalog.tables import Person, School
from chasqui.errors import BadConfig
from chasqui.web.app import BLUEPRINTS, make_app

if TYPE_CHECKING:
    from cheroot.wsgi import Server

    from chasqui.catalog import Catalog
    from chasqui.run.service import Service

#: Threads that answer: most wait for slow links, and each follower of a job takes one.
THREADS, MOST_THREADS = 16, 120
#: A link that brings nothing for so long is cut; what came is kept.
SILENT_S = 30
#: A worker that ended by itself is begun again after this; one that cannot begin must not be tried in a circle.
AGAIN_S = 2.0

log = logging.getLogger("chasqui.web")


def serve(service: Service, host: str, port: int, worker: bool = True, only: Iterable[str] = BLUEPRINTS) -> None:
    """Serve until SIGTERM or Ctrl-C; then finish what is being answered.

    Raises:
        BadConfig: the address cannot be served on.
        CatalogAway, CatalogNewer, NotWritable, NotInstalled
    """
    from chasqui.run.notices.messengers import messengers
    from chasqui.run.queue.post import postman

    over = Event()
    with ExitStack() as stack:
        catalog = service.catalog()
        stack.callback(catalog.close)
        server = make_server(service, catalog, host, port, only)
        post = postman(service, catalog)
        post.start()
        stack.callback(post.stop)
        for messenger in messengers(service, catalog):
            messenger.start()
            stack.callback(messenger.stop)
        if worker:
            stack.callback(Beside(service, over).start())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: over.set())
        server.prepare()
        stack.callback(server.stop)
        _welcome(service, catalog, host, server.bind_addr[1])
        _answer(server, over)


def make_server(service: Service, catalog: Catalog, host: str, port: int, only: Iterable[str]) -> Server:
    """The web server, not yet listening."""
    from cheroot.wsgi import Server

    app = make_app(service, catalog, service.store(), only)
    server = Server((host, port), app, numthreads=THREADS, max=MOST_THREADS, timeout=SILENT_S, request_queue_size=128)
    server.max_request_body_size = 0  # told by the application, in words
    return server


def _answer(server: Server, over: Event) -> None:
    from threading import Thread

    thread = Thread(target=server.serve, name="web", daemon=True)
    thread.start()
    while not over.wait(0.2) and thread.is_alive():
        pass
    server.stop()
    thread.join(10)


class Beside:
    """The worker as a process of its own, begun again when it ends: it may be killed without the pages noticing."""

    def __init__(self, service: Service, over: Event) -> None:
        self._over = over
        self._environment = os.environ | {
            f"CHASQUI_{name.upper()}": str(value) for name, value in service.model_dump().items() if value != ""
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Beside:
        from threading import Thread

        Thread(target=self._keep, name="worker", daemon=True).start()
        return self

    def __call__(self) -> None:
        """End it: softly, then for good."""
        self._over.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)

    def _keep(self) -> None:
        while not self._over.is_set():
            # -P: nothing is imported from the folder that somebody happens to stand in.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "chasqui", "worker"], env=self._environment, start_new_session=True
            )
            code = self._process.wait()
            if not self._over.is_set():
                log.warning("the worker ended (%s) and is begun again", code)
                self._over.wait(AGAIN_S)


def _welcome(service: Service, catalog: Catalog, host: str, port: int) -> None:
    """Where it is; and, as long as nobody has an account, the link that makes the administrator."""
    from chasqui.words import say

    url = service.public_url or f"http://{host if host != '0.0.0.0' else 'localhost'}:{port}"
    lang = os.environ.get("CHASQUI_LANG", "es")
    print(say("web.serving", lang, url=url), flush=True)  # noqa: T201
    if link := first_link(catalog):
        print(say("web.first link", lang, url=f"{url}/invitation#{link}"), flush=True)  # noqa: T201


def first_link(catalog: Catalog) -> str | None:
    """The link for the administrator of the first school; None once somebody has an account."""
    from sqlalchemy import select

    with catalog.reading() as db:
        if db.scalar(select(Person.id).limit(1)):
            return None
        school = db.scalar(select(School).order_by(School.id).limit(1))
    school = school or accounts.make_school(catalog, "escuela", "Escuela")
    return accounts.invite(catalog, school.id, "administrator")


def worker(service: Service, queues: Iterable[str], processes: int) -> int:
    """Work until told to end; the exit code."""
    from chasqui.run.queue.app import make_app as make_queue
    from chasqui.run.service import QUEUES

    if unknown := set(queues) - set(QUEUES):
        raise BadConfig(why=f"there is no queue {', '.join(sorted(unknown))}; known: {', '.join(QUEUES)}")
    service.catalog().close()  # brought up to date once, before the processes open it
    app = make_queue(service)
    arguments = ["worker", "--without-gossip", "--without-mingle", "--loglevel", "WARNING", "-Q", ",".join(queues)]
    app.worker_main([*arguments, "-c", str(processes), "-n", f"chasqui-{os.getpid()}@%h"])
    return 0
