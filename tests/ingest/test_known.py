"""What was seen before."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

from chasqui.ingest.known import Known

ID = "0123456789abcdef"


def test_a_place_is_known_while_its_size_and_version_are_the_same(tmp_path: Path) -> None:
    known = Known(tmp_path / "new" / "known.sqlite")
    assert known.recall("s3://b/k", 3, "e1") is None
    known.remember("s3://b/k", 3, "e1", ID)
    assert known.recall("s3://b/k", 3, "e1") == ID
    assert known.recall("s3://b/k", 4, "e1") is None
    assert known.recall("s3://b/k", 3, "e2") is None
    assert known.recall("s3://b/other", 3, "e1") is None
    known.remember("s3://b/k", 3, "e2", "f" * 16)
    assert known.recall("s3://b/k", 3, "e2") == "f" * 16
    assert known.recall("s3://b/k", 3, "e1") is None
    known.close()


def test_the_next_run_knows_it_too(tmp_path: Path) -> None:
    first = Known(tmp_path / "known.sqlite")
    first.remember("a/Año 🎧.mp3", 0, "", ID)
    first.close()
    second = Known(tmp_path / "known.sqlite")
    assert second.recall("a/Año 🎧.mp3", 0, "") == ID
    second.close()


def test_a_damaged_file_knows_nothing(tmp_path: Path) -> None:
    (tmp_path / "known.sqlite").write_bytes(b"SQLite format 3\x00" + os.urandom(5000))
    known = Known(tmp_path / "known.sqlite")
    assert known.recall("a", 1, "e") is None
    known.remember("a", 1, "e", ID)
    assert known.recall("a", 1, "e") == ID
    known.close()


def _fill(known: Known, name: str) -> None:
    for number in range(50):
        known.remember(f"{name}{number}", number, "e", ID)
    os._exit(0)  # no clean-up: as a worker that is stopped


def test_workers_that_were_forked_off_share_it(tmp_path: Path) -> None:
    known = Known(tmp_path / "known.sqlite")
    known.remember("before", 1, "e", ID)
    fork = multiprocessing.get_context("fork")
    workers = [fork.Process(target=_fill, args=(known, name)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [known.recall(f"{name}{number}", number, "e") for name in "ab" for number in range(50)] == [ID] * 100
    known.close()
