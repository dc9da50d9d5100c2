"""What only a folder can suffer: kills, damage, strangers' files, full and read-only disks, several processes."""

from __future__ import annotations

import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from chasqui.errors import DiskFull, NotWritable
from chasqui.records import Blob, Record
from chasqui.store.folder import FolderStore

ID = "0123456789abcdef"


class Note(Record):
    text: str
    blob: Blob | None = None


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store", wait_s=20)


def keep(store: FolderStore, data: bytes) -> Blob:
    with store.workspace(ID, "encode") as work:
        (work.folder / "voice.opus").write_bytes(data)
        blob = work.keep(work.folder / "voice.opus")
        store.put(ID, "encode", Note(text="made", blob=blob), "key")
    return blob


def killed_at(store: FolderStore, code: str) -> None:
    """Run code in another process until it prints a line, then kill -9 it."""
    prelude = f"""
        import sys, time
        from pathlib import Path
        from chasqui.records import Blob, Record
        from chasqui.store.folder import FolderStore
        class Note(Record):
            text: str
            blob: Blob | None = None
        store = FolderStore(Path({str(store.root)!r}))
        def here():
            print("here", flush=True)
            time.sleep(60)
    """
    program = textwrap.dedent(prelude) + textwrap.dedent(code)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)


def files(store: FolderStore) -> list[str]:
    found = (path for path in store.root.rglob("*") if path.is_file())
    return sorted(path.name for path in found if not {".locks", ".born"} & set(path.relative_to(store.root).parts))


def test_a_run_killed_in_its_workspace_leaves_nothing_and_blocks_nobody(store: FolderStore) -> None:
    killed_at(
        store,
        f"""
        with store.workspace({ID!r}, "encode") as work:
            (work.folder / "half").write_bytes(b"half")
            (work.folder / "voice.opus").write_bytes(b"never recorded")
            work.keep(work.folder / "voice.opus")
            here()
        """,
    )
    assert files(store) == ["half", "voice.opus"]
    assert store.get(ID, "encode", Note) is None
    blob = keep(store, b"new")
    assert files(store) == ["encode.json", "voice.opus"]
    assert store.path(blob).read_bytes() == b"new"


def test_a_run_killed_before_its_record_leaves_the_old_one_whole(store: FolderStore) -> None:
    old = keep(store, b"old")
    killed_at(
        store,
        f"""
        with store.workspace({ID!r}, "encode") as work:
            (work.folder / "voice.opus").write_bytes(b"newer")
            work.keep(work.folder / "voice.opus")
            here()
        """,
    )
    record = store.get(ID, "encode", Note)
    assert record is not None and record.blob == old
    assert store.path(old).read_bytes() == b"old"


def test_what_is_left_by_a_run_killed_after_its_record_is_tidied(store: FolderStore) -> None:
    killed_at(
        store,
        f"""
        with store.workspace({ID!r}, "encode") as work:
            (work.folder / "packets").write_bytes(b"half")
            store.put({ID!r}, "encode", Note(text="made"), "key")
            here()
        """,
    )
    left = store.root / ID / ".work" / "encode"
    assert (left / "packets").exists()
    store.tidy(ID, "encode")
    assert not left.exists()
    assert store.get(ID, "encode", Note, "key") == Note(text="made")


def test_nobody_who_is_at_work_is_tidied_away(store: FolderStore) -> None:
    with store.workspace(ID, "encode") as work:
        (work.folder / "packets").write_bytes(b"half")
        store.tidy(ID, "encode")
        assert (work.folder / "packets").exists()


def test_what_was_remembered_survives_a_kill(store: FolderStore) -> None:
    killed_at(
        store,
        f"""
        with store.workspace({ID!r}, "choose") as work:
            for number in range(2000):
                work.remember(f"score {{number}}", str(number).encode())
            here()
        """,
    )
    with store.workspace(ID, "choose") as work:
        assert [work.recall(f"score {number}") for number in range(2000)] == [b"%d" % n for n in range(2000)]


def test_two_processes_take_turns_and_share_what_they_remember(store: FolderStore) -> None:
    program = f"""
        for turn in range(20):
            with store.workspace({ID!r}, "count") as work:
                count = int(work.recall("count") or 0)
                work.remember("count", str(count + 1).encode())
                (work.folder / "count").write_text(str(count + 1))
                store.put({ID!r}, "count", Note(text="", blob=work.keep(work.folder / "count")), "k")
    """
    prelude = f"""
        from pathlib import Path
        from chasqui.records import Blob, Record
        from chasqui.store.folder import FolderStore
        class Note(Record):
            text: str
            blob: Blob | None = None
        store = FolderStore(Path({str(store.root)!r}))
    """
    code = textwrap.dedent(prelude) + textwrap.dedent(program)
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    record = store.get(ID, "count", Note)
    assert record is not None and record.blob is not None
    assert store.path(record.blob).read_text() == "40"


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"layout": 99, "key": "k", "record": {}}', b'{"hello": "world"}'],
)
def test_a_damaged_or_foreign_record_counts_as_absent(
    store: FolderStore, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    keep(store, b"sound")
    (store.root / ID / "encode.json").write_bytes(damage)
    assert store.get(ID, "encode", Note) is None
    assert store.key(ID, "encode") is None
    assert "encode.json" in caplog.text
    assert keep(store, b"sound").bytes == 5  # and the work is simply done again
    assert store.key(ID, "encode") == "key"


def test_a_record_whose_bytes_were_lost_counts_as_absent(store: FolderStore) -> None:
    blob = keep(store, b"sound")
    store.path(blob).write_bytes(b"sou")
    assert store.get(ID, "encode", Note) is None
    store.path(blob).unlink()
    assert store.get(ID, "encode", Note) is None


def test_a_damaged_cache_is_thrown_away(store: FolderStore, caplog: pytest.LogCaptureFixture) -> None:
    with store.workspace(ID, "choose") as work:
        work.remember("a", b"1")
    (store.root / ID / ".remembered.sqlite").write_bytes(b"not a database, and long enough to be looked at" * 50)
    with store.workspace(ID, "choose") as work:
        assert work.recall("a") is None
        work.remember("a", b"2")
        assert work.recall("a") == b"2"
    assert "damaged" in caplog.text


def test_strangers_files_in_the_store_are_no_recordings(store: FolderStore) -> None:
    keep(store, b"sound")
    (store.root / ".DS_Store").write_bytes(b"x")
    (store.root / "lost+found").mkdir()
    assert store.recordings() == [ID]


@pytest.mark.parametrize("name", ["../out", "a/b", "", ".hidden", "x" * 100, "a\0b"])
def test_names_cannot_leave_the_store(store: FolderStore, name: str) -> None:
    for act in (lambda: store.get(name, "clean", Note), lambda: store.put(ID, name, Note(text=""), "k")):
        with pytest.raises(ValueError, match="no name"):
            act()


def test_a_full_disk_is_said_and_the_old_record_stays(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    old = keep(store, b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull):
        store.put(ID, "encode", Note(text="new"), "k2")
    with store.workspace(ID, "encode") as work:
        (work.folder / "x").write_text("x")
        with pytest.raises(DiskFull):
            work.keep(work.folder / "x")
    record = store.get(ID, "encode", Note)
    assert record is not None and record.blob == old


def test_a_full_disk_under_the_cache_is_said(store: FolderStore) -> None:
    with store.workspace(ID, "choose") as work:
        work.remember("a", b"1")
        connection: sqlite3.Connection = work._cache._open  # type: ignore[assignment]
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(DiskFull):
            for number in range(1000):
                work.remember(f"{number}", b"x" * 100)


def test_a_store_that_refuses_us_is_said_and_read_around(store: FolderStore) -> None:
    (store.root / ID / "encode.json").mkdir(parents=True)  # something that no rename replaces, not even root's
    (store.root / ID / ".remembered.sqlite").mkdir()
    assert store.get(ID, "encode", Note) is None
    with pytest.raises(NotWritable):
        store.put(ID, "encode", Note(text=""), "k")
    assert not list((store.root / ID).glob(".*.part"))
    with store.workspace(ID, "choose") as work, pytest.raises(NotWritable):
        work.remember("a", b"1")


def test_record_files_are_readable_json(store: FolderStore) -> None:
    keep(store, b"sound")
    entry = json.loads((store.root / ID / "encode.json").read_text())
    assert (entry["key"], entry["record"]["text"]) == ("key", "made")
