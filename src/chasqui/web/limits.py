"""How often somebody may try: one table. Wrong guesses are counted by the address that they come from, because an
account's own lock-out (`catalog/accounts.py`) does nothing against one guess at each of a thousand accounts.

Counted in Redis where the service has one, so that all servers count together; else in this process. A Redis that is
away makes each server count alone, it lets nobody in unseen.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

from flask import current_app, request

from chasqui.errors import AccountLocked, LinkSpent, SignInRefused, TooManyTries, UnknownClass

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import RateLimiter

T = TypeVar("T")

#: What · how often. A school is one address: thirty children who mistype the code of their class once are no attack,
#: and 10¹⁰ codes are far from found with thirty tries an hour.
TABLE = {
    "passwords": "20 per 15 minutes",  # wrong ones, with the codes of second factors
    "class codes": "30 per hour",  # wrong ones
    "links": "20 per hour",  # wrong ones
    "imports": "200 per hour",  # of one person
    "feedback": "60 per hour",  # of one person
}
#: Streams that one person follows at once: each takes a thread for minutes.
MOST_STREAMS, STREAM_WAIT_S = 20, 30.0
#: What counts as wrong.
WRONG = (SignInRefused, AccountLocked, UnknownClass, LinkSpent)
#: One customer of a provider has a network of this size, and as many addresses as anybody could want.
ONE_CUSTOMER = 64


class Counters:
    """Counts, shared with other servers where there is a Redis."""

    def __init__(self, cache_url: str) -> None:
        self._alone = _limiter("memory://")
        self._shared = _limiter(cache_url) if cache_url.startswith(("redis:", "rediss:")) else self._alone
        self._lock = threading.Lock()
        self._turns: WeakValueDictionary[tuple[str, str], threading.RLock] = WeakValueDictionary()
        self._held: Counter[str] = Counter()

    def wait_s(self, what: str, whom: str) -> float | None:
        """How long until the next try; None: go on."""
        item = _item(what)

        def ask(limiter: RateLimiter) -> float | None:
            if limiter.test(item, what, whom):
                return None
            return max(1.0, limiter.get_window_stats(item, what, whom).reset_time - time.time())

        return self._counted(ask)

    def count(self, what: str, whom: str) -> None:
        """One more."""
        self._counted(lambda limiter: limiter.hit(_item(what), what, whom))

    def turn(self, what: str, whom: str) -> threading.RLock:
        """A lock for what may be done by one after the other only."""
        with self._lock:
            return self._turns.setdefault((what, whom), threading.RLock())

    def hold(self, whom: str, most: int) -> bool:
        """Whether it is one of the few that somebody holds at once, on this server; then it is counted."""
        with self._lock:
            free = self._held[whom] < most
            self._held[whom] += free
            return free

    def release(self, whom: str) -> None:
        """One less."""
        with self._lock:
            self._held[whom] -= 1
            self._held += Counter()

    def _counted(self, ask: Callable[[RateLimiter], T]) -> T:
        from limits.errors import StorageError

        try:
            return ask(self._shared)
        except StorageError:  # Redis is away
            return ask(self._alone)


def slow_down(what: str, whom: str) -> None:
    """Count one, and go on as long as there were not too many.

    Raises:
        TooManyTries
    """
    if (wait_s := _counters().wait_s(what, whom)) is not None:
        raise TooManyTries(wait_s=wait_s)
    _counters().count(what, whom)


@contextmanager
def guesses(what: str) -> Iterator[None]:
    """Around something that can be guessed: wrong ones are counted by address, and too many end it unseen.

    Raises:
        TooManyTries
    """
    place = place_of(request.remote_addr or "")
    with _counters().turn(what, place):  # or a hundred at the same moment would all come before the first is counted
        if (wait_s := _counters().wait_s(what, place)) is not None:
            raise TooManyTries(wait_s=wait_s)
        try:
            yield
        except WRONG:
            _counters().count(what, place)
            raise


class Held(Iterator[str]):
    """A stream that counts as one of those that somebody holds, until the server closes it."""

    def __init__(self, whom: str, stream: Iterator[str]) -> None:
        """Raises TooManyTries: they hold enough of them."""
        self._whom, self._stream, self._counters = whom, stream, _counters()
        self._open = self._counters.hold(whom, MOST_STREAMS)
        if not self._open:
            raise TooManyTries(wait_s=STREAM_WAIT_S)

    def __next__(self) -> str:
        return next(self._stream)

    def close(self) -> None:
        """Also where nobody read it to its end."""
        if self._open:
            self._open = False
            self._counters.release(self._whom)


def place_of(address: str) -> str:
    """What counts as one place: an address, or the network of one customer where those are given out whole."""
    try:
        place = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(place, IPv6Address):
        if place.ipv4_mapped is not None:
            return str(place.ipv4_mapped)
        return str(ip_network((place, ONE_CUSTOMER), strict=False))
    return str(place)


def _counters() -> Counters:
    counters: Counters = current_app.extensions["counters"]
    return counters


def _item(what: str) -> RateLimitItem:
    from limits import parse

    return parse(TABLE[what])


def _limiter(url: str) -> RateLimiter:
    from limits.storage import storage_from_string
    from limits.strategies import FixedWindowRateLimiter

    shared: dict[str, Any] = (
        {} if url.startswith("memory:") else {"wrap_exceptions": True, "socket_timeout": 1, "socket_connect_timeout": 1}
    )
    return FixedWindowRateLimiter(storage_from_string(url, **shared))
