"""A web server that is somebody else's, and says exactly what a test wants it to say, byte by byte."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import repeat

Says = bytes | Iterator[bytes]


class Foreign:
    """Answers each path with the bytes that were put there; what it was asked is kept."""

    def __init__(self) -> None:
        self.says: dict[str, Says] = {}
        self.asked: list[str] = []
        self._link = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._link.getsockname()[1])

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def close(self) -> None:
        self._over.set()
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._link.close()

    def _serve(self) -> None:
        while True:
            link, _ = self._link.accept()
            if self._over.is_set():
                link.close()
                return
            threading.Thread(target=self._answer, args=[link], daemon=True).start()

    def _answer(self, link: socket.socket) -> None:
        with link:
            link.settimeout(5)
            head = b""
            try:
                while b"\r\n\r\n" not in head and (more := link.recv(4096)):
                    head += more
                self.asked.append(head.decode())
                says = self.says.get(
                    head.split(b" ")[1].decode(), b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
                )
                for piece in [says] if isinstance(says, bytes) else says:
                    if self._over.is_set():
                        return
                    link.sendall(piece)
            except OSError:  # whoever asked has gone
                return


def answer(body: bytes, status: str = "200 OK", length: int | None = None, **headers: str) -> bytes:
    """An answer with its length, true or not (-1: none at all)."""
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    if length != -1:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def slowly(first: bytes, letter: bytes, each_s: float) -> Iterator[bytes]:
    """One letter after the other, for ever."""
    yield first
    for one in repeat(letter):
        time.sleep(each_s)
        yield one


@contextmanager
def foreign(says: Mapping[str, Says] | None = None) -> Iterator[Foreign]:
    """The server, for as long as the body runs."""
    server = Foreign()
    server.says.update(says or {})
    try:
        yield server
    finally:
        server.close()
