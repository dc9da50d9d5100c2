"""An object of a bucket as a file on this machine: in ranges, several at once, going on where it was broken off.

    <folder>/.fetching/<hash of the address>.part      the bytes, each at its place
    <folder>/.fetching/<hash of the address>.journal   which object they are of, and how far each range has come
    <folder>/.fetching/<hash of the address>.lock      held meanwhile; the system frees it when the process dies

Every question names the ETag (`If-Match`), so that bytes of two versions of an object never meet in one file.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event, Lock
from typing import Any, NamedTuple

from chasqui.errors import ObjectChanged, ServiceDown, Unreadable
from chasqui.store.s3 import asking

#: A range. Large enough that a question more does not count; a class of an hour gives work to several connections.
RANGE_BYTES = 8 << 20
#: What is read at once, and written down in the journal: this much is fetched again after a kill, per range.
PIECE_BYTES = 1 << 18
#: Attempts in a row without a single byte; then the server counts as down.
ATTEMPTS = 5
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 20.0

log = logging.getLogger("chasqui.ingest")


class Wanted(NamedTuple):
    """One version of one object."""

    bucket: str
    key: str
    bytes: int
    etag: str  # as the server writes it, without quotes

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Progress:
    """How far each range has come: an append-only file, so that a kill costs its last line at most."""

    def __init__(self, path: Path, wanted: Wanted, part: Path) -> None:
        head = json.dumps([*wanted, RANGE_BYTES])
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        self.done: dict[int, int] = {}
        self._lock = Lock()
        if lines[:1] == [head] and part.exists():
            for line in lines[1:]:
                start, _, end = line.partition(" ")
                if start.isdecimal() and end.isdecimal() and int(end) <= wanted.bytes:
                    self.done[int(start)] = max(int(end), self.done.get(int(start), 0))
        else:  # another version, or nothing to go on from
            part.unlink(missing_ok=True)
            path.write_text(head + "\n", encoding="utf-8")
        self._file = path.open("a", encoding="utf-8")

    def came(self, start: int, end: int) -> None:
        """The range that begins at `start` is there up to `end`."""
        with self._lock:
            self._file.write(f"\n{start} {end}")  # a line that was cut off by a kill spoils only itself
            self._file.flush()
            self.done[start] = end

    def close(self) -> None:
        self._file.close()


def download(
    client: Any, wanted: Wanted, part: Path, journal: Path, threads: int, counted: Callable[[int], None]
) -> None:
    """Bring the bytes of an object into `part`, but for those that are there already.

    Args:
        counted: called with the number of bytes that came, again and again, from several threads.

    Raises:
        ObjectChanged: the object is another one by now. What came of the old one is gone.
        ServiceDown, WrongKeys, KeysExpired, NoBucket, Unreadable: see `asking`. What came stays, for the next time.
        OSError: the disk is full, or does not let us write.
    """
    progress = Progress(journal, wanted, part)
    ranges = [(start, min(start + RANGE_BYTES, wanted.bytes)) for start in range(0, wanted.bytes, RANGE_BYTES)]
    open_ranges = [one for one in ranges if progress.done.get(one[0], one[0]) < one[1]]
    stop = Event()
    part.touch()
    try:
        with ThreadPoolExecutor(max(1, min(threads, len(open_ranges)))) as pool:
            pieces = [
                pool.submit(_range, client, wanted, part, progress, start, end, stop, counted)
                for start, end in open_ranges
            ]
            try:
                for piece in pieces:
                    piece.result()
            except BaseException:
                stop.set()  # the others end at their next piece
                for piece in pieces:
                    piece.cancel()
                raise
    except ObjectChanged:
        part.unlink(missing_ok=True)
        raise
    finally:
        progress.close()


def _range(
    client: Any,
    wanted: Wanted,
    part: Path,
    progress: Progress,
    start: int,
    end: int,
    stop: Event,
    counted: Callable[[int], None],
) -> None:
    """One range, from where it is to its end, however often the line breaks."""
    at, failures = progress.done.get(start, start), 0
    with part.open("r+b") as file:
        while at < end and not stop.is_set():
            before = at
            try:
                for piece in _pieces(client, wanted, at, end):
                    file.seek(at)
                    file.write(piece)
                    file.flush()
                    at += len(piece)
                    progress.came(start, at)
                    counted(len(piece))
                    if stop.is_set():
                        return
            except ServiceDown as error:
                failures = 1 if at > before else failures + 1
                if failures >= ATTEMPTS:
                    raise
                wait_s = min(FIRST_WAIT_S * 2 ** (failures - 1), LONGEST_WAIT_S)
                log.info("%s broke off at byte %d (%s); going on in %.1f s", wanted.url, at, error, wait_s)
                stop.wait(wait_s)


def _pieces(client: Any, wanted: Wanted, at: int, end: int) -> Iterator[bytes]:
    """The bytes from `at` up to `end`, as they come.

    Raises:
        ServiceDown: the line breaks, or it ends too early. ObjectChanged, …: see `asking`.
    """
    url = f"s3://{wanted.bucket}"
    with asking(url, wanted.key):
        answer = client.get_object(
            Bucket=wanted.bucket, Key=wanted.key, Range=f"bytes={at}-{end - 1}", IfMatch=f'"{wanted.etag}"'
        )
        with closing(answer["Body"]) as body:
            _is_it(answer, wanted, at)
            while at < end:
                piece = body.read(min(PIECE_BYTES, end - at))
                if not piece:
                    raise ServiceDown(url=url, why="the connection breaks off")
                at += len(piece)
                yield piece


def _is_it(answer: Any, wanted: Wanted, at: int) -> None:
    """Servers that know no `If-Match` still say what they send.

    Raises:
        ObjectChanged
    """
    whole = str(answer.get("ContentRange", "")).rpartition("/")[2]
    if str(answer.get("ETag", "")).strip('"') != wanted.etag or (whole.isdecimal() and int(whole) != wanted.bytes):
        raise ObjectChanged(name=wanted.key)
    if not whole and at:  # the whole object, though a part of it was asked for
        raise Unreadable(name=wanted.key, why="its server knows no ranges")
