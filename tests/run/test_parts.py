"""Looks at what a service stands on: seldom, quickly, and one at a time, whatever hangs."""

from __future__ import annotations

import importlib.util
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from absent import missing
from mosquitto import mosquitto  # noqa: F401 - a fixture
from nodes import Postgres

from chasqui.errors import ServiceDown
from chasqui.run.parts import SILENT, Part, Parts, Seen, parts_of
from chasqui.run.service import Service

ABSENT = [name for name in ("celery", "paho", "redis", "sqlalchemy") if not importlib.util.find_spec(name)]
#: Until a server that was begun again is seen.
BACK_S = 30.0


def part(look: Callable[[], Any], name: str = "broker") -> Part:
    return Part(name, "x", "x://", needed=False, look=look)


def test_what_a_look_saw_is_told() -> None:
    def away() -> None:
        raise ServiceDown(url="x", why="nobody is there")

    def broken() -> None:
        raise RuntimeError("the password is hunter2")

    parts = Parts([part(lambda: 5, "well"), part(away, "away"), part(broken, "broken")])
    assert parts.seen() == {
        "well": Seen("ok", facts=5),
        "away": Seen("ServiceDown", "nobody is there"),
        "broken": Seen("Defect", "RuntimeError"),
    }


def test_who_asks_often_loads_nobody() -> None:
    looks: list[float] = []
    parts = Parts([part(lambda: looks.append(time.monotonic()))], kept_s=0.3)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: parts.seen(), range(100)))
    assert len(looks) == 1
    time.sleep(0.35)
    parts.seen()
    assert len(looks) == 2


def test_one_that_hangs_hangs_alone_and_once() -> None:
    looks, go = [], threading.Event()

    def hang() -> None:
        looks.append(1)
        go.wait(60)

    parts = Parts([part(hang, "hangs"), part(lambda: None, "well")], limit_s=0.3, kept_s=0.0)
    begun = time.monotonic()
    assert {name: one.state for name, one in parts.seen().items()} == {"hangs": SILENT, "well": "ok"}
    for _ in range(20):  # nobody waits for it once more
        assert parts.seen()["hangs"].state == SILENT
    assert time.monotonic() - begun < 5 * 0.3
    assert len(looks) == 1
    go.set()
    deadline = time.monotonic() + 10
    while parts.seen()["hangs"].state != "ok" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert parts.seen()["hangs"].state == "ok"


# --- real ones ---


@pytest.fixture
def look_at(tmp_path: Path) -> Iterator[Callable[..., Callable[[str], Seen]]]:
    """Of a service with these addresses: how one part looks now."""
    if ABSENT:
        missing("chasqui[serve]")
    opened: list[Any] = []

    def begin(**addresses: str) -> Callable[[str], Seen]:
        service = Service(data=tmp_path / "data", **addresses)
        catalog = service.catalog()
        parts = Parts(parts_of(service, catalog, service.stores().root), kept_s=0.0)
        opened.extend([parts, catalog])
        return lambda name: parts.seen()[name]

    yield begin
    for one in opened:
        one.close()


def comes_back(look: Callable[[], Seen]) -> None:
    until = time.monotonic() + BACK_S
    while look().state != "ok":
        assert time.monotonic() < until, look()
        time.sleep(0.1)


def test_with_nothing_else_installed_all_is_well(look_at: Any, tmp_path: Path) -> None:
    look = look_at()
    assert {name: look(name).state for name in ("catalog", "store", "broker", "cache")} == dict.fromkeys(
        ("catalog", "store", "broker", "cache"), "ok"
    )
    (tmp_path / "data" / "queue.db").write_bytes(b"this is no database, it is a text " * 100)
    assert look("broker").state == "ServiceDown"


def test_a_store_that_cannot_be_written_to_is_said(look_at: Any, tmp_path: Path, monkeypatch: Any) -> None:
    look = look_at()
    monkeypatch.setattr(os, "access", lambda path, how: False)  # whoever is root may write everywhere
    assert look("store").state == "NotWritable"


@pytest.mark.parametrize("how", ["killed", "hanging"])
def test_a_cache_that_goes_and_comes_back(look_at: Any, redis_server: Any, how: str) -> None:
    look = look_at(cache_url=redis_server.url)
    assert look("cache").state == "ok"
    if how == "killed":
        redis_server.kill()
        assert look("cache").state == "ServiceDown"
        redis_server.start()
    else:
        os.kill(redis_server.process.pid, signal.SIGSTOP)
        assert look("cache").state in ("ServiceDown", SILENT)
        os.kill(redis_server.process.pid, signal.SIGCONT)
    comes_back(lambda: look("cache"))


@pytest.mark.parametrize("how", ["killed", "hanging"])
def test_notices_that_go_and_come_back(look_at: Any, mosquitto: Any, how: str) -> None:  # noqa: F811
    mosquitto.start()
    look = look_at(mqtt_url=mosquitto.url())
    assert look("notices").state == "ok"
    if how == "killed":
        mosquitto.kill()
        until = time.monotonic() + 10
        while look("notices").state == "ok" and time.monotonic() < until:
            time.sleep(0.05)
        assert look("notices").state in ("ServiceDown", SILENT)
        mosquitto.start()
    else:
        os.kill(mosquitto.process.pid, signal.SIGSTOP)
        assert look_at(mqtt_url=mosquitto.url())("notices").state in ("ServiceDown", SILENT)
        os.kill(mosquitto.process.pid, signal.SIGCONT)
    comes_back(lambda: look("notices"))


def test_a_broker_that_refuses_us_is_told_with_its_words(look_at: Any, mosquitto: Any) -> None:  # noqa: F811
    mosquitto.settings = "allow_anonymous false"
    mosquitto.start()
    seen = look_at(mqtt_url=mosquitto.url("rosa:hunter2@"))("notices")
    assert (seen.state, seen.why) == ("ServiceDown", "Not authorized")


def test_a_database_that_goes_and_comes_back(look_at: Any, open_place: Path) -> None:
    if Postgres.program("initdb") is None:
        missing("PostgreSQL as a program (Debian: postgresql)")
    cluster = Postgres(open_place / "parts")
    cluster.start()
    try:
        look = look_at(database_url=cluster.url)
        assert look("catalog").state == "ok"
        cluster.kill()
        assert look("catalog").state == "CatalogAway"
        cluster.start()
        comes_back(lambda: look("catalog"))
    finally:
        cluster.kill()
