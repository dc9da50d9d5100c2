"""A store in a folder of this machine.

    <recording>/<name>.json              a record, and the key of the work that made it; `name` is done when this exists
    <recording>/<name>/<sha256…>/<file>  the blobs of that record
    <recording>/.work/<name>/            the private folder of whoever runs `name` now
    <recording>/.locks/<name>            held while it runs; the operating system lets go of it when the process dies
    <recording>/.remembered.sqlite       the cache of scores
    <recording>/.born                    when the recording came in

Everything is written aside, synced and renamed. Whoever holds the lock of a name clears what a killed run left there.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import get_ident
from typing import Any, TypeVar

from filelock import FileLock, Timeout
from pydantic import ValidationError

from chasqui.errors import StoreBusy
from chasqui.records import Blob, Record
from chasqui.store.cache import Cache
from chasqui.store.guard import disk

R = TypeVar("R", bound=Record)

#: How a record file is laid out. Files of another layout count as absent, so that the work is simply done again.
LAYOUT = 1
#: How long to wait for another process on the same work. A 10-hour class takes a laptop a quarter of an hour.
WAIT_S = 1800.0
#: Characters of the hash in a blob's path: enough to tell blobs of one record apart, short enough for old file systems.
HASH_CHARS = 16
READ_BYTES = 1 << 20

log = logging.getLogger("chasqui.store")


class FolderStore:
    """Records and blobs below one folder, made when it is first written to."""

    def __init__(self, root: Path, wait_s: float = WAIT_S) -> None:
        self.root = root
        self.wait_s = wait_s
        self.url = f"file:{root}"

    def get(self, recording_id: str, name: str, kind: type[R], key: str | None = None) -> R | None:
        """The record, or None if it is absent, was made under another key, or is not readable any more."""
        entry = self._entry(recording_id, name)
        if entry is None or key not in (None, entry["key"]):
            return None
        try:
            return kind.model_validate(entry["record"])
        except ValidationError as error:
            log.warning("%s of %s is not a %s and counts as absent: %s", name, recording_id, kind.__name__, error)
            return None

    def key(self, recording_id: str, name: str) -> str | None:
        """The key under which the present record was made."""
        entry = self._entry(recording_id, name)
        return None if entry is None else str(entry["key"])

    def put(self, recording_id: str, name: str, record: Record, key: str) -> None:
        """Make the record present, then remove the blobs of the one it replaces."""
        home = self._home(recording_id)
        with disk(self.root):
            home.mkdir(parents=True, exist_ok=True)
            _first_seen(home / ".born")
            facts = {"layout": LAYOUT, "key": key, "record": record.model_dump(mode="json")}
            aside = home / f".{plain(name)}.{os.getpid()}.{get_ident()}.part"
            try:
                _write_synced(aside, json.dumps(facts, ensure_ascii=False, indent=1))
                aside.replace(home / f"{name}.json")
            finally:
                aside.unlink(missing_ok=True)
            _sync_folder(home)
            self._sweep(recording_id, name)

    @contextmanager
    def workspace(self, recording_id: str, name: str) -> Iterator[FolderWorkspace]:
        """A private folder, emptied of what a killed run left; one holder at a time, over all processes.

        Raises:
            StoreBusy: another process kept it for longer than `wait_s`.
            NotWritable, DiskFull: the folder cannot be made.
        """
        home = self._home(recording_id)
        with disk(self.root):
            (home / ".locks").mkdir(parents=True, exist_ok=True)
            lock = FileLock(home / ".locks" / plain(name))
            self._wait_for(lock, f"{recording_id} ({name})")
        try:
            with self._held(recording_id, name) as work:
                yield work
        finally:
            lock.release()

    def tidy(self, recording_id: str, name: str) -> None:
        """Remove what somebody left who was killed after the record was made, unless one is at work."""
        home = self._home(recording_id)
        if (home / ".work" / plain(name)).exists():
            with suppress(Timeout, OSError), FileLock(home / ".locks" / name).acquire(timeout=0):
                self._clear(recording_id, name)

    def path(self, blob: Blob) -> Path:
        """Where a blob's bytes are. Never write to it."""
        return self.root / blob.path

    def recordings(self) -> list[str]:
        """Ids of all recordings with at least one record, oldest first."""
        if not self.root.is_dir():
            return []
        homes = [home for home in self.root.iterdir() if next(home.glob("*.json"), None) is not None]
        return [home.name for home in sorted(homes, key=lambda home: (_born(home / ".born"), home.name))]

    def remove(self, recording_id: str) -> None:
        """Forget a recording and all that was made of it: first its records, as nothing is there without them."""
        home = self._home(recording_id)
        with disk(self.root):
            for record in home.glob("*.json"):
                record.unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                shutil.rmtree(home)

    def below(self, name: str) -> FolderStore:
        """A store of its own, in a folder of this one."""
        return FolderStore(self.root / plain(name), self.wait_s)

    def empty(self) -> None:
        """Forget everything."""
        with disk(self.root), suppress(FileNotFoundError):
            shutil.rmtree(self.root)

    def _wait_for(self, lock: FileLock, what: str) -> None:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.warning("another process is working on %s; waiting up to %.0f s", what, self.wait_s)
            try:
                lock.acquire(timeout=self.wait_s)
            except Timeout as error:
                raise StoreBusy(what=what, limit_s=self.wait_s) from error

    @contextmanager
    def _held(self, recording_id: str, name: str) -> Iterator[FolderWorkspace]:
        folder = self._home(recording_id) / ".work" / name
        with disk(self.root):
            self._clear(recording_id, name)
            folder.mkdir(parents=True)
        work = FolderWorkspace(self, recording_id, name, folder)
        try:
            yield work
        finally:
            work.close()
            shutil.rmtree(folder, ignore_errors=True)  # what stays is swept by the next holder

    def _clear(self, recording_id: str, name: str) -> None:
        """Remove what a killed run left. Whoever calls this holds the lock."""
        home = self._home(recording_id)
        shutil.rmtree(home / ".work" / name, ignore_errors=True)
        self._sweep(recording_id, name)
        for half in home.glob(f".{name}.*.part"):
            half.unlink(missing_ok=True)

    def _sweep(self, recording_id: str, name: str) -> None:
        """Remove the blobs of `name` that its record does not point to: superseded, or left by a killed run."""
        entry = self._entry(recording_id, name)
        wanted = {step for blob in blobs_of(entry["record"]) for step in blob["path"].split("/")} if entry else set()
        with suppress(FileNotFoundError):
            for folder in (self._home(recording_id) / name).iterdir():
                if folder.name not in wanted:
                    shutil.rmtree(folder, ignore_errors=True)

    def _home(self, recording_id: str) -> Path:
        return self.root / plain(recording_id)

    def _entry(self, recording_id: str, name: str) -> dict[str, Any] | None:
        """The record file, if it is whole and its blobs are there. A damaged one is work to do again, never a crash.

        That a record points to bytes of another stage which has been done anew since is nothing to warn of.
        """
        file = self._home(recording_id) / f"{plain(name)}.json"
        try:
            entry = json.loads(file.read_bytes())
            if entry["layout"] != LAYOUT or not isinstance(entry["key"], str) or not isinstance(entry["record"], dict):
                raise ValueError("not one of our records")
            for blob in blobs_of(entry["record"]):
                if (self.root / blob["path"]).stat().st_size != blob["bytes"]:
                    raise ValueError(f"{blob['path']} has lost bytes")
        except FileNotFoundError as error:
            if f"/{recording_id}/{name}/" in str(error.filename):
                log.warning("%s points to bytes that are gone, and counts as absent: %s", file, error)
            return None
        except (OSError, ValueError, LookupError, TypeError) as error:
            log.warning("%s is damaged and counts as absent: %s", file, error)
            return None
        return dict(entry)


class FolderWorkspace:
    """See `chasqui.store.Workspace`."""

    def __init__(self, store: FolderStore, recording_id: str, name: str, folder: Path) -> None:
        self.folder = folder
        self._store = store
        self._place = f"{recording_id}/{name}"
        self._cache = Cache(store.root / recording_id / ".remembered.sqlite")
        self.remember = self._cache.remember
        self.recall = self._cache.recall
        self.close = self._cache.close
        self.path = store.path

    def keep(self, path: Path, media_type: str = "application/octet-stream") -> Blob:
        """Sync the file and move it into the store under a name made of its content."""
        with disk(self._store.root):
            digest, size = _sync_and_hash(path)
            blob = Blob(
                path=f"{self._place}/{digest[:HASH_CHARS]}/{path.name}",
                bytes=size,
                sha256=digest,
                media_type=media_type,
            )
            target = self._store.path(blob)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            _sync_folder(target.parent)
        return blob


def plain(name: str) -> str:
    """The name, if it can only ever be one step below a folder: ids come from outside (a queue, an address)."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise ValueError(f"{name!r} is no name for a record or recording")
    return name


def blobs_of(value: Any) -> Iterator[dict[str, Any]]:
    """Every Blob inside a record's JSON."""
    if isinstance(value, dict):
        if value.keys() == Blob.model_fields.keys():
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from blobs_of(inner)


def _sync_and_hash(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            digest.update(piece)
            size += len(piece)
        os.fsync(file.fileno())
    return digest.hexdigest(), size


def _write_synced(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """A rename survives a power cut only when its folder is synced too (not a thing on Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _first_seen(file: Path) -> None:
    with suppress(FileExistsError), file.open("x") as new:
        new.write(str(time.time_ns()))


def _born(file: Path) -> int:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return 0
