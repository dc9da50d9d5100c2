"""What only a store in a bucket can suffer, and what it is for: the work of other machines."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from buckets import Line, Server, Shelf

from chasqui.config import Config
from chasqui.errors import BadCopy, NoBucket, ServiceDown, WrongKeys
from chasqui.ingest import accept
from chasqui.records import Blob, Record, Recording
from chasqui.run import run_stage
from chasqui.store.bucket import SMALL_BYTES, BucketStore
from chasqui.store.s3 import Connection

ID = "0123456789abcdef"


class Note(Record):
    text: str
    blob: Blob | None = None


@pytest.fixture
def machine(shelf: Shelf, tmp_path: Path) -> Callable[[str], BucketStore]:
    """A store as another machine sees it: nothing in common but the bucket."""
    return lambda name: BucketStore(f"{shelf.url}/a/b", tmp_path / name, wait_s=0.05, connection=shelf.connection)


@pytest.fixture
def store(machine: Callable[[str], BucketStore]) -> BucketStore:
    return machine("here")


def keep(store: BucketStore, data: bytes, text: str = "made", file: str = "voz ñ.opus") -> Blob:
    with store.workspace(ID, "encode") as work:
        (work.folder / file).write_bytes(data)
        blob = work.keep(work.folder / file, "audio/ogg; codecs=opus")
        store.put(ID, "encode", Note(text=text, blob=blob), f"key of {text}")
    return blob


def test_the_work_of_another_machine_is_found(machine: Callable[[str], BucketStore]) -> None:
    blob = keep(machine("one"), b"opus")
    two = machine("two")
    record = two.get(ID, "encode", Note, "key of made")
    assert record is not None and record.blob == blob
    assert two.recordings() == [ID]
    assert two.path(blob).read_bytes() == b"opus"
    with two.workspace(ID, "verify") as work:
        assert work.path(blob).read_bytes() == b"opus"


def test_a_newer_record_of_another_machine_is_the_record(machine: Callable[[str], BucketStore]) -> None:
    one, two = machine("one"), machine("two")
    old = keep(one, b"old", "old")
    new = keep(two, b"new", "new")
    assert one.get(ID, "encode", Note, "key of old") is None
    assert one.get(ID, "encode", Note) == Note(text="new", blob=new)
    assert one.path(new).read_bytes() == b"new"
    with pytest.raises(BadCopy, match="gone from the store"):
        machine("three").path(old)


def test_a_stage_done_elsewhere_is_not_done_again(
    machine: Callable[[str], BucketStore], media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machine("one"), machine("two")
    request = accept(media / "asr" / "cuttledoc" / "fleurs-es-002.ogg", one)
    done = run_stage("ingest", request.recording_id, one, Config())
    said: list[str] = []
    assert run_stage("ingest", request.recording_id, two, Config(), lambda event: said.append(event.kind)) == done
    assert said == ["reused"]
    assert isinstance(done, Recording)
    assert two.path(done.source).stat().st_size == request.bytes


def test_blobs_are_there_before_their_record(
    shelf: Shelf, store: BucketStore, line_to: Callable[[Server], Line]
) -> None:
    line = line_to(shelf.server)
    through = BucketStore(store.url, store.folder.root, connection=Connection(env=line.server.env, attempts=1))
    keep(through, b"opus")
    written = [asked.split()[1] for asked in line.asked if asked.startswith("PUT")]
    assert len(written) == 3
    assert written[0].endswith(".opus")
    assert "/.born/" in written[1]
    assert written[2].endswith("/encode.json")


def test_a_server_that_goes_away_costs_only_the_stage_that_ran(
    shelf: Shelf, store: BucketStore, machine: Callable[[str], BucketStore], line_to: Callable[[Server], Line]
) -> None:
    keep(store, b"old", "old")
    line = line_to(shelf.server)
    through = BucketStore(store.url, store.folder.root, connection=Connection(env=line.server.env, attempts=1))
    line.down = True
    with pytest.raises(ServiceDown):
        through.get(ID, "encode", Note)  # no old copy is believed
    with pytest.raises(ServiceDown):
        keep(through, b"new", "new")
    there = machine("other").get(ID, "encode", Note)
    assert there is not None and there.text == "old"
    line.down = False
    blob = keep(through, b"new", "new")
    assert [key for key in shelf.everything() if key.endswith(".opus")] == [f"a/b/{blob.path}"]


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'"x"', b'{"layout": 99, "key": "k", "record": {}}', b'{"layout": 1}', b"\xff\xfe"]
)
def test_a_damaged_record_counts_as_absent(shelf: Shelf, store: BucketStore, damage: bytes) -> None:
    keep(store, b"opus")
    shelf.put(f"a/b/{ID}/encode.json", damage)
    assert store.get(ID, "encode", Note) is None
    assert store.key(ID, "encode") is None
    keep(store, b"opus", "again")
    assert store.key(ID, "encode") == "key of again"


def test_a_record_whose_bytes_are_gone_counts_as_absent(shelf: Shelf, machine: Callable[[str], BucketStore]) -> None:
    blob = keep(machine("one"), b"opus")
    shelf.client.delete_object(Bucket=shelf.bucket, Key=f"a/b/{blob.path}")
    assert machine("two").get(ID, "encode", Note) is None
    assert machine("one").get(ID, "encode", Note) is not None  # they still lie here


def test_bytes_that_are_damaged_in_the_bucket_are_noticed(shelf: Shelf, machine: Callable[[str], BucketStore]) -> None:
    blob = keep(machine("one"), b"opus")
    shelf.put(f"a/b/{blob.path}", b"OPUS")
    two = machine("two")
    with pytest.raises(BadCopy, match="SHA-256"):
        two.path(blob)
    assert [path for path in two.folder.root.rglob("*") if path.is_file()] == []


def test_large_bytes_travel_in_parts(shelf: Shelf, machine: Callable[[str], BucketStore]) -> None:
    body = os.urandom(SMALL_BYTES + 1)
    blob = keep(machine("one"), body)
    head = shelf.client.head_object(Bucket=shelf.bucket, Key=f"a/b/{blob.path}")
    assert head["ETag"].endswith('-2"')
    assert head["Metadata"] == {"sha256": blob.sha256}
    assert machine("two").path(blob).read_bytes() == body


def test_a_bucket_looks_like_a_folder(shelf: Shelf, store: BucketStore) -> None:
    blob = keep(store, b"opus")
    names = [key for key in shelf.everything() if "/.born/" not in key]
    assert names == [f"a/b/{ID}/encode.json", f"a/b/{blob.path}"]
    entry = json.loads(shelf.client.get_object(Bucket=shelf.bucket, Key=f"a/b/{ID}/encode.json")["Body"].read())
    here = json.loads((store.folder.root / ID / "encode.json").read_bytes())
    assert entry == here


def test_other_things_in_the_bucket_are_left_alone(shelf: Shelf, store: BucketStore) -> None:
    for key in ("a/b/README.md", "a/b/other/thing.json", "a/bc/x", "x"):
        shelf.put(key, b"not ours")
    keep(store, b"one", "one")
    keep(store, b"two", "two")
    assert store.recordings() == [ID]
    assert {"a/b/README.md", "a/b/other/thing.json", "a/bc/x", "x"} <= set(shelf.everything())


def test_no_bucket_and_no_keys_are_said(
    swift_server: Server, shelf_on: Callable[[Server], Shelf], tmp_path: Path
) -> None:
    shelf = shelf_on(swift_server)
    with pytest.raises(NoBucket, match="no-such-bucket"):
        BucketStore("s3://no-such-bucket/x", tmp_path, connection=shelf.connection).put(ID, "clean", Note(text=""), "k")
    stranger = Connection(env=swift_server._replace(secret="wrong").env, attempts=1)
    for act in (
        lambda s: s.put(ID, "clean", Note(text=""), "k"),
        lambda s: s.get(ID, "clean", Note),
        BucketStore.recordings,
    ):
        with pytest.raises(WrongKeys):
            act(BucketStore(shelf.url, tmp_path, connection=stranger))


def test_a_store_travels_to_another_process(shelf: Shelf) -> None:
    store = BucketStore(shelf.url)
    store.put(ID, "clean", Note(text="hola"), "k")
    there = pickle.loads(pickle.dumps(store))
    assert there.get(ID, "clean", Note) == Note(text="hola")
    assert "cache" in str(store.folder.root) and shelf.bucket in str(store.folder.root)
