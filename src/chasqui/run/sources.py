"""What a dataset is made of: the files of a folder or the objects of a bucket, one by one, never listed whole.

A text beside a recording (`clase.txt` beside `clase.mp3`) is what is said in it, and no recording. The same for the
table of facts in the root, which `beside.py` reads.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from chasqui.errors import Unreadable

#: The table of facts beside the recordings, by the names that Hugging Face and Lhotse people use.
TABLES = ("metadata.csv", "metadata.tsv", "metadata.jsonl")
#: In front of what people wrote on an object of a bucket, among the facts of a row.
META = "meta:"
#: What is said in a recording; longer is no transcript of one.
MOST_TEXT_BYTES = 4 << 20


@dataclass(frozen=True)
class Source:
    """One recording to be, before anybody looked inside. `mark` changes when its bytes or those of its text do."""

    name: str  # its place below the root, with "/", as valid text
    where: str  # path on this machine, or key in the bucket
    bytes: int
    mark: str
    text: str | None = None  # path or key of the text beside it
    etag: str | None = None
    facts: dict[str, str] = field(default_factory=dict)
    error: str | None = None  # it cannot even be looked at: why


class Fetched(NamedTuple):
    """The bytes of a recording on this machine, and what was learnt on the way."""

    path: Path
    written: Mapping[str, str] = MappingProxyType({})  # facts that people wrote on an object of a bucket
    proof: str | None = None  # by what these are known to be the object's bytes; a file is what it is


class Sources(Protocol):
    """A place with recordings. It can be opened again, in another process, from its `url`."""

    url: str
    label: str  # what a row says about where it comes from

    def walk(self) -> Iterator[Source]:
        """All of them in the order of their places, folder by folder; the table and the texts left out."""
        ...

    def local(self, source: Source) -> AbstractContextManager[Fetched]:
        """A file on this machine with its bytes, while entered."""
        ...

    def address(self, source: Source) -> str:
        """Where everybody can find it; empty for a file of this machine."""
        ...

    def text(self, source: Source) -> str | None:
        """What stands in the text beside it."""
        ...

    def table(self) -> AbstractContextManager[Path | None]:
        """The table of facts as a file on this machine, while entered."""
        ...


@lru_cache(maxsize=4)
def open_sources(url: str, fetched: str, prefix: str = "", leave_out: tuple[str, ...] = ()) -> Sources:
    """The place behind what a user named: a folder, or s3://bucket/prefix.

    Args:
        url: folder or address.
        fetched: folder for what a bucket's objects are fetched to.
        prefix: only what begins so, below the root.
        leave_out: folders that are not looked into: the dataset's own, the store.
    """
    if url.startswith("s3://"):
        from chasqui.run.sources_bucket import BucketSources

        bucket: Sources = BucketSources(url, prefix, Path(fetched))
        return bucket
    return FolderSources(url, prefix, leave_out)


class FolderSources:
    """Files below a folder. Hidden ones are skipped, links to folders are not followed; links to files count."""

    def __init__(self, url: str, prefix: str = "", leave_out: Iterable[str] = ()) -> None:
        self.url = url
        self._root = Path(url)
        self._prefix = prefix
        self._leave_out = {os.path.realpath(folder) for folder in leave_out}
        self.label = self._root.resolve().name

    def walk(self) -> Iterator[Source]:
        """See Sources.

        Raises:
            Unreadable: the root is no folder, or nobody lets us in.
        """
        try:
            next(self._root.iterdir(), None)
        except OSError as error:
            raise Unreadable(name=self.url, why=(error.strerror or str(error)).lower()) from error
        yield from self._below(self._root)

    def _below(self, here: Path) -> Iterator[Source]:
        try:
            with os.scandir(here) as found:
                entries = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in found)
        except OSError as error:
            yield self._failed(here, error)
            return
        files = [name for name, is_folder in entries if not is_folder and not name.startswith(".")]
        for name, text in pair(files, root=here == self._root):
            path = here / name
            if not path.is_dir() and self._place(path).startswith(self._prefix):
                yield self._source(path, here / text if text else None)
        for name, is_folder in entries:
            path = here / name
            inside = self._place(path) + "/"
            wanted = inside.startswith(self._prefix) or self._prefix.startswith(inside)
            if is_folder and wanted and not name.startswith(".") and os.path.realpath(path) not in self._leave_out:
                yield from self._below(path)

    def _place(self, path: Path) -> str:
        return valid(path.relative_to(self._root).as_posix())

    def _source(self, path: Path, text: Path | None) -> Source:
        try:
            size, mark = _mark(path)
            beside = f"+{_mark(text)[1]}" if text else ""
        except OSError as error:
            return self._failed(path, error)
        return Source(self._place(path), str(path), size, mark + beside, text=str(text) if text else None)

    def _failed(self, path: Path, error: OSError) -> Source:
        why = (error.strerror or str(error)).lower()
        return Source(self._place(path), str(path), 0, why, error=why)

    @contextmanager
    def local(self, source: Source) -> Iterator[Fetched]:
        yield Fetched(Path(source.where))

    def address(self, source: Source) -> str:
        return ""

    def text(self, source: Source) -> str | None:
        return read_text(Path(source.text)) if source.text else None

    @contextmanager
    def table(self) -> Iterator[Path | None]:
        yield next((path for name in TABLES if (path := self._root / name).is_file()), None)


class Pair(NamedTuple):
    """A recording's name and that of the text beside it."""

    name: str
    text: str | None


def pair(names: Sequence[str] | Iterator[str], *, root: bool) -> Iterator[Pair]:
    """Recordings of one folder with their texts. `names` in the order of their characters; little is looked at ahead.

    Names that begin alike up to their first dot stand together in that order, so a text is never far from its sound.
    A text without a recording of its stem stands for itself, and will be refused as what it is.
    """
    for _, alike in groupby(names, key=lambda name: name.partition(".")[0] + "." * ("." in name)):
        together = list(alike)
        texts = {PurePosixPath(name).stem: name for name in together if name.lower().endswith(".txt")}
        sounds = [name for name in together if name not in texts.values()]
        stems = {PurePosixPath(name).stem for name in sounds}
        for name in together:
            stem = PurePosixPath(name).stem
            if (root and name in TABLES) or (name in texts.values() and stem in stems):
                continue
            yield Pair(name, texts.get(stem) if name in sounds else None)


def valid(text: str) -> str:
    """The text itself if any file can hold it; names that are not valid text with their bytes as \\xNN."""
    return os.fsencode(text).decode("utf-8", "backslashreplace")


def read_text(path: Path) -> str | None:
    """What stands in a text, without the spaces around it; None where there is nothing, or no text.

    Raises:
        Unreadable: somebody took it away, or it is no text that belongs to a recording.
    """
    name = valid(path.name)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_TEXT_BYTES + 1)
    except OSError as error:
        raise Unreadable(name=name, why=(error.strerror or str(error)).lower()) from error
    return as_said(name, data)


def as_said(name: str, data: bytes) -> str | None:
    """The bytes of a text as what is said; None where there is nothing.

    Raises:
        Unreadable: it is too long, or no text.
    """
    if len(data) > MOST_TEXT_BYTES:
        raise Unreadable(name=name, why=f"a text beside a recording may have {MOST_TEXT_BYTES >> 20} MB")
    from chasqui.ingest.content import as_text

    text = as_text(data)
    if text is None:
        raise Unreadable(name=name, why="it stands beside a recording as its text, but is no text")
    return text.removeprefix("\ufeff").strip() or None


def _mark(path: Path) -> tuple[int, str]:
    facts: Any = path.stat()
    return facts.st_size, f"{facts.st_size}:{facts.st_mtime_ns}:{facts.st_dev}:{facts.st_ino}"
