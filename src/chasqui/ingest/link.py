"""Bytes behind a link, taken from a server that may be anybody's: checked before each step (`address.py`), bounded in
size, time and patience, and never unpacked.

What is refused: more than was allowed for, whether it was announced or not; fewer bytes than were announced; a body
that is packed (`Content-Encoding`), because a megabyte of it can hold a thousand; a redirect to where no link may lead;
a server that says nothing for long, or so little that it would never end. Nothing of what it answers but the bytes,
their type and their name is used; no cookies and no keys are sent.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import BinaryIO
from urllib.parse import unquote, urljoin, urlsplit

from chasqui import __version__
from chasqui.errors import BadLink, LinkAway, TooLarge
from chasqui.ingest import address
from chasqui.ingest.address import Network, Resolve, Target, shown
from chasqui.ingest.tags import one_line

READ_BYTES = 1 << 16
REDIRECTS = (301, 302, 303, 307, 308)
#: Answers that another hour may change.
PASSING = (408, 425, 429, 500, 502, 503, 504)

#: More bytes than can be too few for any time.
ENOUGH = 1 << 62


@dataclass(frozen=True)
class Limits:
    """How much of us a foreign server may have."""

    most_bytes: int
    redirects: int = 5  # podcasts count their listeners over two or three of them
    connect_s: float = 10.0
    silent_s: float = 30.0  # between two pieces
    whole_s: float = 3600.0  # a gigabyte over 3 Mbit/s
    patience_s: float = 60.0  # after this, it must have brought …
    slowest: int = 4096  # … so many bytes in each second: a voice at 32 kbit/s comes as fast as it is spoken


@dataclass(frozen=True)
class Rules:
    """Where links may lead (`address.check`)."""

    allowed: Sequence[Network] = ()
    own_hosts: Sequence[str] = ()
    resolve: Resolve = address.system

    def check(self, url: str) -> Target:
        """The link, if it may be followed.

        Raises:
            ForbiddenAddress, LinkAway
        """
        return address.check(url, self.allowed, self.own_hosts, self.resolve)


@dataclass(frozen=True)
class Found:
    """What a server says lies there, before its bytes."""

    url: str  # after all redirects
    size: int | None  # bytes, where it says so
    name: str
    read: Callable[[], Iterator[bytes]]  # the bytes; once


@contextmanager
def opened(url: str, limits: Limits, rules: Rules) -> Iterator[Found]:
    """The bytes behind a link, about to come.

    Raises:
        ForbiddenAddress: it, or where it redirects to, does not lead to a public address.
        BadLink: nothing is there, or nothing that can be taken.
        TooLarge: more than `most_bytes`, as announced or as it came.
        LinkAway: the server does not answer, stops in the middle, or is too slow.
    """
    clock = _Clock(limits)
    here = url
    for _ in range(limits.redirects + 1):
        target = rules.check(here)
        with _answer(target, limits, clock) as response:
            if response.status in REDIRECTS and (there := response.headers.get("Location")):
                here = urljoin(here, _latin(there))
                continue
            size = _size(response, target, limits)
            yield Found(here, size, _name(response, target), lambda: _bytes(response, target, size, limits, clock))  # noqa: B023 - read before the next round
            return
    raise BadLink(url=shown(url), why="it redirects too often")


def fetch(url: str, limits: Limits, rules: Rules, into: BinaryIO) -> Found:
    """All bytes behind a link, written to a file. Raises as `opened`, and whatever the file does."""
    with opened(url, limits, rules) as found:
        for block in found.read():
            into.write(block)
    return found


class _Clock:
    """The time that one link may take, over all its redirects."""

    def __init__(self, limits: Limits) -> None:
        self._began = time.monotonic()
        self._limits = limits

    @property
    def left(self) -> float:
        return self._began + self._limits.whole_s - time.monotonic()

    def look(self, url: str, came: int) -> None:
        """Raises LinkAway when it takes too long, altogether or for what came."""
        spent = time.monotonic() - self._began
        if spent > self._limits.whole_s:
            raise LinkAway(url=shown(url), why="it takes too long")
        if spent > self._limits.patience_s and came < self._limits.slowest * (spent - self._limits.patience_s):
            raise LinkAway(url=shown(url), why="it is too slow")


@contextmanager
def _answer(target: Target, limits: Limits, clock: _Clock) -> Iterator[HTTPResponse]:
    """The answer of one of the checked addresses. Ended from outside when the time is over: a server that drips its
    headers letter by letter is never silent for long.
    """
    link = _connect(target, limits)
    whole, head = _Watch(link, clock.left), _Watch(link, min(limits.silent_s, clock.left))
    connection = HTTPConnection(target.host, target.port)
    connection.sock = link
    try:
        with _told(target, clock):
            if isinstance(link, ssl.SSLSocket):
                link.do_handshake()
            response = _ask(connection, target)
            if head.over():
                raise TimeoutError
        yield response
    finally:
        head.over()
        whole.over()
        connection.close()
        link.close()


class _Watch:
    """Cuts a link when its time is over, whatever it is doing."""

    def __init__(self, link: socket.socket, after_s: float) -> None:
        self._link, self._cut = link, False
        self._timer = threading.Timer(max(0.0, after_s), self._end)
        self._timer.daemon = True
        self._timer.start()

    def over(self) -> bool:
        """End the watch. True: it has cut the link, and what was read may be a part only."""
        self._timer.cancel()
        return self._cut

    def _end(self) -> None:
        self._cut = True
        try:
            socket.socket.shutdown(self._link, socket.SHUT_RDWR)  # the bare one: TLS would wait for an answer
        except OSError:  # over already
            return


def _ask(connection: HTTPConnection, target: Target) -> HTTPResponse:
    connection.putrequest("GET", target.path, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", target.host_header)
    connection.putheader("User-Agent", f"chasqui/{__version__}")
    connection.putheader("Accept", "*/*")
    connection.putheader("Accept-Encoding", "identity")
    connection.putheader("Connection", "close")
    connection.endheaders()
    return connection.getresponse()


@contextmanager
def _told(target: Target, clock: _Clock) -> Iterator[None]:
    """Whatever a foreign server does wrong is one error of ours."""
    try:
        yield
    except (OSError, HTTPException, ValueError) as error:  # ValueError: a length or a chunk that is no number
        clock.look(target.url, ENOUGH)
        raise LinkAway(url=shown(target.url), why=_why(error)) from error


def _connect(target: Target, limits: Limits) -> socket.socket:
    """A connection to an address that was checked; the name is only told to the server. Its handshake is still to come.

    Raises:
        LinkAway
    """
    trouble: Exception | None = None
    for place in target.addresses:
        try:
            link = socket.create_connection((place, target.port), limits.connect_s)
        except OSError as error:
            trouble = error
            continue
        link.settimeout(limits.silent_s)
        if target.scheme == "http":
            return link
        safe = ssl.create_default_context()
        return safe.wrap_socket(link, server_hostname=target.host, do_handshake_on_connect=False)
    raise LinkAway(url=shown(target.url), why=_why(trouble)) from trouble


def _size(response: HTTPResponse, target: Target, limits: Limits) -> int | None:
    """Bytes announced.

    Raises:
        BadLink, LinkAway, TooLarge
    """
    link = shown(target.url)
    if response.status in PASSING:
        raise LinkAway(url=link, why=f"status {response.status}")
    if response.status != 200:
        raise BadLink(url=link, why=f"status {response.status}")
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        raise BadLink(url=link, why="it comes packed, although we asked for it as it is")
    said = response.headers.get_all("Content-Length", [])
    if response.chunked or not said:
        return None
    if len(set(said)) > 1 or not re.fullmatch("[0-9]{1,15}", said[0].strip()):
        raise BadLink(url=link, why="it does not say how long it is, but something else")
    size = int(said[0])
    if size > limits.most_bytes:
        raise TooLarge(name=link, bytes=size, most=limits.most_bytes)
    return size


def _bytes(response: HTTPResponse, target: Target, size: int | None, limits: Limits, clock: _Clock) -> Iterator[bytes]:
    came = 0
    while True:
        with _told(target, clock):
            block = response.read1(READ_BYTES)
        if not block:
            break
        came += len(block)
        if came > limits.most_bytes:
            raise TooLarge(name=shown(target.url), bytes=came, most=limits.most_bytes)
        clock.look(target.url, came)
        yield block
    clock.look(target.url, ENOUGH)  # what the watch cut reads like an end
    if size is not None and came != size:
        raise LinkAway(url=shown(target.url), why=f"it stopped after {came} of {size} bytes")


def _name(response: HTTPResponse, target: Target) -> str:
    """What the file is called: the header, else the end of the path."""
    said = response.headers.get_filename("") or unquote(urlsplit(target.path).path.rpartition("/")[2])
    return one_line(re.split(r"[/\\]", _latin(said))[-1])[:200] or "link"


def _latin(text: str) -> str:
    """Headers are read as Latin-1; many servers write UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _why(error: Exception | None) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, ssl.SSLError):
        return "its certificate is not good"
    return getattr(error, "strerror", None) or type(error).__name__
