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
import time
import warnings
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from chasqui.catalog import accounts
from chasqui.catalog.tables import Person, School
from chasqui.errors import BadConfig
from chasqui.web import tidy
from chasqui.web.app import BLUEPRINTS, make_app
from chasqui.web.fetcher import Fetcher

if TYPE_CHECKING:
    from cheroot.wsgi import Server
    from flask import Flask

    from chasqui.catalog import Catalog
    from chasqui.run.service import Service

#: Threads that answer. A slow link takes one for as long as its upload lasts, a follower of a job one; who finds none
#: waits. cheroot never makes more than it begins with: its `max` is no more than a bound.
THREADS = 300
#: Links that wait to be taken in: two hundred may come back at once.
BACKLOG = 512
#: Workers step back for whoever answers: an encode takes minutes, a page must not wait for a time slice of it.
NICE = 10
#: Each answer gives up Python's lock at every step of the database, and waits for it this long if others compute.
SWITCH_S = 0.0005
#: A link that brings nothing for so long is cut; what came is kept.
SILENT_S = 30
#: Whom a worker was begun by: it ends with that process, or one would be left over by each server that was killed.
BESIDE = "CHASQUI_BESIDE"
FOLLOW_S = 0.5
#: A worker that ended by itself is begun again after this; one that cannot begin must not be tried in a circle.
AGAIN_S = 2.0

#: Answers under way and the worker have so long to end. What a worker holds it gives back within two seconds.
END_S = 5.0

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
    sys.setswitchinterval(SWITCH_S)
    with ExitStack() as stack:
        catalog = service.catalog()
        stack.callback(catalog.close)
        app = make_app(service, catalog, service.stores(), only)
        stack.callback(app.extensions["parts"].close)
        app.extensions["parts"].seen()  # what a first look loads and connects is there before anybody asks
        server = make_server(app, host, port)
        tidy.misplaced(app)
        tidy.finish(app)
        post = postman(service, catalog, [lambda: tidy.clear(app), lambda: tidy.forget(app)])
        post.start()
        stack.callback(post.stop)
        if "imports" in app.blueprints:
            stack.callback(Fetcher(app).start().stop)
        for messenger in messengers(service, catalog):
            messenger.start()
            stack.callback(messenger.stop)
        beside = Beside(service, over)
        if worker:
            stack.callback(beside.start())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: over.set())
        server.prepare()
        stack.callback(server.stop)
        _welcome(service, catalog, host, server.bind_addr[1])
        _answer(server, over, beside.tell)


def make_server(app: Flask, host: str, port: int) -> Server:
    """The web server, not yet listening."""
    from chasqui.web.door import HEAD_BYTES, Door

    fair = not app.extensions["service"].proxies
    server = Door((host, port), app, THREADS, fair, timeout=SILENT_S, request_queue_size=BACKLOG)
    server.max_request_body_size = 0  # told by the application, in words
    server.max_request_header_size = HEAD_BYTES
    server.shutdown_timeout = END_S
    return server


def _answer(server: Server, over: Event, ending: Callable[[], None]) -> None:
    thread = Thread(target=server.serve, name="web", daemon=True)
    thread.start()
    while not over.wait(0.2) and thread.is_alive():
        pass
    ending()
    server.stop()
    thread.join(10)


class Beside:
    """The worker as a process of its own, begun again when it ends: it may be killed without the pages noticing."""

    def __init__(self, service: Service, over: Event) -> None:
        self._over = over
        self._environment = os.environ | {
            f"CHASQUI_{name.upper()}": str(value) for name, value in service.model_dump().items() if value != ""
        }
        self._environment[BESIDE] = str(os.getpid())
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Beside:
        Thread(target=self._keep, name="worker", daemon=True).start()
        return self

    def tell(self) -> None:
        """It shall end; nobody waits for it yet."""
        self._over.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def __call__(self) -> None:
        """End it: softly, then for good."""
        self.tell()
        process = self._process
        if process is not None and process.poll() is None:
            try:
                process.wait(END_S)
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


def worker(service: Service, queues: Collection[str], processes: int) -> int:
    """Work until told to end; the exit code."""
    from celery.platforms import SecurityWarning

    from chasqui.run.queue.app import make_app as make_queue
    from chasqui.run.service import QUEUES

    if unknown := set(queues) - set(QUEUES):
        raise BadConfig(why=f"there is no queue {', '.join(sorted(unknown))}; known: {', '.join(QUEUES)}")
    service.catalog().close()  # brought up to date once, before the processes open it
    _step_back()
    if server := os.environ.get(BESIDE):
        Thread(target=_follow, args=(int(server),), name="follow", daemon=True).start()
    app = make_queue(service, queues)
    arguments = ["--quiet", "worker", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # in a container, root is nobody in particular
        app.worker_main([*arguments, "-Q", ",".join(queues), "-c", str(processes), "-n", f"chasqui-{os.getpid()}@%h"])
    return 0


def _step_back() -> None:
    """Let whoever answers go first. Linux shares time by sessions first, so ours is told so, if it is ours alone."""
    os.nice(NICE)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # another system, or one that does not share by sessions: nice is enough
            Path("/proc/self/autogroup").write_text(str(NICE))


def _follow(server: int) -> None:
    """End with the server."""
    while os.getppid() == server:
        time.sleep(FOLLOW_S)
    os.kill(os.getpid(), signal.SIGTERM)
