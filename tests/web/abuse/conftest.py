"""A server with the limits that it really has."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@pytest.fixture
def links(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The server that serves, with fewer threads and less patience, and a way to connect to it."""

    @contextmanager
    def begun(app: Any, threads: int = 12, silent_s: float = 5) -> Iterator[tuple[Any, Any]]:
        from chasqui.web import server as web

        monkeypatch.setattr(web, "THREADS", threads)
        monkeypatch.setattr(web, "SILENT_S", silent_s)
        server = web.make_server(app, "127.0.0.1", 0)
        server.shutdown_timeout = 1
        server.prepare()
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        place = ("127.0.0.1", server.bind_addr[1])
        try:
            yield server, lambda **rest: socket.create_connection(place, timeout=10, **rest)
        finally:
            server.stop()
            thread.join()

    return begun


@pytest.fixture
def link(house: Any, links: Any) -> Iterator[Any]:
    """A new connection to a server that has little patience."""
    with links(house.app, silent_s=1) as (_server, link):
        yield link


@pytest.fixture
def patient(house: Any, links: Any) -> Iterator[Any]:
    """A new connection to a server that waits for longer than a test does."""
    with links(house.app, silent_s=8) as (_server, link):
        yield link
