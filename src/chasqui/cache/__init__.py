"""What was made a moment ago and will be asked for again: in this process, or in Redis by URL for several of them.

| file | what |
|---|---|
| `memory.py` | the newest values that fit, in this process |
| `redis.py` | the same for all processes of a service |

A leaf. A value may be gone at any time, and a cache that is away is an empty one: it costs time, never an answer.
Nothing is ever taken out: a key names one state of a thing (its id and its version), so whoever has looked up the
present version cannot be given anything else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from chasqui.errors import BadConfig

#: What nobody asks for any more is gone after a day.
KEPT_S = 86_400.0
#: Larger values are not worth their place.
LARGEST = 1 << 20


class Cache(ABC):
    """Bytes by key. Safe to use from several threads."""

    @abstractmethod
    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Those of them that are there."""

    @abstractmethod
    def put_many(self, values: Mapping[str, bytes], kept_s: float = KEPT_S) -> None:
        """Keep them for so long, if there is room."""

    @abstractmethod
    def close(self) -> None:
        """Let go of connections."""

    def get(self, key: str) -> bytes | None:
        """The value, or None."""
        return self.get_many([key]).get(key)

    def put(self, key: str, value: bytes, kept_s: float = KEPT_S) -> None:
        """Keep a value."""
        self.put_many({key: value}, kept_s)


def open_cache(url: str) -> Cache:
    """The cache behind `memory:`, `redis://…` or `rediss://…`. One that is away is found out when it is used.

    Raises:
        BadConfig: not such a URL.
        NotInstalled: the extra `serve` is not there.
    """
    scheme = url.partition(":")[0]
    if scheme == "memory":
        from chasqui.cache.memory import Memory

        return Memory()
    if scheme in ("redis", "rediss"):
        from chasqui.cache.redis import Redis

        return Redis(url)
    raise BadConfig(why=f"there is no cache for {scheme!r}; use memory: or redis://HOST:PORT")
