"""Taking a file in: known by its bytes, refused when it is not one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sounds import babble, write

from chasqui import ingest
from chasqui.errors import EmptyFile, Unreadable
from chasqui.ingest.upload import digest
from chasqui.records import Recording, Request
from chasqui.store import Store


def test_the_same_bytes_are_the_same_recording_whatever_their_name(tmp_path: Path, store: Store) -> None:
    (tmp_path / "a.mp3").write_bytes(b"class")
    (tmp_path / "b.wav").write_bytes(b"class")
    (tmp_path / "c.mp3").write_bytes(b"other")
    first, second, third = (ingest.accept(tmp_path / name, store) for name in ("a.mp3", "b.wav", "c.mp3"))
    assert first.sha256 == hashlib.sha256(b"class").hexdigest()
    assert first.recording_id == second.recording_id == first.sha256[:16] != third.recording_id
    assert store.key(first.recording_id, "request") == first.sha256[:32]
    assert store.get(first.recording_id, "request", Request) == second  # the later name counts, the key stays


def test_what_the_user_says_is_kept_in_one_line(tmp_path: Path, store: Store) -> None:
    (tmp_path / "a.mp3").write_bytes(b"class")
    request = ingest.accept(tmp_path / "a.mp3", store, folder="grado 5/cie\u0301ncias", title=" La\tc\u00e9lula\n")
    assert (request.folder, request.title) == ("grado 5/ci\u00e9ncias", "La c\u00e9lula")
    assert (request.name, request.bytes) == ("a.mp3", 5)


def test_big_files_are_read_in_pieces(tmp_path: Path) -> None:
    data = os.urandom(3_000_001)
    path, copy = tmp_path / "x", tmp_path / "copy"
    path.write_bytes(data)
    assert digest(path, "x", copy_to=copy) == (hashlib.sha256(data).hexdigest(), len(data))
    assert copy.read_bytes() == data


def test_empty(tmp_path: Path, store: Store) -> None:
    (tmp_path / "a.mp3").touch()
    with pytest.raises(EmptyFile):
        ingest.accept(tmp_path / "a.mp3", store)


def test_not_a_file(tmp_path: Path, store: Store) -> None:
    os.mkfifo(tmp_path / "pipe.mp3")
    (tmp_path / "lost.mp3").symlink_to(tmp_path / "gone")
    for path in (tmp_path / "pipe.mp3", tmp_path / "lost.mp3", tmp_path, tmp_path / "none.mp3", Path("/dev/zero")):
        with pytest.raises(Unreadable):
            ingest.accept(path, store)
    assert store.recordings() == []


def test_a_name_that_is_not_text(tmp_path: Path, store: Store) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/clase-\xff.mp3"))
    path.write_bytes(b"class")
    with pytest.raises(Unreadable, match="rename") as caught:
        ingest.accept(path, store)
    str(caught.value).encode("utf-8")  # can be printed and stored


def test_vanished_or_changed_after_it_was_accepted(
    tmp_path: Path, store: Store, take_in: Callable[..., Recording], as_accepted: Callable[[Request], None]
) -> None:
    from chasqui.config import Config
    from chasqui.run import run_stage

    path = write(tmp_path / "x.flac", babble(2))
    request = ingest.accept(path, store)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(Unreadable, match="changed"):
        run_stage("ingest", request.recording_id, store, Config())
    path.unlink()
    with pytest.raises(Unreadable, match="no such file"):
        run_stage("ingest", request.recording_id, store, Config())
    assert store.get(request.recording_id, "ingest", Recording) is None
