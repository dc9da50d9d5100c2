"""Taking a file in: is it there, is it a file, which bytes are they. Nothing is interpreted here."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

from chasqui.errors import EmptyFile, Unreadable
from chasqui.ingest.tags import one_line
from chasqui.media.guard import open_regular
from chasqui.records import Recording, Request
from chasqui.store import Store

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


def handed(path: Path, store: Store, name: str, title: str, tell: Callable[[str], None] | None = None) -> Request:
    """The Request of a file whose bytes move into the store.

    Raises:
        Unreadable, EmptyFile, DiskFull, NotWritable
    """
    found = request_for(path, title=title).model_copy(update={"name": one_line(name) or "upload", "path": ""})
    if tell is not None:
        tell(found.recording_id)
    with store.workspace(found.recording_id, "request") as work:
        known = store.get(found.recording_id, "request", Request)
        if known is not None and known.sha256 == found.sha256 and _there(known, store):
            path.unlink(missing_ok=True)  # two may finish at once
            return known
        inside = work.folder / "upload"
        _double(path, inside)
        request = found.model_copy(update={"handed": work.keep(inside)})
        store.put(request.recording_id, "request", request, key=request.sha256[:32])
        path.unlink()  # only now: whoever is killed before this still has it where it was
        return request


def _double(path: Path, to: Path) -> None:
    """The same bytes under a second name; a copy only where they have to go to another disk."""
    try:
        os.link(path, to)
    except OSError:  # another disk, or one that knows no links
        shutil.copyfile(path, to)


def _there(known: Request, store: Store) -> bool:
    """Whether its bytes can be had again, or are not needed any more."""
    return known.handed is not None or store.get(known.recording_id, "ingest", Recording) is not None


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
