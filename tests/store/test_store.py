"""What every store must do: one set of tests, all back-ends. What only a folder can suffer is in test_folder.py."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from chasqui.errors import BadConfig, BadCopy, NotWritable, StoreBusy
from chasqui.records import Blob, Lesson, Record, Request
from chasqui.store import Store, Stores, open_store
from chasqui.store.bucket import BucketStore
from chasqui.store.folder import FolderStore
from chasqui.store.memory import MemoryStore

ID = "0123456789abcdef"
OTHER = "fedcba9876543210"


class Note(Record):
    text: str
    blob: Blob | None = None


@pytest.fixture(params=["memory", "folder", "bucket", "real bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "memory":
        return MemoryStore(wait_s=0.05)
    if request.param == "folder":
        return FolderStore(tmp_path / "store", wait_s=0.05)
    server = request.getfixturevalue("moto_server" if request.param == "bucket" else "swift_server")
    shelf = request.getfixturevalue("shelf_on")(server)
    return BucketStore(f"{shelf.url}/almacén/uno", tmp_path / "here", wait_s=0.05, connection=shelf.connection)


def keep(store: Store, name: str, data: bytes, file: str = "voice.opus") -> Blob:
    with store.workspace(ID, name) as work:
        (work.folder / file).write_bytes(data)
        blob = work.keep(work.folder / file, "audio/ogg")
        store.put(ID, name, Note(text="made", blob=blob), "key")
    return blob


def held(store: Store, blob: Blob) -> bool:
    """Whether the store still has a blob's bytes."""
    try:
        return store.path(blob).exists()
    except BadCopy:
        return False


def test_what_was_put_is_there_under_its_key_only(store: Store) -> None:
    store.put(ID, "clean", Note(text="hola"), "k1")
    assert store.get(ID, "clean", Note) == Note(text="hola")
    assert store.get(ID, "clean", Note, "k1") == Note(text="hola")
    assert store.get(ID, "clean", Note, "k2") is None
    assert store.key(ID, "clean") == "k1"


def test_what_was_never_put_is_absent(store: Store) -> None:
    assert store.get(ID, "clean", Note) is None
    assert store.key(ID, "clean") is None
    assert store.recordings() == []


def test_a_record_of_another_kind_counts_as_absent(store: Store) -> None:
    store.put(ID, "clean", Note(text="hola"), "k")
    assert store.get(ID, "clean", Lesson) is None


def test_a_second_put_replaces_the_first(store: Store) -> None:
    store.put(ID, "clean", Note(text="one"), "k1")
    store.put(ID, "clean", Note(text="two"), "k2")
    assert store.get(ID, "clean", Note, "k1") is None
    assert store.get(ID, "clean", Note) == Note(text="two")


def test_recordings_stand_in_the_order_they_came(store: Store) -> None:
    for recording_id in (OTHER, ID, "1111111111111111"):
        store.put(recording_id, "request", Note(text=recording_id), "k")
    store.put(OTHER, "request", Note(text="again"), "k")
    assert store.recordings() == [OTHER, ID, "1111111111111111"]


def test_a_kept_file_keeps_its_name_size_and_hash(store: Store) -> None:
    blob = keep(store, "encode", b"opus")
    assert blob.name == "voice.opus"
    assert blob.bytes == 4
    assert blob.sha256 == hashlib.sha256(b"opus").hexdigest()
    assert blob.media_type == "audio/ogg"
    assert store.path(blob).read_bytes() == b"opus"


def test_the_workspace_vanishes_and_only_kept_files_stay(store: Store) -> None:
    with store.workspace(ID, "encode") as work:
        (work.folder / "scratch").write_text("x")
        (work.folder / "voice.opus").write_text("kept")
        blob = work.keep(work.folder / "voice.opus")
        folder = work.folder
        assert work.path(blob).read_text() == "kept"
    assert not folder.exists()
    assert store.path(blob).read_text() == "kept"


def test_the_workspace_vanishes_also_after_a_failure(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.workspace(ID, "encode") as work:
        folder = work.folder
        raise ZeroDivisionError
    assert not folder.exists()
    with store.workspace(ID, "encode") as work:  # and its lock is free again
        assert list(work.folder.iterdir()) == []


def test_bytes_of_a_superseded_record_go_and_those_of_others_stay(store: Store) -> None:
    old, other = keep(store, "encode", b"old"), keep(store, "clean", b"master")
    new = keep(store, "encode", b"new")
    assert not held(store, old)
    assert store.path(new).read_bytes() == b"new"
    assert store.path(other).read_bytes() == b"master"


def test_the_same_bytes_made_again_stay(store: Store) -> None:
    assert keep(store, "encode", b"same") == keep(store, "encode", b"same")
    record = store.get(ID, "encode", Note)
    assert record is not None and record.blob is not None
    assert store.path(record.blob).read_bytes() == b"same"


def test_a_record_may_point_to_bytes_of_another_stage(store: Store) -> None:
    blob = keep(store, "encode", b"sound")
    store.put(ID, "publish", Note(text="lesson", blob=blob), "k")
    record = store.get(ID, "publish", Note)
    assert record is not None and record.blob is not None
    assert store.path(record.blob).read_bytes() == b"sound"


def test_one_holder_at_a_time(store: Store) -> None:
    seen: list[str] = []
    with store.workspace(ID, "clean"):
        with store.workspace(ID, "analyze"), store.workspace(OTHER, "clean"):
            pass  # other work goes on

        def wait() -> None:
            with pytest.raises(StoreBusy) as caught, store.workspace(ID, "clean"):
                seen.append("two holders")
            seen.append(str(caught.value))

        thread = threading.Thread(target=wait)
        thread.start()
        thread.join()
    assert len(seen) == 1
    assert ID in seen[0]
    with store.workspace(ID, "clean"):
        pass


def test_remembered_values_outlive_the_workspace_and_are_shared_by_stages(store: Store) -> None:
    with store.workspace(ID, "choose") as work:
        assert work.recall("a") is None
        work.remember("a", b"1")
        work.remember("a", b"2")
        work.remember("b", b"")
    with store.workspace(ID, "verify") as work:
        assert (work.recall("a"), work.recall("b"), work.recall("c")) == (b"2", b"", None)
    with store.workspace(OTHER, "choose") as work:
        assert work.recall("a") is None


def test_many_threads_may_remember(store: Store) -> None:
    with store.workspace(ID, "choose") as work:

        def fill(start: int) -> None:
            for number in range(start, start + 300):
                work.remember(f"score {number}", str(number).encode())

        threads = [threading.Thread(target=fill, args=(start,)) for start in (0, 200, 400, 600)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [work.recall(f"score {number}") for number in range(900)] == [str(n).encode() for n in range(900)]


def test_stores_open_by_url(tmp_path: Path) -> None:
    assert isinstance(open_store("memory:"), MemoryStore)
    for url in (f"file:{tmp_path}", f"file://{tmp_path}", str(tmp_path)):
        store = open_store(url)
        assert isinstance(store, FolderStore)
        assert store.root == tmp_path
    bucket = open_store("s3://bucket/x")
    assert isinstance(bucket, BucketStore)
    assert bucket.url == "s3://bucket/x"
    for url in ("s3:", "s3://", "s3:///x", "gs://bucket/x", "file:", "", "memory:x"):
        with pytest.raises(BadConfig):
            open_store(url)


def test_a_real_record_comes_back_whole(store: Store) -> None:
    request = Request(
        recording_id=ID, path="a/Clase ñ.mp3", name="Clase ñ.mp3", sha256="0" * 64, bytes=3, title="¿Qué?"
    )
    store.put(ID, "request", request, "k")
    assert store.get(ID, "request", Request) == request


@pytest.mark.parametrize(
    "act", [lambda s: s.put(ID, "clean", Note(text=""), "k"), lambda s: s.workspace(ID, "clean").__enter__()]
)
def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, act: Callable[[Store], object]) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotWritable) as caught:
        act(FolderStore(tmp_path / "file" / "store"))
    assert str(tmp_path / "file") in str(caught.value)


def test_what_was_removed_is_gone_with_its_bytes_and_nothing_else_is(store: Store) -> None:
    blob = keep(store, "encode", b"voice")
    store.put(OTHER, "clean", Note(text="stays"), "k")
    for _ in range(2):
        store.remove(ID)
        assert store.get(ID, "encode", Note) is None
        assert not held(store, blob)
        assert store.recordings() == [OTHER]
    assert keep(store, "encode", b"voice again").bytes == 11
    assert sorted(store.recordings()) == sorted([ID, OTHER])


def test_stores_below_know_nothing_of_each_other_nor_of_the_one_above(store: Store) -> None:
    one, two = store.below("one"), store.below("two")
    blobs = {
        place: keep(place, "encode", place.url.encode() + bytes([number]))
        for number, place in enumerate((one, two, store))
    }
    one.put(OTHER, "clean", Note(text="of one"), "k")
    assert store.below("one").recordings() == one.recordings()
    assert set(one.recordings()) == {ID, OTHER}
    assert two.recordings() == store.recordings() == [ID]
    one.remove(ID)
    assert one.get(ID, "encode", Note) is None
    for place in (two, store):
        assert place.path(blobs[place]).read_bytes().startswith(place.url.encode())
    for _ in range(2):
        two.empty()
        assert two.recordings() == []
        assert not held(two, blobs[two])
    assert one.recordings() == [OTHER]
    assert held(store, blobs[store])
    assert keep(two, "encode", b"again").bytes == 5
    assert two.recordings() == [ID]
    store.empty()
    assert store.recordings() == store.below("one").recordings() == store.below("two").recordings() == []


def test_a_store_below_has_a_plain_name(store: Store) -> None:
    for name in ("..", "a/b", "", ".born", "a" * 65):
        with pytest.raises(ValueError, match="is no name"):
            store.below(name)


def test_stores_are_opened_once(store: Store) -> None:
    stores = Stores(store)
    assert stores("one") is stores("one")
    assert stores("one") is not stores("two")
    assert stores("one").url == store.below("one").url
