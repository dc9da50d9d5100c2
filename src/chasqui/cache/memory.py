"""The newest values that fit, in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from chasqui.cache import KEPT_S, LARGEST, Cache
from chasqui.errors import NotInstalled

#: Of all values together: some ten thousand lessons as lists show them.
BYTES = 16 << 20


class Memory(Cache):
    """Bounded; what was not used for longest goes first."""

    def __init__(self, most_bytes: int = BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises NotInstalled: the extra `serve` is not there."""
        try:
            from cachetools import TLRUCache
        except ImportError as error:
            raise NotInstalled(what="the cache", extra="serve", missing=error.name) from error
        self._lock = Lock()
        self._kept: TLRUCache[str, tuple[bytes, float]] = TLRUCache(
            most_bytes, ttu=lambda _key, kept, now: now + kept[1], timer=clock, getsizeof=lambda kept: len(kept[0])
        )

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        with self._lock:
            return {key: kept[0] for key in keys if (kept := self._kept.get(key)) is not None}

    def put_many(self, values: Mapping[str, bytes], kept_s: float = KEPT_S) -> None:
        with self._lock:
            for key, value in values.items():
                if len(value) <= min(LARGEST, self._kept.maxsize):
                    self._kept[key] = (value, kept_s)

    def close(self) -> None:
        with self._lock:
            self._kept.clear()
