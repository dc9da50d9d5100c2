"""The objects of a bucket as what a dataset is made of: listed page by page, fetched where they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path, PurePosixPath

from chasqui.ingest.bucket import Bucket
from chasqui.ingest.objects import Found
from chasqui.run.sources import META, MOST_TEXT_BYTES, TABLES, Fetched, Source, as_said, pair


class BucketSources:
    """See `sources.Sources`. Opened again in each process; connections are not shared."""

    def __init__(self, url: str, prefix: str, fetched: Path) -> None:
        self._bucket = Bucket(url)
        self.url = self.label = self._bucket.url
        self._prefix = prefix
        self._fetched = fetched

    def walk(self) -> Iterator[Source]:
        """See Sources.

        Raises:
            WrongKeys, KeysExpired, NoBucket, ServiceDown
        """
        for _, alike in groupby(self._bucket.objects(self._prefix), key=_beginning):
            together = {PurePosixPath(self._name(found)).name: found for found in alike}
            root = "/" not in self._name(next(iter(together.values())))
            for name, text in pair(list(together), root=root):
                yield self._source(together[name], together[text] if text else None)

    def _name(self, found: Found) -> str:
        root = self._bucket.place.prefix
        below = found.key[len(root) + 1 :] if root else found.key
        return below or found.key.rpartition("/")[2]

    def _source(self, found: Found, text: Found | None) -> Source:
        return Source(
            name=self._name(found),
            where=found.key,
            bytes=found.bytes,
            mark=_mark(found) + (f"+{_mark(text)}" if text else ""),
            text=text.key if text else None,
            etag=found.etag or None,
        )

    @contextmanager
    def local(self, source: Source) -> Iterator[Fetched]:
        """The object fetched and proved, with what people wrote on it. The copy goes again: the store has its own."""
        copy = self._bucket.copy(self._found(source.where, source.bytes, source.etag or ""), self._fetched)
        try:
            written = {META + name: value for name, value in copy.found.metadata.items()}
            yield Fetched(copy.path, written, copy.proof)
        finally:
            copy.path.unlink(missing_ok=True)

    def address(self, source: Source) -> str:
        return self._found(source.where).url

    def text(self, source: Source) -> str | None:
        if source.text is None:
            return None
        found = self._found(source.text)
        return as_said(found.name, self._bucket.read(found, MOST_TEXT_BYTES))

    @contextmanager
    def table(self) -> Iterator[Path | None]:
        listed = ((name, found) for name in TABLES for found in self._bucket.objects(name))
        found = next((found for name, found in listed if self._name(found) == name), None)
        if found is None:
            yield None
            return
        self._fetched.mkdir(parents=True, exist_ok=True)
        path = self._fetched / self._name(found)
        path.write_bytes(self._bucket.read(found))
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _found(self, key: str, size: int = 0, etag: str = "") -> Found:
        return Found(self._bucket.place.bucket, key, size, etag, "")


def _mark(found: Found) -> str:
    """The same mark is the same content, also under another key; what a server says nothing of is its own."""
    return f"{found.bytes}:{found.etag}" if found.etag else f"{found.bytes}:{found.modified}:{found.key}"


def _beginning(found: Found) -> tuple[str, str]:
    """Folder, and name up to the first dot: a list is in the order of the keys, so those alike stand together."""
    folder, _, name = found.key.rpartition("/")
    return folder, name.partition(".")[0] + "." * ("." in name)
