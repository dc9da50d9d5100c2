"""Fetching a lesson: each file in ranges, aside, proved by its hash; then all of them delivered as `pack` does."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from chasqui.client.wire import PASSING, Patience, Wire
from chasqui.errors import Garbled, NotMadeYet, ServerSaid
from chasqui.store.guard import disk

BLOCK = 64 << 10
#: A file whose bytes are wrong is fetched once more from its beginning.
TRIES = 2


class Fetched:
    """A folder of blobs, as far as `deliver` asks a store for them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, blob: Any) -> Path:
        return self._folder / str(blob.name)


def fetch(wire: Wire, lesson_id: str, folder: Path, advanced: Callable[[int, int], None] | None) -> Path:
    """The folder below `folder` that now holds the lesson.

    Raises:
        NotMadeYet: there is nothing to fetch yet.
        Garbled: a file is not what the server says it is, also at the second try.
        NotWritable, DiskFull, ServerAway, or what the server refused with.
    """
    from chasqui.records import Blob, Lesson
    from chasqui.run.deliver import deliver

    told = wire.json("GET", f"lessons/{lesson_id}")
    if not told.get("files"):
        raise NotMadeYet(title=told.get("title"))
    try:
        lesson = Lesson(
            recording_id=_plain(told["recording_id"]),
            slug=_plain(told["slug"]),
            title=told["title"],
            files=tuple(
                Blob(path=_plain(name), bytes=one["bytes"], sha256=one["sha256"], media_type=one["type"])
                for name, one in told["files"].items()
            ),
            bytes=told["bytes"],
            source_bytes=told["source_bytes"],
        )
    except (LookupError, TypeError, ValueError) as error:
        raise ServerSaid(url=wire.url, detail=f"{type(error).__name__} in lesson {lesson_id}") from error
    aside = folder / f".{lesson.slug}.{lesson.recording_id}.fetch"
    whole, before = sum(blob.bytes for blob in lesson.files), 0
    with disk(folder):
        aside.mkdir(parents=True, exist_ok=True)
        for blob in lesson.files:
            base = before
            _one(wire, lesson_id, blob, aside, lambda done, base=base: (advanced or _nobody)(base + done, whole))  # type: ignore[misc]
            before += blob.bytes
        home = deliver(lesson, folder, Fetched(aside))  # type: ignore[arg-type]
        shutil.rmtree(aside)
    return home


def _nobody(_done: int, _whole: int) -> None:
    pass


def _one(wire: Wire, lesson_id: str, blob: Any, aside: Path, advanced: Callable[[int], None]) -> None:
    path, patience = aside / blob.name, wire.patience()
    for _ in range(TRIES):
        with path.open("ab") as file:
            while (at := file.seek(0, 2)) < blob.bytes:
                _rest(wire, lesson_id, blob, file, at, patience)
                advanced(file.tell())
        with path.open("rb") as opened:
            if path.stat().st_size == blob.bytes and hashlib.file_digest(opened, "sha256").hexdigest() == blob.sha256:
                return
        path.unlink()
    raise Garbled(name=blob.name, why="SHA-256")


def _rest(wire: Wire, lesson_id: str, blob: Any, file: BinaryIO, at: int, patience: Patience) -> None:
    """As much of the rest as comes."""
    headers = {"Range": f"bytes={at}-", "If-Range": f'"{blob.sha256}"', "Accept-Encoding": "identity"}
    asked = f"lessons/{lesson_id}/files/{quote(blob.name)}?v={blob.sha256[:16]}"
    try:
        with wire.opened("GET", asked, headers=headers) as response:
            if response.status != 206 or not _begins(response.headers.get("Content-Range"), at):
                file.truncate(0)  # all of it comes: it is another one now, or ranges are not known there
            while block := response.read(BLOCK):
                with disk(file.name):
                    file.write(block)
                patience.progress()
                if file.tell() > blob.bytes:
                    return
        if file.tell() < blob.bytes:
            raise ConnectionResetError("the link was cut")
    except PASSING as trouble:
        patience.wait(trouble)


def _begins(content_range: str | None, at: int) -> bool:
    return (content_range or "").startswith(f"bytes {at}-")


def _plain(name: str) -> str:
    """A name from afar that shall become a file here.

    Raises:
        ValueError: it would lie elsewhere.
    """
    if not name or name in (".", "..") or "/" in name or "\\" in name or "\0" in name:
        raise ValueError(name)
    return name
