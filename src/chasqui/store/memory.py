"""The in-memory twin: records in dictionaries, bytes in a temporary folder that vanishes with the store.

For tests, and for callers who want the result and no traces. One process only.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TypeVar

from chasqui.errors import StoreBusy
from chasqui.records import Blob, Record
from chasqui.store.folder import plain
from chasqui.store.guard import disk

R = TypeVar("R", bound=Record)

WAIT_S = 1800.0  # as long as a folder waits


class MemoryStore:
    """Records that live as long as this object."""

    url = "memory:"

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self.wait_s = wait_s
        self.root = Path(tempfile.mkdtemp(prefix="chasqui-"))
        weakref.finalize(self, shutil.rmtree, self.root, ignore_errors=True)
        self._records: dict[str, dict[str, tuple[str, Record]]] = {}
        self._locks: defaultdict[tuple[str, str], Lock] = defaultdict(Lock)
        self._below: dict[str, MemoryStore] = {}
        self._opening = Lock()
        self._remembered: defaultdict[str, dict[str, bytes]] = defaultdict(dict)

    def get(self, recording_id: str, name: str, kind: type[R], key: str | None = None) -> R | None:
        """The record, or None if it is absent or was made under another key."""
        made_under, record = self._records.get(recording_id, {}).get(name, (None, None))
        return record if isinstance(record, kind) and key in (None, made_under) else None

    def key(self, recording_id: str, name: str) -> str | None:
        """The key under which the present record was made."""
        return self._records.get(recording_id, {}).get(name, (None, None))[0]

    def put(self, recording_id: str, name: str, record: Record, key: str) -> None:
        """Make the record present."""
        self._records.setdefault(recording_id, {})[name] = (key, record)
        self._sweep(recording_id, name)

    @contextmanager
    def workspace(self, recording_id: str, name: str) -> Iterator[MemoryWorkspace]:
        """A private folder; one holder at a time.

        Raises:
            StoreBusy: another thread kept it for longer than `wait_s`.
        """
        lock = self._locks[recording_id, name]
        if not lock.acquire(timeout=self.wait_s):
            raise StoreBusy(what=f"{recording_id} ({name})", limit_s=self.wait_s)
        try:
            with disk(self.root):
                place = tempfile.TemporaryDirectory(dir=self.root, prefix="work-")
            with place as folder:
                yield MemoryWorkspace(self, recording_id, name, Path(folder))
        finally:
            lock.release()

    def tidy(self, recording_id: str, name: str) -> None:
        """Nothing outlives whoever made it here."""

    def path(self, blob: Blob) -> Path:
        """Where a blob's bytes are. Never write to it."""
        return self.root / blob.path

    def recordings(self) -> list[str]:
        """Ids of all recordings, oldest first."""
        return list(self._records)

    def remove(self, recording_id: str) -> None:
        """Forget a recording and all that was made of it."""
        self._records.pop(recording_id, None)
        self._remembered.pop(recording_id, None)
        shutil.rmtree(self.root / recording_id, ignore_errors=True)

    def below(self, name: str) -> MemoryStore:
        """A store of its own, which lives as long as this one."""
        with self._opening:
            if name not in self._below:
                self._below[plain(name)] = MemoryStore(self.wait_s)
            return self._below[name]

    def empty(self) -> None:
        """Forget everything."""
        for recording_id in self.recordings():
            self.remove(recording_id)
        self._below.clear()

    def _sweep(self, recording_id: str, name: str) -> None:
        """Remove the blobs of `name` that its record does not mention."""
        text = self._records[recording_id][name][1].model_dump_json()
        for folder in (self.root / recording_id / name).glob("*"):
            if f"/{folder.name}/" not in text:
                shutil.rmtree(folder)


class MemoryWorkspace:
    """See `chasqui.store.Workspace`."""

    def __init__(self, store: MemoryStore, recording_id: str, name: str, folder: Path) -> None:
        self.folder = folder
        self._store = store
        self._place = f"{recording_id}/{name}"
        self._remembered = store._remembered[recording_id]
        self.path = store.path

    def keep(self, path: Path, media_type: str = "application/octet-stream") -> Blob:
        """Move the file into the store under a name made of its content."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
        blob = Blob(path=f"{self._place}/{digest[:16]}/{path.name}", bytes=size, sha256=digest, media_type=media_type)
        target = self._store.path(blob)
        with disk(self._store.root):
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        return blob

    def remember(self, key: str, value: bytes) -> None:
        """Put a small value into the cache."""
        self._remembered[key] = value

    def recall(self, key: str) -> bytes | None:
        """What was remembered under this key, or None."""
        return self._remembered.get(key)
