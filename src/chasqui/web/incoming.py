"""Bytes that come in piece by piece: appended where the file ends, kept when the link is cut, thrown away when they are
not what they were said to be. The file's length is the truth; the catalog only notes it.
"""

from __future__ import annotations

import hashlib
import os
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import NamedTuple, Protocol

from filelock import FileLock, Timeout

from chasqui.errors import BadPiece, BadUpload, TooLarge, UploadBusy, WrongPlace
from chasqui.store.guard import disk

#: A read that a reset link interrupts loses what it had: where links carry a hundred kB at a time, it must be small.
READ_BYTES = 1 << 14
#: tus: what a client says about a file; names that are not space or comma, each with base64 or with nothing.
_PAIR = r"[!-+\--~]+( [A-Za-z0-9+/]*={0,2})?"
METADATA = f"({_PAIR}(, ?{_PAIR})*)?"
CHECKSUMS = ("sha256", "sha1", "md5")
#: Whoever was cut off may find its own half-dead request still holding the file; it ends when the link's time is up.
WAIT_S = 2.0


class Source(Protocol):
    """A body as it arrives."""

    def read(self, size: int, /) -> bytes: ...


class Checksum(NamedTuple):
    """What a piece should hash to."""

    algorithm: str
    digest: bytes


def read_checksum(header: str) -> Checksum | None:
    """`sha256 BASE64`, as tus sends it; None where none was sent.

    Raises:
        BadUpload: unknown or no checksum at all.
    """
    if not header:
        return None
    algorithm, _, encoded = header.strip().partition(" ")
    if algorithm not in CHECKSUMS:
        raise BadUpload(why=f"checksum {algorithm!r} is unknown; known: {', '.join(CHECKSUMS)}")
    try:
        return Checksum(algorithm, b64decode(encoded, validate=True))
    except ValueError as error:
        raise BadUpload(why="the checksum is not base64") from error


class Incoming:
    """The folder of files on their way in."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, upload_id: str) -> Path:
        """Where the file of an upload lies."""
        return self._folder / f"{upload_id}.part"

    def size(self, upload_id: str) -> int:
        """Bytes that are there."""
        try:
            return self.path(upload_id).stat().st_size
        except FileNotFoundError:
            return 0

    def settled(self, upload_id: str) -> int:
        """Bytes that are there, once what a cut link brought last is written: whoever is told too little sends it
        again. Somebody who is still sending after `WAIT_S` is not waited for.
        """
        with suppress(UploadBusy), self._alone(upload_id):
            pass
        return self.size(upload_id)

    def append(self, upload_id: str, at: int, whole: int, body: Source, checksum: Checksum | None = None) -> int:
        """Bytes there after as much of the body as came. `whole`: bytes of the finished file.

        Raises:
            WrongPlace: the file does not end at `at`.
            TooLarge: the body goes on behind the end; what fits is not kept.
            BadPiece: it does not hash to the checksum; nothing of it is kept.
            UploadBusy: somebody else is sending.
            DiskFull, NotWritable
        """
        with disk(self._folder), self._alone(upload_id), self._opened(upload_id) as file:
            there = file.seek(0, os.SEEK_END)
            if there != at:
                raise WrongPlace(at=there, said=at)
            hashed = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
            try:
                for block in _blocks(body):
                    if file.tell() + len(block) > whole:
                        raise TooLarge(name=upload_id, bytes=file.tell() + len(block), most=whole)
                    _write(file, block)
                    if hashed is not None:
                        hashed.update(block)
                if checksum and hashed is not None and hashed.digest() != checksum.digest:
                    raise BadPiece(at=at)
                os.fsync(file.fileno())
            except (TooLarge, BadPiece, OSError):
                file.truncate(at)
                raise
            return file.tell()

    def drop(self, upload_id: str) -> None:
        """Throw the file away."""
        self.path(upload_id).unlink(missing_ok=True)
        self._lock(upload_id).unlink(missing_ok=True)

    def strays(self, known: set[str]) -> list[str]:
        """Ids of files that no upload under way belongs to."""
        found = {path.name.removesuffix(".part") for path in self._folder.glob("*.part")}
        return sorted(found - known)

    def _lock(self, upload_id: str) -> Path:
        return self._folder / f"{upload_id}.lock"

    @contextmanager
    def _alone(self, upload_id: str) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._lock(upload_id), timeout=WAIT_S)
        try:
            with lock:
                yield
        except Timeout as error:
            raise UploadBusy() from error

    @contextmanager
    def _opened(self, upload_id: str) -> Iterator[FileIO]:
        descriptor = os.open(self.path(upload_id), os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:  # a buffer that a full disk refused could not be cut
            yield file


def _write(file: FileIO, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[file.write(rest) :]


def _blocks(body: Source) -> Iterator[bytes]:
    """What arrives, until it ends or the link is cut: then what came is all there is."""
    while True:
        try:
            block = body.read(READ_BYTES)
        except (OSError, ValueError):  # reset, silent for too long, or a chunk that was cut in the middle
            return
        if not block:
            return
        yield block
