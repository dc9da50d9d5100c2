"""What a request may look like. It is read strictly, for what two programs can read in two ways lets one of them take a
part of somebody's request for the next one; and its body comes in pieces of our size, not the sender's.
"""

from __future__ import annotations

import io
import re
from typing import Any

from cheroot.server import HeaderReader, HTTPRequest

#: What nobody wanted of a body is read away so far, for the next request on the same link; then the link is closed.
REST_BYTES = 64 << 10
CRLF = b"\r\n"
NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110: a token
LENGTH = re.compile(rb"[0-9]{1,15}")
PIECE = re.compile(rb"[0-9A-Fa-f]{1,12}")
#: Headers that say where a request ends or whose it is: two of them are two requests.
ONCE = (b"Content-Length", b"Transfer-Encoding", b"Host", b"Authorization")


class Heads(HeaderReader):
    """Headers as RFC 9112 wants them."""

    def __call__(self, rfile: Any, hdict: dict[bytes, bytes] | None = None) -> dict[bytes, bytes]:
        """The headers by name; those with an underscore are left out: WSGI would take `X_Forwarded_For` for what the
        proxy says.

        Raises:
            ValueError: not what a browser or a proxy would send.
        """
        said = {} if hdict is None else hdict
        while (line := rfile.readline()) != CRLF:
            name, colon, value = line.partition(b":")
            if not (colon and line.endswith(CRLF) and NAME.fullmatch(name)) or b"\0" in line:
                raise ValueError("A header is NAME: VALUE on one line.")
            name, value = name.title(), value.strip(b" \t\r\n")
            if b"_" in name:
                continue
            if name in said:
                if name in ONCE:
                    raise ValueError(f"{name.decode()} is said twice.")
                value = said[name] + (b"; " if name == b"Cookie" else b", ") + value
            said[name] = value
        _bounded(said)
        return said


def _bounded(said: dict[bytes, bytes]) -> None:
    length, coding = said.get(b"Content-Length"), said.get(b"Transfer-Encoding")
    if length is not None and not LENGTH.fullmatch(length):
        raise ValueError("Content-Length is no number of bytes.")
    if coding is not None and (length is not None or coding.lower() != b"chunked"):
        raise ValueError("A body has a length, or comes chunked, and in no other way.")


class Known(io.RawIOBase):
    """A body of so many bytes, read as it comes: whoever is cut off loses nothing that had arrived."""

    def __init__(self, rfile: Any, size: int) -> None:
        self._rfile, self.remaining = rfile, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block: bytes = self._rfile.read1(min(len(buffer), self.remaining)) if self.remaining else b""
        buffer[: len(block)] = block
        self.remaining -= len(block)
        return len(block)


class Pieces(io.RawIOBase):
    """A chunked body, read as it comes: never more of it is held than was asked for."""

    def __init__(self, rfile: Any) -> None:
        self._rfile, self._left, self._over = rfile, 0, False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Raises ValueError: cut in the middle, or no chunks at all."""
        if not self._left and not self._over:
            size = self._rfile.readline(1024).partition(b";")[0].strip()
            if not PIECE.fullmatch(size):
                raise ValueError("no length of a chunk")
            self._left = int(size, 16)
            self._over = self._left == 0  # what may follow are trailers; the link is closed behind them
        if self._over:
            return 0
        block: bytes = self._rfile.read1(min(len(buffer), self._left))
        if not block:
            raise ValueError("cut in the middle of a chunk")
        buffer[: len(block)] = block
        self._left -= len(block)
        if not self._left and self._rfile.read(2) != CRLF:
            raise ValueError("a chunk does not end where it says")
        return len(block)


class Request(HTTPRequest):
    """One request, behind which nothing of it is left over."""

    header_reader = Heads()

    def read_request_headers(self) -> bool:
        good: bool = super().read_request_headers()  # type: ignore[no-untyped-call]
        if b"Transfer-Encoding" in self.inheaders:  # where it ends is the sender's word
            self.close_connection = True
        return good

    def respond(self) -> None:
        size = int(self.inheaders.get(b"Content-Length", 0))
        self.rfile = Pieces(self.conn.rfile) if self.chunked_read else Known(self.conn.rfile, size)
        self.server.gateway(self).respond()
        self.ensure_headers_sent()
        if self.chunked_write:
            self.conn.wfile.write(b"0\r\n\r\n")

    def send_headers(self) -> None:
        if getattr(self.rfile, "remaining", 0) > REST_BYTES:  # cheroot would read it all, into memory
            self.close_connection = True
        super().send_headers()
