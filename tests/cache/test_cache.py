"""Both caches: what was put is there, for a while, and nothing else ever is."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chasqui.cache import LARGEST, Cache, open_cache
from chasqui.cache import redis as redis_room
from chasqui.cache.memory import Memory
from chasqui.errors import BadConfig


@pytest.fixture(params=["memory", "redis"])
def cache(request: pytest.FixtureRequest) -> Iterator[Cache]:
    url = "memory:" if request.param == "memory" else request.getfixturevalue("redis_server").url
    opened = open_cache(url)
    if request.param == "redis":
        opened._client.flushall()  # type: ignore[attr-defined]
    yield opened
    opened.close()


def test_what_was_put_is_there_and_what_was_not_is_not(cache: Cache) -> None:
    cache.put("a", b"1")
    cache.put_many({"b": b"2", "c": b""})
    assert cache.get_many(["c", "x", "b", "a"]) == {"a": b"1", "b": b"2", "c": b""}
    assert cache.get("x") is None
    assert cache.get_many([]) == {}
    cache.put_many({})
    cache.put("a", b"3")
    assert cache.get("a") == b"3"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.dictionaries(st.text(min_size=1), st.binary()))
def test_any_key_and_any_bytes(cache: Cache, values: dict[str, bytes]) -> None:
    cache.put_many(values)
    assert cache.get_many(list(values)) == values


def test_a_value_is_gone_after_its_time(cache: Cache) -> None:
    cache.put("short", b"1", 0.05)
    cache.put("long", b"2", 3600)
    time.sleep(0.15)
    assert cache.get_many(["short", "long"]) == {"long": b"2"}


def test_what_is_too_large_is_left_out_and_nothing_else(cache: Cache) -> None:
    cache.put_many({"large": bytes(LARGEST + 1), "small": b"1"})
    assert cache.get_many(["large", "small"]) == {"small": b"1"}


def test_several_threads_at_once(cache: Cache) -> None:
    def use(n: int) -> bytes | None:
        cache.put(f"k{n % 5}", b"%d" % (n % 5))
        return cache.get(f"k{n % 5}")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(use, range(200))) == [b"%d" % (n % 5) for n in range(200)]


def test_memory_is_bounded_and_forgets_what_was_not_used() -> None:
    cache = Memory(most_bytes=100)
    cache.put_many({"a": bytes(40), "b": bytes(40)})
    assert cache.get("a")
    cache.put("c", bytes(40))
    assert set(cache.get_many(["a", "b", "c"])) == {"a", "c"}
    cache.put("d", bytes(101))
    assert set(cache.get_many(["a", "c", "d"])) == {"a", "c"}


def test_several_processes_share_redis(redis_server: Any) -> None:
    first, second = open_cache(redis_server.url), open_cache(redis_server.url)
    first.put("shared", b"1")
    assert second.get("shared") == b"1"
    for one in (first, second):
        one.close()


def away(server: Any) -> Callable[[], None]:
    server.kill()
    return server.start  # type: ignore[no-any-return]


def hanging(server: Any) -> Callable[[], None]:
    os.kill(server.process.pid, signal.SIGSTOP)
    return lambda: os.kill(server.process.pid, signal.SIGCONT)


@pytest.mark.parametrize("gone", [away, hanging])
def test_one_that_is_away_is_an_empty_one_and_is_left_alone_for_a_while(
    redis_server: Any, gone: Callable[[Any], Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_room, "AWAY_S", 0.5)
    cache = open_cache(redis_server.url)
    cache.put("a", b"1")
    back = gone(redis_server)
    asked: list[str] = []
    monkeypatch.setattr(redis_room.log, "warning", lambda text, *_: asked.append(text))
    try:
        for _ in range(5):
            assert cache.get("a") is None
            cache.put("b", b"2")
        assert len(asked) == 1  # only the first one waited for it
    finally:
        back()
    time.sleep(0.6)
    cache.put("a", b"3")
    assert cache.get("a") == b"3"
    cache.close()


@pytest.mark.parametrize("url", ["memcached://x", "", "redis", "redis://host:port"])
def test_an_address_that_makes_no_sense_is_said(url: str) -> None:
    with pytest.raises(BadConfig, match="cache"):
        open_cache(url)
