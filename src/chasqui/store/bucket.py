"""A store in a bucket, for work that several machines share. Everything is made in a folder of this machine, and
appears in the bucket with its record.

    <prefix>/<recording>/<name>.json              a record and its key, as in a folder; `name` is done when this exists
    <prefix>/<recording>/<name>/<sha256…>/<file>  the blobs of that record, there before it
    <prefix>/.born/<nanoseconds>-<recording>      when a recording came in

The bucket is the truth: a record is read from it each time, so the work of others is found, and no old copy believed.
Blobs have their hash in their names and are kept here once they came. Not every server knows conditional writes, so
nothing depends on them: where two machines make the same record, both are right, and the later one stays.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import Any, TypeVar

from pydantic import ValidationError

from chasqui.errors import BadCopy, Unreadable
from chasqui.records import Blob, Record
from chasqui.store.folder import LAYOUT, WAIT_S, FolderStore, FolderWorkspace, blobs_of, plain
from chasqui.store.guard import disk
from chasqui.store.s3 import Connection, asking, place_of

R = TypeVar("R", bound=Record)

#: Up to here one question is enough; more is sent in parts, several at once.
SMALL_BYTES = 8 << 20
BORN = ".born"

log = logging.getLogger("chasqui.store")


class BucketStore:
    """Records and blobs below `s3://bucket/prefix`, worked on in a folder of this machine.

    Args:
        url: `s3://bucket/prefix`. Keys and address of the server come from the environment, see `store/s3.py`.
        cache: the folder; by default one for each bucket and prefix in the user's cache. It may be deleted when nothing
            runs: what is done is in the bucket.
        wait_s: how long to wait for another process of this machine on the same work. Nobody waits for other machines.

    Raises:
        BadConfig: not such an address, or boto3 is not installed.
    """

    def __init__(
        self, url: str, cache: Path | None = None, wait_s: float = WAIT_S, connection: Connection | None = None
    ) -> None:
        self._place = place_of(url)
        self.url = self._place.url
        self.wait_s = wait_s
        self.folder = FolderStore(cache or _cache_of(self.url), wait_s)
        self._connection = connection or Connection()
        self._there: set[str] = set()  # blobs that were seen in the bucket
        self._born: set[str] = set()  # recordings that are known to have come in

    def get(self, recording_id: str, name: str, kind: type[R], key: str | None = None) -> R | None:
        """The record, or None if it is absent, was made under another key, or is not readable any more.

        Raises:
            WrongKeys, KeysExpired, NoBucket, ServiceDown: the bucket cannot be asked. Nothing old is given instead.
        """
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
        """Bring the record's blobs into the bucket, then the record, then remove the blobs of the one it replaces.

        Raises:
            WrongKeys, KeysExpired, NoBucket, ServiceDown: the record is not there; its blobs are, here.
        """
        facts = {"layout": LAYOUT, "key": key, "record": record.model_dump(mode="json")}
        blobs = [Blob.model_validate(blob) for blob in blobs_of(facts["record"])]
        for blob in blobs:
            self._upload(blob)
        home = plain(recording_id)
        if home not in self._born and not any(page.get("Contents") for page in self._pages(f"{home}/", Delimiter="/")):
            self._write(f"{BORN}/{time.time_ns():020d}-{home}", b"")
        self._born.add(home)
        self._write(f"{home}/{plain(name)}.json", json.dumps(facts, ensure_ascii=False, indent=1).encode())
        self.folder.put(recording_id, name, record, key)
        self._sweep(f"{home}/{name}/", {blob.path for blob in blobs})

    @contextmanager
    def workspace(self, recording_id: str, name: str) -> Iterator[BucketWorkspace]:
        """A private folder of this machine; one holder at a time, over all its processes.

        Raises:
            StoreBusy, NotWritable, DiskFull: see `FolderStore.workspace`.
        """
        with self.folder.workspace(recording_id, name) as work:
            yield BucketWorkspace(self, work)

    def tidy(self, recording_id: str, name: str) -> None:
        """See `FolderStore.tidy`."""
        self.folder.tidy(recording_id, name)

    def path(self, blob: Blob) -> Path:
        """Where a blob's bytes are on this machine, fetched if they are not here yet. Never write to it.

        Raises:
            BadCopy: they are gone from the bucket, too, or damaged there.
            WrongKeys, KeysExpired, NoBucket, ServiceDown, DiskFull
        """
        here = self.folder.path(blob)
        if not _whole(here, blob):
            self._download(blob, here)
        return here

    def recordings(self) -> list[str]:
        """Ids of all recordings with at least one record, oldest first."""
        born = [name.partition("-")[2] for name in self._names(f"{BORN}/")]
        there = {
            prefix["Prefix"] for page in self._pages("", Delimiter="/") for prefix in page.get("CommonPrefixes", [])
        }
        return [recording_id for recording_id in dict.fromkeys(born) if self._key(f"{recording_id}/") in there]

    def remove(self, recording_id: str) -> None:
        """Forget a recording and all that was made of it, there and here: first its records."""
        home = plain(recording_id)
        names = sorted(self._names(f"{home}/"), key=lambda name: not (name.count("/") == 1 and name.endswith(".json")))
        for name in [*names, *(born for born in self._names(f"{BORN}/") if born.partition("-")[2] == home)]:
            self._delete(name)
        self._born.discard(home)
        self.folder.remove(recording_id)

    def below(self, name: str) -> BucketStore:
        """A store of its own, below a prefix of this one and in a folder of its folder; the connection is shared."""
        return BucketStore(f"{self.url}/{plain(name)}", self.folder.root / name, self.wait_s, self._connection)

    def empty(self) -> None:
        """Forget everything below the prefix, and what this machine keeps of it."""
        for name in self._names(""):
            self._delete(name)
        self._born.clear()
        self.folder.empty()

    def _entry(self, recording_id: str, name: str) -> dict[str, Any] | None:
        """The record's file, if it is whole and its blobs are somewhere. A damaged one is work to do again."""
        where = f"{plain(recording_id)}/{plain(name)}.json"
        if (data := self._read(where)) is None:
            return None
        try:
            entry = json.loads(data)
            if entry["layout"] != LAYOUT or not isinstance(entry["key"], str) or not isinstance(entry["record"], dict):
                raise ValueError("not one of our records")
            blobs = [Blob.model_validate(blob) for blob in blobs_of(entry["record"])]
        except (ValueError, LookupError, TypeError) as error:
            log.warning("%s/%s is damaged and counts as absent: %s", self.url, where, error)
            return None
        for blob in blobs:
            if not _whole(self.folder.path(blob), blob) and not self._has(blob):
                if blob.path.startswith(f"{recording_id}/{name}/"):
                    log.warning("%s/%s points to bytes that are gone, and counts as absent", self.url, where)
                return None
        return dict(entry)

    def _upload(self, blob: Blob) -> None:
        here = self.folder.path(blob)
        if not _whole(here, blob) or self._has(blob):  # made by another stage, and perhaps by another machine
            return
        client, bucket, key = self._connection.client, self._place.bucket, self._key(blob.path)
        headers = {"ContentType": _header(blob.media_type), "Metadata": {"sha256": blob.sha256}}
        with asking(self.url), here.open("rb") as file:
            if blob.bytes <= SMALL_BYTES:
                client.put_object(Bucket=bucket, Key=key, Body=file, **headers)
            else:
                client.upload_fileobj(file, bucket, key, ExtraArgs=headers)
        self._there.add(blob.path)

    def _download(self, blob: Blob, here: Path) -> None:
        aside = here.with_name(f".{os.getpid()}.{get_ident()}.part")
        with disk(self.folder.root):
            here.parent.mkdir(parents=True, exist_ok=True)
            try:
                with asking(self.url, blob.name):
                    self._connection.client.download_file(self._place.bucket, self._key(blob.path), str(aside))
                with aside.open("rb") as file:
                    if hashlib.file_digest(file, "sha256").hexdigest() != blob.sha256:
                        raise BadCopy(name=blob.name, why="its SHA-256 is another")
                aside.replace(here)
            except Unreadable as error:  # swept by whoever made the record anew since we read it
                self._there.discard(blob.path)
                raise BadCopy(name=blob.name, why="its bytes are gone from the store") from error
            finally:
                aside.unlink(missing_ok=True)

    def _has(self, blob: Blob) -> bool:
        if blob.path in self._there:
            return True
        try:
            with asking(self.url, blob.name):
                head = self._connection.client.head_object(Bucket=self._place.bucket, Key=self._key(blob.path))
        except Unreadable:
            return False
        if int(head["ContentLength"]) == blob.bytes:
            self._there.add(blob.path)
        return int(head["ContentLength"]) == blob.bytes

    def _read(self, name: str) -> bytes | None:
        try:
            with asking(self.url, name):
                answer = self._connection.client.get_object(Bucket=self._place.bucket, Key=self._key(name))
                body: bytes = answer["Body"].read()
        except Unreadable as error:
            if "denied" in str(error.evidence["why"]):
                raise
            return None
        return body

    def _write(self, name: str, data: bytes) -> None:
        with asking(self.url):
            self._connection.client.put_object(Bucket=self._place.bucket, Key=self._key(name), Body=data)

    def _names(self, below: str) -> Iterator[str]:
        """Names of objects, as the store knows them, in the order of the bucket."""
        for page in self._pages(below):
            for entry in page.get("Contents", []):
                yield str(entry["Key"])[len(self._place.below("")) :]

    def _pages(self, below: str, **how: Any) -> Iterator[Mapping[str, Any]]:
        listing = self._connection.client.get_paginator("list_objects_v2")
        pages = iter(listing.paginate(Bucket=self._place.bucket, Prefix=self._key(below), **how))
        while True:
            with asking(self.url):
                page = next(pages, None)
            if page is None:
                return
            yield page

    def _sweep(self, below: str, wanted: set[str]) -> None:
        """Remove the blobs that no record points to: superseded, or left by a killed run."""
        for name in self._names(below):
            if name not in wanted:
                self._delete(name)

    def _delete(self, name: str) -> None:
        with asking(self.url):
            self._connection.client.delete_object(Bucket=self._place.bucket, Key=self._key(name))
        self._there.discard(name)

    def _key(self, name: str) -> str:
        return self._place.below(name)


class BucketWorkspace:
    """See `chasqui.store.Workspace`. Remembered scores stay on this machine: they can be computed again."""

    def __init__(self, store: BucketStore, work: FolderWorkspace) -> None:
        self.folder = work.folder
        self.path = store.path
        self.keep = work.keep
        self.remember = work.remember
        self.recall = work.recall


def _whole(path: Path, blob: Blob) -> bool:
    try:
        return path.stat().st_size == blob.bytes
    except FileNotFoundError:
        return False


def _header(text: str) -> str:
    """Fit for an HTTP header."""
    return text if text.isascii() and text.isprintable() else "application/octet-stream"


def _cache_of(url: str) -> Path:
    """A folder for each store in the user's cache: `XDG_CACHE_HOME`, or ~/.cache."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    readable = re.sub(r"[^A-Za-z0-9]+", "-", url.removeprefix("s3://"))[:40].strip("-")
    return home / "chasqui" / f"s3-{readable}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"
