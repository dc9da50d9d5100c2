"""The way in. cheroot gives each connection a thread at once and waits as long as it says something. Here a head is
waited for without a thread, a body only as long as it comes fast enough, and no place holds so many threads that none
is left for others.
"""

from __future__ import annotations

import os
import resource
import socket
import time
from collections import Counter, defaultdict, deque
from contextlib import suppress
from threading import Lock
from typing import Any

from cheroot.makefile import StreamReader, StreamWriter
from cheroot.server import HTTPConnection
from cheroot.wsgi import Server

from chasqui.web.heads import Request
from chasqui.web.limits import place_of

#: All headers of a request together; what tus says about a file has a kilobyte or two.
HEAD_BYTES = 64 << 10
#: Bytes in a second that a request must have brought, for all the time beyond `silent_s` that was spent waiting for it.
SLOWEST = 512
#: Of as many descriptors as the system lets us have, these are for files and databases.
OWN_FILES = 256
MOST_LINKS = 4000
#: Read at once.
READ_BYTES = 16 << 10
#: A browser opens six and comes back to them.
IDLE_LINKS = 200


class Patient(socket.SocketIO):
    """A link that is waited for as long as it brings something, and enough of it."""

    def __init__(self, sock: socket.socket, mode: Any) -> None:
        super().__init__(sock, mode)
        self.early = bytearray()  # read before a thread was there
        self._link, self._silent_s = sock, sock.gettimeout() or 0.0
        self.begin()

    def begin(self) -> None:
        """Another request: patience is as long as ever."""
        self._waited_s, self._came = 0.0, 0

    def readinto(self, buffer: Any) -> int | None:
        """Raises TimeoutError: silent for too long, or too slow for longer."""
        if self.early:
            taken = min(len(buffer), len(self.early))
            buffer[:taken] = self.early[:taken]
            del self.early[:taken]
            return taken
        left_s = self._silent_s + self._came / SLOWEST - self._waited_s
        if left_s <= 0:
            raise TimeoutError("timed out")
        began = time.monotonic()
        self._link.settimeout(min(self._silent_s, left_s))
        try:
            came = super().readinto(buffer)
        finally:
            self._link.settimeout(self._silent_s)
            self._waited_s += time.monotonic() - began
        self._came += came or 0
        return came


class Reader(StreamReader):
    """What cheroot reads from."""

    def __init__(self, raw: Patient, size: int) -> None:
        super(StreamReader, self).__init__(raw, size)
        self.bytes_read, self._patient = 0, raw

    def has_data(self) -> bool:
        """Whether the next request is here already."""
        return super().has_data() or _whole(self._patient.early)  # type: ignore[no-untyped-call]


class Link(HTTPConnection):
    """One connection."""

    RequestHandlerClass = Request
    rbufsize = READ_BYTES

    def __init__(self, server: Door, sock: socket.socket, _makefile: Any = None) -> None:
        super().__init__(server, sock, _file)
        self.since_s = time.time()  # waiting for a head
        self.admitted = False

    @property
    def place(self) -> str:
        return place_of(self.remote_addr or "")

    def heard(self) -> bool:
        """Whether there is something for a thread to do: a whole head, or one that will never be. Waits for nothing.

        Raises:
            OSError: it is gone.
        """
        if self.rfile.has_data():
            return True
        early: bytearray = self.rfile.raw.early
        try:
            more = os.read(self.socket.fileno(), HEAD_BYTES)
        except BlockingIOError:
            return False
        early += more
        return not more or _whole(early) or len(early) > HEAD_BYTES

    def communicate(self) -> bool:
        self.rfile.raw.begin()
        try:
            open_on: bool = super().communicate()  # type: ignore[no-untyped-call]
            return open_on
        finally:
            self.since_s = time.time()
            self.server.answered(self)

    def close(self) -> None:
        self.server.left(self)
        super().close()


class Places:
    """What each place holds of the server: links, and threads that answer them.

    A place may take threads as long as it has fewer than twice as many as are free. Alone it gets two thirds of them,
    the next one two thirds of the rest: it takes five that mean it until there is none for a sixth.
    """

    def __init__(self, threads: int, links: int, fair: bool) -> None:
        """`fair`: places can be told apart; behind a proxy all are one."""
        self._threads, self._most, self._fair = threads, links, fair
        self._lock = Lock()
        self._links: Counter[str] = Counter()
        self._busy: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[Link]] = defaultdict(deque)

    def admit(self, place: str) -> bool:
        """Whether another link of this place is taken: no place has more than half of all."""
        with self._lock:
            full = self._links.total() >= self._most or (self._fair and 2 * self._links[place] >= self._most)
            self._links[place] += not full
            return not full

    def leave(self, place: str) -> None:
        """One is closed."""
        with self._lock:
            self._links[place] -= 1
            self._links += Counter()  # without those that have none

    def turn(self, link: Link) -> list[Link]:
        """It has a request; those whose turn it is now."""
        with self._lock:
            self._waiting[link.place].append(link)
            return self._next()

    def over(self, place: str) -> list[Link]:
        """A request is answered; those whose turn it is now."""
        with self._lock:
            self._busy[place] -= 1
            self._busy += Counter()
            return self._next()

    def _next(self) -> list[Link]:
        going = []
        for place in sorted(self._waiting, key=lambda place: self._busy[place]):
            waiting = self._waiting[place]
            while waiting and (not self._fair or self._busy[place] < 2 * (self._threads - self._busy.total())):
                self._busy[place] += 1
                going.append(waiting.popleft())
            if not waiting:
                del self._waiting[place]
        return going


class Door(Server):
    """The web server."""

    ConnectionClass = Link
    keep_alive_conn_limit = IDLE_LINKS

    def __init__(self, address: tuple[str, int], app: Any, threads: int, fair: bool, **rest: Any) -> None:
        super().__init__(address, app, numthreads=threads, **rest)
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._places = Places(threads, max(64, min(MOST_LINKS, files - OWN_FILES)), fair)

    def process_conn(self, conn: Link) -> None:
        """A new link, or one that says something."""
        with suppress(OSError, ValueError):  # gone in this very moment
            if not conn.admitted and not self._places.admit(conn.place):
                super(Link, conn).close()
                return
            conn.admitted = True
            if conn.heard():
                self._go(self._places.turn(conn))
            else:
                self.put_conn(conn)
                conn.last_used = conn.since_s  # letter by letter is as good as nothing
            return
        conn.close()

    def answered(self, link: Link) -> None:
        """A thread is free."""
        self._go(self._places.over(link.place))

    def left(self, link: Link) -> None:
        """A link is closed."""
        if link.admitted:
            link.admitted = False
            self._places.leave(link.place)

    def _go(self, links: list[Link]) -> None:
        for link in links:
            self.requests.put(link)


def _file(sock: socket.socket, mode: str, size: int) -> Any:
    return Reader(Patient(sock, mode), size) if "r" in mode else StreamWriter(sock, mode, size)


def _whole(head: bytes | bytearray) -> bool:
    """Whether a head ends in here; one with bare line feeds is refused later, and need not be waited for."""
    return b"\r\n\r\n" in head or b"\n\n" in head
