"""The service at an address, and a real browser in front of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from visiting import Visitor, browser

if TYPE_CHECKING:
    from phone.chromium import Chromium


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def visitor(house: Any, chromium: Chromium) -> Iterator[Visitor]:
    """Somebody with an empty phone."""
    from cheroot.wsgi import Server

    server = Server(("127.0.0.1", 0), house.app, numthreads=4, timeout=5)
    server.shutdown_timeout = 0.1  # links that the browser keeps open end nothing
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    visitor = Visitor(chromium, f"http://127.0.0.1:{server.bind_addr[1]}")
    visitor.open("/?lang=es").forget()
    yield visitor
    server.stop()
    thread.join()
