"""The same for all processes of a service, in Redis. Give it a server of its own, with `allkeys-lru`."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chasqui.cache import KEPT_S, LARGEST, Cache
from chasqui.errors import BadConfig, NotInstalled

if TYPE_CHECKING:
    import redis

PREFIX = "chasqui:"
#: One that answers later than this is slower than making the value anew.
ANSWER_S = 0.25
#: One that did not answer is left alone for so long, so that not every request waits for it.
AWAY_S = 5.0

log = logging.getLogger("chasqui.cache")


class Redis(Cache):
    """By URL. Away is the same as empty."""

    def __init__(self, url: str) -> None:
        """Raises BadConfig, NotInstalled."""
        try:
            import redis
        except ImportError as error:
            raise NotInstalled(what="the cache", extra="serve", missing=error.name) from error
        try:
            self._client: redis.Redis = redis.Redis.from_url(
                url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S, retry=None
            )
        except ValueError as error:
            raise BadConfig(why=f"cache_url: {error}") from error
        self._away_until_s = 0.0

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        if not keys or time.monotonic() < self._away_until_s:
            return {}
        with self._trying():
            values = self._client.mget([PREFIX + key for key in keys])
            return {key: value for key, value in zip(keys, values, strict=True) if isinstance(value, bytes)}
        return {}

    def put_many(self, values: Mapping[str, bytes], kept_s: float = KEPT_S) -> None:
        if not values or time.monotonic() < self._away_until_s:
            return
        with self._trying(), self._client.pipeline(transaction=False) as pipe:
            for key, value in values.items():
                if len(value) <= LARGEST:
                    pipe.set(PREFIX + key, value, px=max(1, round(kept_s * 1000)))
            pipe.execute()

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def _trying(self) -> Iterator[None]:
        from redis.exceptions import RedisError

        try:
            yield
        except (RedisError, OSError) as error:
            self._away_until_s = time.monotonic() + AWAY_S
            log.warning("the cache does not answer, we go on without it: %s", error)
