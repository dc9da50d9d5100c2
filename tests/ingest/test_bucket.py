"""Recordings in a bucket: listed, fetched, proved, and taken in like files."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from buckets import Line, Server, Shelf

from chasqui.config import Config
from chasqui.errors import (
    BadConfig,
    BadCopy,
    EmptyFile,
    NoBucket,
    ObjectChanged,
    ServiceDown,
    StoreBusy,
    Unreadable,
    WrongKeys,
)
from chasqui.ingest import accept, bucket
from chasqui.ingest.bucket import Bucket, Found, accept_object
from chasqui.records import Recording, Request
from chasqui.run import run_stage
from chasqui.store import Store
from chasqui.store.s3 import Connection

ODD = (
    "..",
    "../x.mp3",
    "/absolute.mp3",
    "a",
    "a/b.mp3",
    "a//b.mp3",
    "./dot.mp3",
    "back\\slash.mp3",
    "per%cent%2F.mp3",
    "a b+c&d?e#f=g.mp3",
    "Año 🎧.mp3",
    "A.mp3",
    "a.mp3",
    "con.mp3",
    "tab\t.mp3",
    "control\x01\x1f.mp3",
)


def of(shelf: Shelf, below: str = "", **how: Any) -> Bucket:
    return Bucket(shelf.url + below, connection=shelf.connection, **how)


def only(some: Bucket) -> Found:
    (found,) = some.objects()
    return found


def test_keys_with_every_odd_character_come_whole(any_shelf: Shelf, tmp_path: Path) -> None:
    longest = "x" * 1015 + ".mp3"
    for key in (*ODD, longest):
        any_shelf.put(f"p/q/{key}", key.encode())
    some = of(any_shelf, "/p/q")
    found = list(some.objects())
    assert {one.key for one in found} == {f"p/q/{key}" for key in (*ODD, longest)}
    copies = [some.copy(one, tmp_path / "here") for one in found]
    assert [copy.path.read_bytes().decode() for copy in copies] == [one.key[4:] for one in found]
    assert len({copy.path for copy in copies}) == len(copies)
    assert all((tmp_path / "here") in copy.path.resolve().parents for copy in copies)
    assert {copy.proof for copy in copies} == {"md5"}
    assert all(one.name.isprintable() and one.name for one in found)


def test_an_object_in_parts_is_proved_by_its_parts(any_shelf: Shelf, tmp_path: Path) -> None:
    body = os.urandom(17 << 20)
    (tmp_path / "clase.wav").write_bytes(body)
    any_shelf.put_parts("clase.wav", tmp_path / "clase.wav")
    some = of(any_shelf)
    copy = some.copy(only(some), tmp_path / "here")
    assert copy.found.etag.endswith("-3")
    assert copy.proof == "parts"
    assert copy.sha256 == hashlib.sha256(body).hexdigest()
    assert copy.path.read_bytes() == body
    assert some.fetched_bytes == len(body)
    assert some.copy(copy.found, tmp_path / "here") == copy
    assert some.fetched_bytes == len(body)  # it lies there, and is still the object's


def test_structure_metadata_and_time_are_kept(any_shelf: Shelf, tmp_path: Path) -> None:
    any_shelf.put("clases/2026/uno.mp3", b"1", Metadata={"speaker": "Ana", "title": "=?UTF-8?Q?F=C3=ADsica?="})
    some = of(any_shelf, "/clases")
    found = only(some)
    assert (found.name, found.folder, found.bytes) == ("uno.mp3", "clases/2026", 1)
    assert found.url == f"{any_shelf.url}/clases/2026/uno.mp3"
    assert found.modified.startswith("20") and found.modified.endswith("+00:00")
    assert found.metadata == {}
    assert some.describe(found).metadata == {"speaker": "Ana", "title": "Física"}
    assert some.copy(found, tmp_path).found.metadata["speaker"] == "Ana"
    assert only(of(any_shelf)).folder == f"{any_shelf.bucket}/clases/2026"


def test_an_address_is_a_folder_and_a_prefix_is_a_beginning(shelf: Shelf) -> None:
    for key in ("clases/a.mp3", "clases/b/c.mp3", "clases-2025/x.mp3", "clases/.hidden", "clases/.git/config"):
        shelf.put(key, b"x")
    shelf.put("clases/folder/", b"")  # what a console calls a folder

    def names(url: str, prefix: str = "") -> list[str]:
        return [one.key for one in of(shelf, url).objects(prefix)]

    assert names("/clases") == names("/clases/") == ["clases/a.mp3", "clases/b/c.mp3"]
    assert names("/clases", "b/") == ["clases/b/c.mp3"]
    assert names("", "clases-") == ["clases-2025/x.mp3"]
    assert names("/clases/a.mp3") == ["clases/a.mp3"]
    assert names("/nothing") == []


@pytest.mark.parametrize("url", ["s3://", "s3:///x", "http://bucket/x", "bucket/x", "s3://a b/x", ""])
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(BadConfig, match="s3://bucket/prefix"):
        Bucket(url)


class Pages(BaseHTTPRequestHandler):
    """A server with 6,000 objects that do not exist: filling a real one with them takes minutes."""

    asked = 0
    total = 6_000

    def do_GET(self) -> None:
        question = parse_qs(urlsplit(self.path).query)
        start = int(question.get("continuation-token", ["0"])[0])
        type(self).asked += 1
        entries = "".join(
            f"<Contents><Key>clase-{n:06d}.mp3</Key><LastModified>2026-01-01T00:00:00Z</LastModified>"
            f"<ETag>&quot;{n:032x}&quot;</ETag><Size>{n}</Size></Contents>"
            for n in range(start, start + 1000)
        )
        more = start + 1000 < self.total
        after = f"<NextContinuationToken>{start + 1000}</NextContinuationToken>" if more else ""
        body = (
            '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>b</Name><KeyCount>1000</KeyCount><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{after}{entries}</ListBucketResult>"
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def pages(no_keys: None) -> Iterator[Connection]:
    Pages.asked = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    Thread(target=server.serve_forever, daemon=True).start()
    yield Connection(env=Server(f"http://127.0.0.1:{server.server_port}", "a", "b").env, attempts=1)
    server.shutdown()
    server.server_close()


def test_a_long_list_is_read_page_by_page(pages: Connection) -> None:
    objects = Bucket("s3://b", connection=pages).objects()
    first = list(islice(objects, 1500))
    assert [first[0].key, first[-1].key] == ["clase-000000.mp3", "clase-001499.mp3"]
    assert Pages.asked == 2
    assert sum(1 for _ in objects) == Pages.total - 1500
    assert Pages.asked == 6


def test_an_empty_object_is_said_and_not_fetched(any_shelf: Shelf, tmp_path: Path) -> None:
    any_shelf.put("nada.mp3", b"")
    some = of(any_shelf)
    with pytest.raises(EmptyFile, match=r"nada\.mp3"):
        some.copy(only(some), tmp_path)
    assert some.fetched_bytes == 0


def test_an_object_that_vanished_since_it_was_listed_is_said(any_shelf: Shelf, tmp_path: Path) -> None:
    any_shelf.put("clase.mp3", b"x")
    some = of(any_shelf)
    found = only(some)
    any_shelf.client.delete_object(Bucket=any_shelf.bucket, Key="clase.mp3")
    with pytest.raises(Unreadable, match=r"clase\.mp3 cannot be read: it is not in the bucket any more"):
        some.copy(found, tmp_path)


def test_an_object_that_changed_since_it_was_listed_comes_as_it_is_now(any_shelf: Shelf, tmp_path: Path) -> None:
    any_shelf.put("clase.mp3", b"old")
    some = of(any_shelf)
    found = only(some)
    any_shelf.put("clase.mp3", b"newer")
    copy = some.copy(found, tmp_path)
    assert copy.path.read_bytes() == b"newer"
    assert (copy.found.bytes, copy.found.etag) == (5, hashlib.md5(b"newer").hexdigest())
    any_shelf.put("clase.mp3", b"newest")
    assert some.fetch(found, tmp_path).read_bytes() == b"newest"  # over the file that lies there


def test_an_object_that_changes_meanwhile_is_begun_anew(
    any_shelf: Shelf, line_to: Callable[[Server], Line], tmp_path: Path
) -> None:
    old, new = os.urandom(9 << 20), os.urandom(9 << 20)
    any_shelf.put("clase.wav", old)
    line = line_to(any_shelf.server)
    line.hold_after = 3 << 20
    some = Bucket(any_shelf.url, threads=1, connection=Connection(env=line.server.env, attempts=1))
    found, copies = only(some), []
    thread = Thread(target=lambda: copies.append(some.copy(found, tmp_path)))
    thread.start()
    assert line.held.wait(60)
    any_shelf.put("clase.wav", new)
    line.go_on.set()
    thread.join()
    assert copies[0].path.read_bytes() == new
    assert copies[0].sha256 == hashlib.sha256(new).hexdigest()


class Meddling:
    """A connection beside which somebody writes to the object before every answer."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf, self.client, self.written = shelf, self, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.shelf.client, name)

    def get_object(self, **asked: Any) -> Any:
        self.written += 1
        self.shelf.put("clase.mp3", f"version {self.written}".encode())
        return self.shelf.client.get_object(**asked)


def test_an_object_that_always_changes_is_given_up(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put("clase.mp3", b"version 0")
    meddling = Meddling(shelf)
    some = Bucket(shelf.url, connection=meddling)  # type: ignore[arg-type]
    with pytest.raises(ObjectChanged, match=r"clase\.mp3"):
        some.copy(only(some), tmp_path)
    assert meddling.written == bucket.MOST_VERSIONS
    assert [path for path in tmp_path.rglob("*") if path.suffix in (".mp3", ".part")] == []


def test_bytes_that_are_not_what_the_object_says_are_not_kept(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put("clase.mp3", b"sound", Metadata={"sha256": "0" * 64})
    some = of(shelf)
    with pytest.raises(BadCopy, match="SHA-256"):
        some.copy(only(some), tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.suffix in (".mp3", ".part")] == []


def test_a_sha256_that_the_server_computed_is_the_proof(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put("clase.mp3", b"sound", ChecksumAlgorithm="SHA256")
    some = of(shelf)
    assert some.copy(only(some), tmp_path).proof == "sha256"


def test_two_do_not_fetch_the_same_object(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "WAIT_S", 0.05)
    shelf.put("clase.mp3", b"sound")

    class Slow(Meddling):
        """While this one asks, another process comes for the same object."""

        def get_object(self, **asked: Any) -> Any:
            with pytest.raises(StoreBusy, match=r"clase\.mp3"):
                of(shelf).copy(found, tmp_path)
            return self.shelf.client.get_object(**asked)

    some = Bucket(shelf.url, connection=Slow(shelf))  # type: ignore[arg-type]
    found = only(some)
    assert some.fetch(found, tmp_path).read_bytes() == b"sound"


def test_small_objects_are_read_whole_and_large_ones_not(shelf: Shelf) -> None:
    shelf.put("metadata.csv", b"file_name,speaker\n")
    some = of(shelf)
    assert some.read(only(some)) == b"file_name,speaker\n"
    assert some.fetched_bytes == 18
    with pytest.raises(Unreadable, match="larger"):
        some.read(only(some), most=17)


def test_no_bucket_of_that_name(any_shelf: Shelf, tmp_path: Path) -> None:
    some = Bucket("s3://no-such-bucket-here", connection=any_shelf.connection)
    with pytest.raises(NoBucket, match="no-such-bucket-here on http"):
        list(some.objects())
    with pytest.raises(NoBucket):
        some.copy(Found("no-such-bucket-here", "a.mp3", 1, "e", ""), tmp_path)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [({"secret": "wrong"}, "does not belong"), ({"key": "test:nobody"}, "key")],
    ids=["secret", "key"],
)
def test_wrong_keys_are_refused(
    swift_server: Server, shelf_on: Callable[[Server], Shelf], tmp_path: Path, wrong: dict[str, str], why: str
) -> None:
    shelf = shelf_on(swift_server)
    shelf.put("clase.mp3", b"x")
    found = only(of(shelf))
    stranger = Bucket(shelf.url, connection=Connection(env=swift_server._replace(**wrong).env, attempts=1))
    with pytest.raises(WrongKeys, match=why):
        list(stranger.objects())
    with pytest.raises(WrongKeys, match=why):
        stranger.copy(found, tmp_path)


def test_no_keys_at_all(no_keys: None, moto_server: Server) -> None:
    nobody = Connection(env={"AWS_ENDPOINT_URL": moto_server.url}, attempts=1)
    with pytest.raises(WrongKeys, match="there are no keys"):
        list(Bucket("s3://b", connection=nobody).objects())


def test_nobody_there(no_keys: None, moto_server: Server, line_to: Callable[[Server], Line]) -> None:
    line = line_to(moto_server)
    line.down = True
    away = Connection(env=line.server.env, attempts=1)
    with pytest.raises(ServiceDown, match=r"s3://b \(.*\) cannot be used now"):
        list(Bucket("s3://b", connection=away).objects())


def test_a_bucket_travels_to_another_process(shelf: Shelf) -> None:
    shelf.put("clase.mp3", b"x")
    there = pickle.loads(pickle.dumps(Bucket(shelf.url)))
    assert only(there).key == "clase.mp3"
    assert pickle.loads(pickle.dumps(only(there))) == only(there)


# taken in like a file


def test_an_object_becomes_a_recording(any_shelf: Shelf, store: Store, tmp_path: Path, media: Path) -> None:
    source = media / "asr" / "cuttledoc" / "fleurs-es-002.ogg"
    any_shelf.put("clases/Lunes.ogg", source.read_bytes())
    some = of(any_shelf, "/clases")
    request = accept_object(some.copy(only(some), tmp_path), store)
    assert request == store.get(request.recording_id, "request", Request)
    assert (request.name, request.folder, request.url) == ("Lunes.ogg", "clases", f"{any_shelf.url}/clases/Lunes.ogg")
    record = run_stage("ingest", request.recording_id, store, Config())
    assert isinstance(record, Recording)
    assert record.source.sha256 == request.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    key = store.key(request.recording_id, "ingest")
    renamed = tmp_path / "Lunes.ogg"
    renamed.write_bytes(source.read_bytes())
    accept(renamed, store)  # the same file from a folder: nothing is done again
    assert run_stage("ingest", request.recording_id, store, Config()) == record
    assert store.key(request.recording_id, "ingest") == key


def test_a_copy_that_is_gone_is_fetched_again(shelf: Shelf, store: Store, tmp_path: Path, media: Path) -> None:
    body = (media / "asr" / "cuttledoc" / "fleurs-es-002.ogg").read_bytes()
    shelf.put("a b/Año?.ogg", body)
    some = of(shelf)
    request = accept_object(some.copy(only(some), tmp_path / "here"), store)
    Path(request.path).unlink()
    record = run_stage("ingest", request.recording_id, store, Config())
    assert isinstance(record, Recording) and record.source.bytes == len(body)


def test_a_copy_that_is_gone_and_an_object_that_changed_are_refused(
    shelf: Shelf, store: Store, tmp_path: Path, media: Path
) -> None:
    shelf.put("clase.ogg", (media / "asr" / "cuttledoc" / "fleurs-es-002.ogg").read_bytes())
    some = of(shelf)
    request = accept_object(some.copy(only(some), tmp_path / "here"), store)
    Path(request.path).unlink()
    shelf.put("clase.ogg", b"something else")
    with pytest.raises(Unreadable, match="changed"):
        run_stage("ingest", request.recording_id, store, Config())


def test_one_content_under_two_names_is_one_recording_with_its_first_name(
    shelf: Shelf, store: Store, tmp_path: Path
) -> None:
    shelf.put("a.mp3", b"the same")
    shelf.put("b/c.mp3", b"the same")
    some = of(shelf)
    requests = [accept_object(some.copy(found, tmp_path), store) for found in some.objects()]
    assert {request.recording_id for request in requests} == {requests[0].recording_id}
    assert {request.name for request in requests} == {"a.mp3"}
    assert store.recordings() == [requests[0].recording_id]
