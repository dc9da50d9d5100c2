"""Sending a recording by tus 1.0. The server knows how much is there, a small file here knows under which name: so
neither a cut link, nor a server's restart, nor a kill of this process costs what was sent.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

from chasqui.client.wire import PASSING, Later, Wire
from chasqui.errors import Garbled, NoServer, UnknownThing, Unreadable, UploadOver, WrongPlace
from chasqui.store.guard import disk

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}
#: One request. A server of ours keeps every byte that a cut link brought; a proxy between may hold a request back until
#: it is whole and lose it all, so pieces are bounded, and become smaller where they get lost.
MOST_PIECE, LEAST_PIECE = 8 << 20, 64 << 10
BLOCK = 64 << 10
#: Uploads that the server has forgotten, begun again: once is an upload that expired, twice a server that loses things.
AFRESH = 2
#: The server keeps what nobody goes on with for a week.
KEPT_S = 8 * 86_400.0


def send(
    wire: Wire, path: Path, facts: Mapping[str, str], state: Path | None, advanced: Callable[[int, int], None] | None
) -> dict[str, Any]:
    """What came of the file: lesson_id, job_id, recording_id.

    Raises:
        Unreadable: there is no such file, or it changes while it is sent.
        Garbled: the server got something else.
        ServerAway, or what the server refused with.
    """
    note = Note(state or _state(), wire, path, facts)
    for afresh in range(AFRESH + 1):
        try:
            upload = note.read() or _begin(wire, path, facts, note)
            made = _sent(wire, path, upload, advanced or (lambda _done, _all: None))
            break
        except (UnknownThing, UploadOver):  # expired, ended, or of another account
            note.forget()
            if afresh == AFRESH:
                raise
    note.forget()
    _prove(path, made)
    return made


class Note:
    """What is remembered here of one upload: its id on the server. Another file, title or server is another upload."""

    def __init__(self, folder: Path, wire: Wire, path: Path, facts: Mapping[str, str]) -> None:
        stat = _stat(path)
        self.bytes = stat.st_size
        known = [wire.url, str(path.resolve()), stat.st_size, stat.st_mtime_ns, sorted(facts.items())]
        self.fingerprint = hashlib.sha256(json.dumps(known).encode()).hexdigest()[:32]
        self._file = folder / f"{self.fingerprint}.json"

    def read(self) -> str | None:
        """The id of an upload under way; None where there is none."""
        try:
            told = json.loads(self._file.read_bytes())
            return str(told["upload"]) if told["began_s"] > time.time() - KEPT_S else None
        except (OSError, ValueError, LookupError, TypeError):  # what is not readable is not there
            return None

    def write(self, upload: str) -> None:
        with disk(self._file):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            aside = self._file.with_suffix(f".{os.getpid()}")
            aside.write_text(json.dumps({"upload": upload, "began_s": time.time()}))
            aside.replace(self._file)

    def forget(self) -> None:
        self._file.unlink(missing_ok=True)


def _begin(wire: Wire, path: Path, facts: Mapping[str, str], note: Note) -> str:
    said = {"filename": path.name, **facts}
    metadata = ",".join(f"{name} {b64encode(text.encode('utf-8', 'replace')).decode()}" for name, text in said.items())
    headers = {**TUS, "Upload-Length": str(note.bytes), "Upload-Metadata": metadata}
    # By its id, not by Location: behind a proxy that may be an address that nobody outside knows.
    upload = str(wire.json("POST", "uploads", headers=headers).get("id", ""))
    if not upload.isalnum():
        raise NoServer(url=wire.url, why="it begins an upload without an id")
    note.write(upload)
    return upload


def _sent(wire: Wire, path: Path, upload: str, advanced: Callable[[int, int], None]) -> dict[str, Any]:
    size, most, patience = _stat(path).st_size, MOST_PIECE, wire.patience()
    at = _at(wire, upload)
    with _reading(path) as file:
        while at < size:
            advanced(at, size)
            before = at
            trouble: Exception | None = None
            try:
                at = _piece(wire, upload, file, at, min(most, size - at), lambda sent: advanced(sent, size))
                most = min(2 * most, MOST_PIECE)
            except WrongPlace as error:  # a piece of ours arrived and its answer did not
                trouble = Later(error)
            except PASSING as error:
                trouble = error
            if trouble is not None:
                at = _at(wire, upload)
            if at > before:
                patience.progress()
            elif trouble is not None:
                most = max(most // 2, LEAST_PIECE)
                patience.wait(trouble)
    advanced(size, size)
    return wire.json("GET", f"uploads/{upload}/lesson")


def _piece(wire: Wire, upload: str, file: BinaryIO, at: int, length: int, sent: Callable[[int], None]) -> int:
    """Send one piece; bytes there afterwards.

    Raises:
        OSError, HTTPException, Later, ChasquiError: see `Wire.opened`.
    """
    file.seek(at)
    headers = wire.headers({**PIECE, "Upload-Offset": str(at), "Content-Length": str(length)})
    with closing(wire.connection()) as link:
        link.putrequest("PATCH", wire.path(f"uploads/{upload}"))
        for name, value in headers.items():
            link.putheader(name, value)
        link.endheaders()
        try:
            for done in range(0, length, BLOCK):
                block = file.read(min(BLOCK, length - done))
                if len(block) < min(BLOCK, length - done):
                    raise Unreadable(name=file.name, why="it became shorter while it was sent")
                link.send(block)
                sent(at + done + len(block))
        except (BrokenPipeError, ConnectionResetError):
            pass  # whoever refuses in the middle has said why; without a word, reading it fails too
        response = link.getresponse()
        wire.refuse(response)
        response.read()
        return int(response.headers.get("Upload-Offset", at))


def _at(wire: Wire, upload: str) -> int:
    # GET, which answers as HEAD does: what is refused to HEAD is refused without a word.
    answer = wire.answer("GET", f"uploads/{upload}", headers=TUS)
    said = answer.headers.get("Upload-Offset", "")
    if not said.isdigit():
        raise NoServer(url=wire.url, why="it does not know how much of an upload is there")
    return int(said)


def _prove(path: Path, made: Mapping[str, Any]) -> None:
    """A recording's id is the beginning of its hash: what arrived is what lies here."""
    with _reading(path) as file:
        hashed = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    said = str(made.get("recording_id", ""))
    if not said or not hashed.startswith(said):
        raise Garbled(name=path.name, why=f"SHA-256 {hashed[:16]} here, {said} there")


def _stat(path: Path) -> os.stat_result:
    with _reading(path) as file:
        return os.fstat(file.fileno())


def _reading(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise Unreadable(name=path.name, why=(error.strerror or str(error)).lower()) from error


def _state() -> Path:
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return home / "chasqui" / "uploads"
