"""Taking a file in: is it there, is it a file, which bytes are they. Nothing is interpreted here."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

from chasqui.errors import EmptyFile, Unreadable
from chasqui.ingest.tags import one_line
from chasqui.media.guard import open_regular
from chasqui.records import Request

READ_BYTES = 1 << 20


def request_for(path: Path, folder: str = "", title: str = "") -> Request:
    """The Request for one file on this machine.

    Raises:
        Unreadable, EmptyFile
    """
    name = one_line(path.name)
    where = str(path.absolute())
    if not _storable(where):
        raise Unreadable(name=name, why="its name or folder is not valid text; please rename it")
    sha256, size = digest(path, name)
    if size == 0:
        raise EmptyFile(name=name)
    return Request(
        recording_id=sha256[:16],
        path=where,
        name=name,
        folder=one_line(folder),
        sha256=sha256,
        bytes=size,
        title=one_line(title),
    )


def digest(path: Path, name: str, copy_to: Path | None = None) -> tuple[str, int]:
    """SHA-256 and size of a regular file, read once and, if wanted, copied on the way. Memory stays flat.

    Raises:
        Unreadable: vanished, no permission, a device or pipe, or the disk fails while reading.
        OSError: the copy could not be written (disk full).
    """
    hashed, size = hashlib.sha256(), 0
    with open_regular(path, name) as source, copy_to.open("wb") if copy_to else nullcontext() as target:
        while block := _read(source, name):
            hashed.update(block)
            size += len(block)
            if target is not None:
                target.write(block)
    return hashed.hexdigest(), size


def _read(source: BinaryIO, name: str) -> bytes:
    try:
        return source.read(READ_BYTES)
    except OSError as error:
        raise Unreadable(name=name, why=error.strerror or str(error)) from error


def _storable(text: str) -> bool:
    """Names that are not UTF-8 on disk arrive as lone surrogates, which no JSON file can hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
