"""Recordings in a bucket: listed page by page, fetched in ranges, proved, and taken in like any file.

    bucket = Bucket("s3://clases/2026")
    for found in bucket.objects():
        copy = bucket.copy(found, folder)
        request = accept_object(copy, store)

Works with every server that speaks S3: Amazon, R2, MinIO, Ceph, Swift. See docs/ingest.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from filelock import FileLock, Timeout

from chasqui.errors import BadCopy, EmptyFile, ObjectChanged, StoreBusy, Unreadable
from chasqui.ingest import proof
from chasqui.ingest.objects import Copy, Found, about, hidden, iso
from chasqui.ingest.places import local_path
from chasqui.ingest.ranges import Wanted, download
from chasqui.ingest.tags import one_line
from chasqui.records import Request
from chasqui.store import Store
from chasqui.store.guard import disk
from chasqui.store.s3 import Connection, asking, place_of

#: Ranges of one object that are fetched at once. More helps on long lines only.
THREADS = 4
#: Versions of an object that are begun before we say that somebody is still writing it.
MOST_VERSIONS = 3
#: How long to wait for another process that fetches the same object: an hour of class on a slow line.
WAIT_S = 1800.0
#: Of a table or a text that lies beside recordings.
MOST_SIDECAR_BYTES = 64 << 20


class Bucket:
    """`s3://bucket/prefix`. The prefix is a folder: `s3://b/clases` does not hold what lies in `clases-2025/`.

    Raises:
        BadConfig: not of that form, or boto3 is not installed.
    """

    def __init__(self, url: str, threads: int = THREADS, connection: Connection | None = None) -> None:
        self.place = place_of(url)
        self.url = self.place.url
        self.threads = threads
        self.fetched_bytes = 0  # that came over the line
        self._connection = connection or Connection()
        self._lock = Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=Lock())

    def objects(self, prefix: str = "") -> Iterator[Found]:
        """Every object, in the order of the bucket, a page of 1,000 at a time. Names that begin with `.` are left out.

        Args:
            prefix: what keys begin with below the address: `2026/clase-0`. Markers of folders are no objects.

        Raises:
            WrongKeys, KeysExpired, NoBucket, ServiceDown
        """
        root = self.place.prefix
        if root and not prefix:
            yield from self._object_at(root)
        yield from self._listed(self.place.below(prefix) if prefix or not root else f"{root}/")

    def describe(self, found: Found) -> Found:
        """The object as it is now, with its metadata.

        Raises:
            Unreadable: gone, or not for us. WrongKeys, KeysExpired, NoBucket, ServiceDown
        """
        return about(self._connection.client, found)[0]

    def fetch(self, found: Found, folder: Path) -> Path:
        """The object as a file below `folder`; see `copy`."""
        return self.copy(found, folder).path

    def copy(self, found: Found, folder: Path) -> Copy:
        """The object as a file below `folder`, whole, and proved as far as it says anything of itself.

        What a killed or broken run has fetched is not fetched again. An object that changes meanwhile is begun anew.
        A file that is there already is taken when it proves to be the object's.

        Raises:
            EmptyFile: 0 bytes; nothing is fetched. Unreadable: gone, or not for us.
            ObjectChanged: still another one at the third attempt. BadCopy: what came is not what the bucket says.
            WrongKeys, KeysExpired, NoBucket, ServiceDown, StoreBusy, DiskFull, NotWritable
        """
        work = folder / ".fetching"
        with disk(folder):
            work.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(found.url.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        lock = FileLock(work / f"{name}.lock")
        try:
            with disk(folder):
                lock.acquire(timeout=WAIT_S)
        except Timeout as error:
            raise StoreBusy(what=found.name, limit_s=WAIT_S) from error
        try:
            return self._current(found, folder, work / name)
        finally:
            lock.release()

    def read(self, found: Found, most: int = MOST_SIDECAR_BYTES) -> bytes:
        """The bytes of a small object, such as a table or a text beside recordings.

        Raises:
            Unreadable: gone, not for us, or larger than `most` bytes. WrongKeys, KeysExpired, NoBucket, ServiceDown
        """
        if found.bytes > most:
            raise Unreadable(name=found.name, why=f"it is larger than {most >> 20} MB")
        with asking(self.url, found.name):
            answer = self._connection.client.get_object(Bucket=found.bucket, Key=found.key)
            body: bytes = answer["Body"].read(most + 1)
        self._counted(len(body))
        return body

    def _current(self, found: Found, folder: Path, place: Path) -> Copy:
        """A copy of the version that is there now; anew while somebody changes it."""
        for attempt in range(1, MOST_VERSIONS + 1):
            now, said = about(self._connection.client, found)
            if not now.bytes:
                raise EmptyFile(name=now.name)
            try:
                return self._brought(now, said, folder / local_path(now.key), place)
            except ObjectChanged:
                if attempt == MOST_VERSIONS:
                    raise
        raise AssertionError("attempts are at least one")  # pragma: no cover

    def _brought(self, now: Found, said: proof.Said, target: Path, place: Path) -> Copy:
        part, journal = place.with_suffix(".part"), place.with_suffix(".journal")
        if target.is_file() and (copy := _proved(target, now, said)):
            return copy
        wanted = Wanted(now.bucket, now.key, now.bytes, now.etag)
        with disk(target.parent):
            download(self._connection.client, wanted, part, journal, self.threads, self._counted)
            try:
                sha256, by = proof.prove(part, said)
            except BaseException:
                part.unlink(missing_ok=True)  # whatever is wrong with it must not be gone on from
                raise
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)
            journal.unlink(missing_ok=True)
        return Copy(now, target, sha256, by)

    def _object_at(self, key: str) -> Iterator[Found]:
        """The object that has the address itself as its key: somebody named a single recording."""
        with asking(self.url):
            page = self._connection.client.list_objects_v2(Bucket=self.place.bucket, Prefix=key, MaxKeys=1)
        for entry in page.get("Contents", []):
            if entry["Key"] == key:
                yield self._found(entry, "")

    def _listed(self, prefix: str) -> Iterator[Found]:
        pages = self._connection.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.place.bucket, Prefix=prefix
        )
        root = self.place.prefix
        top = root.rpartition("/")[2] or self.place.bucket
        turning = iter(pages)
        while True:
            with asking(self.url):
                page = next(turning, None)
            if page is None:
                return
            for entry in page.get("Contents", []):
                *folders, name = str(entry["Key"])[len(root) + 1 if root else 0 :].split("/")
                if (not name and not entry["Size"]) or any(hidden(step) for step in (*folders, name)):
                    continue
                yield self._found(entry, "/".join([top, *folders]))

    def _found(self, entry: Mapping[str, Any], folder: str) -> Found:
        etag = str(entry.get("ETag", "")).strip('"')
        return Found(
            self.place.bucket,
            str(entry["Key"]),
            int(entry["Size"]),
            etag,
            iso(entry["LastModified"]),
            one_line(folder),
        )

    def _counted(self, size: int) -> None:
        with self._lock:
            self.fetched_bytes += size


def fetched_again(request: Request, folder: Path) -> Path:
    """The bytes of a request that came from a bucket, where its copy is not on this machine.

    Raises:
        see `Bucket.copy`
    """
    place = place_of(request.url)
    found = Found(place.bucket, request.url.split("/", 3)[3], request.bytes, "", "")
    return Bucket(f"s3://{place.bucket}").fetch(found, folder)


def accept_object(copy: Copy, store: Store, title: str = "") -> Request:
    """The Request of an object that was fetched, known by its content, as `accept` gives it for a file.

    The same bytes under two names are one recording: the name it came under first stays, so that nothing is made anew.
    """
    found = copy.found
    known = store.get(copy.sha256[:16], "request", Request)
    request = Request(
        recording_id=copy.sha256[:16],
        path=str(copy.path.absolute()),
        name=known.name if known else found.name,
        folder=known.folder if known else found.folder,
        sha256=copy.sha256,
        bytes=found.bytes,
        title=known.title if known else one_line(title),
        url=known.url if known and known.url else found.url,
    )
    if request != known:
        store.put(request.recording_id, "request", request, key=request.sha256[:32])
    return request


def _proved(target: Path, now: Found, said: proof.Said) -> Copy | None:
    """The file that is there already, if more than its size says that it is the object."""
    try:
        sha256, by = proof.prove(target, said)
    except BadCopy:
        return None
    return Copy(now, target, sha256, by) if by != "size" else None
