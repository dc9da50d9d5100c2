"""Where records and bytes live, behind one small interface, chosen by URL: `memory:`, a folder (`file:PATH`) or
a bucket (`s3://BUCKET/PREFIX`).

A record is done when it exists. Blobs are written aside in a workspace and appear with their record, whole or not at
all. Every method that writes raises DiskFull or NotWritable when the disk says so.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Protocol, TypeVar

from chasqui.errors import BadConfig
from chasqui.records import Blob, Record

R = TypeVar("R", bound=Record)

#: Open stores that one process keeps. Opening one costs nothing; what it knows of a bucket it has to ask for again.
KEPT = 64


class Workspace(Protocol):
    """A private folder for one run of one stage. It vanishes with the run; only what `keep` was called for stays."""

    folder: Path

    def path(self, blob: Blob) -> Path:
        """A local path to read a blob's bytes from. Never write to it."""
        ...

    def keep(self, path: Path, media_type: str = "application/octet-stream") -> Blob:
        """Take a finished file of `folder` into the store, under its own name."""
        ...

    def remember(self, key: str, value: bytes) -> None:
        """Put a small, re-computable value into the cache (scores). Survives a killed run."""
        ...

    def recall(self, key: str) -> bytes | None:
        """What was remembered under this key, by any run, or None."""
        ...


class Store(Protocol):
    """Records by (recording id, name), each under the key of the work that made it, and blobs."""

    url: str

    def get(self, recording_id: str, name: str, kind: type[R], key: str | None = None) -> R | None:
        """The record, or None if it is absent or was made under another key (key None: any)."""
        ...

    def key(self, recording_id: str, name: str) -> str | None:
        """The key under which the present record was made."""
        ...

    def put(self, recording_id: str, name: str, record: Record, key: str) -> None:
        """Make the record present. This is the moment at which a stage is done."""
        ...

    def workspace(self, recording_id: str, name: str) -> AbstractContextManager[Workspace]:
        """A private folder; only one process at a time has one for the same recording and name (others wait)."""
        ...

    def tidy(self, recording_id: str, name: str) -> None:
        """Remove from the private folder what somebody left who was killed after the record, unless one is at work."""
        ...

    def path(self, blob: Blob) -> Path:
        """A local path to read a blob's bytes from."""
        ...

    def recordings(self) -> list[str]:
        """Ids of all recordings, oldest first."""
        ...

    def remove(self, recording_id: str) -> None:
        """Forget a recording and all that was made of it, for when nobody works on it any more. One that was killed in
        the middle, or twice, is the same as once.
        """
        ...

    def below(self, name: str) -> Store:
        """A store of its own inside this one: neither finds, replaces or removes what the other keeps."""
        ...

    def empty(self) -> None:
        """Forget everything, also in the stores below, for when nobody works here any more. Twice is once."""
        ...


class Stores:
    """The stores below one root, by name; opened when they are first asked for, and some of them kept.

    Safe for threads: two may open the same one at once, which does no harm.
    """

    def __init__(self, root: Store) -> None:
        self.root = root
        self._open = lru_cache(KEPT)(root.below)

    def __call__(self, name: str) -> Store:
        return self._open(name)


def open_store(url: str) -> Store:
    """The store behind a URL: `memory:`, `s3://BUCKET/PREFIX`, `file:FOLDER`, or just a folder. Back-ends are imported
    when they are named.

    Raises:
        BadConfig: no store of that kind. NotInstalled: it needs a package that is not there.
    """
    scheme, colon, rest = url.partition(":")
    if url == "memory:":
        from chasqui.store.memory import MemoryStore

        return MemoryStore()
    if scheme == "s3":
        from chasqui.store.bucket import BucketStore

        return BucketStore(url)
    foreign = rest.startswith("//") and scheme != "file"  # a URL of some kind; no folder is meant
    if foreign or scheme == "memory" or not url or (scheme == "file" and not rest):
        raise BadConfig(why=f"There is no store for {url!r}; use memory:, file:FOLDER or s3://BUCKET/PREFIX.")
    from chasqui.store.folder import FolderStore

    return FolderStore(Path(rest.removeprefix("//") if scheme == "file" and colon else url).expanduser())
