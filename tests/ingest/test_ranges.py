"""An object in ranges: whole whatever the line does, and nothing twice."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from buckets import Line, Server, Shelf

from chasqui.errors import DiskFull, ObjectChanged, ServiceDown, Unreadable
from chasqui.ingest import ranges
from chasqui.ingest.ranges import PIECE_BYTES, RANGE_BYTES, Wanted, download
from chasqui.store.guard import disk
from chasqui.store.s3 import Connection

BODY = os.urandom(2 * RANGE_BYTES + 12_345)
#: What TCP and one call of read may hold of a connection that breaks.
SLACK = 2 * PIECE_BYTES
HEADERS = 4096


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "FIRST_WAIT_S", 0.01)


@pytest.fixture
def wanted(shelf: Shelf) -> Wanted:
    shelf.put("clase.wav", BODY)
    etag = shelf.client.head_object(Bucket=shelf.bucket, Key="clase.wav")["ETag"].strip('"')
    return Wanted(shelf.bucket, "clase.wav", len(BODY), etag)


@pytest.fixture
def line(moto_server: Server, line_to: Callable[[Server], Line]) -> Line:
    return line_to(moto_server)


class Place:
    """Where an object goes to, and how much of it came."""

    def __init__(self, folder: Path, line: Line) -> None:
        self.part, self.journal = folder / "x.part", folder / "x.journal"
        self.came: list[int] = []
        self._client = Connection(env=line.server.env, attempts=1).client

    def bring(self, wanted: Wanted, threads: int = 2) -> None:
        self.came = []
        download(self._client, wanted, self.part, self.journal, threads, self.came.append)


@pytest.fixture
def place(tmp_path: Path, line: Line) -> Place:
    return Place(tmp_path, line)


@pytest.mark.parametrize("threads", [1, 4])
def test_all_bytes_come_once(place: Place, wanted: Wanted, line: Line, threads: int) -> None:
    place.bring(wanted, threads)
    assert place.part.read_bytes() == BODY
    assert sum(place.came) == len(BODY)
    assert len(line.asked) == 3


def test_a_line_that_breaks_is_gone_on_from_where_it_was(place: Place, wanted: Wanted, line: Line) -> None:
    line.cuts, line.cut_after = 5, 3_000_000
    place.bring(wanted)
    assert place.part.read_bytes() == BODY
    assert sum(place.came) == len(BODY)
    assert line.cuts == 0
    assert line.came <= len(BODY) + 5 * SLACK + len(line.asked) * HEADERS


def test_a_server_that_is_gone_is_said_and_the_rest_comes_later(place: Place, wanted: Wanted, line: Line) -> None:
    line.hold_after = 9_000_000
    failed: list[Exception] = []

    def bring() -> None:
        try:
            place.bring(wanted)
        except ServiceDown as error:
            failed.append(error)

    thread = Thread(target=bring)
    thread.start()
    assert line.held.wait(60)
    line.down = True
    line.go_on.set()
    thread.join()
    assert len(failed) == 1
    first, over_the_line = sum(place.came), line.came
    line.down = False
    place.bring(wanted)
    assert place.part.read_bytes() == BODY
    assert first > 8_000_000
    assert sum(place.came) == len(BODY) - first
    assert line.came - over_the_line <= len(BODY) - first + len(line.asked) * HEADERS


def test_what_is_there_is_not_asked_for(place: Place, wanted: Wanted, line: Line) -> None:
    place.bring(wanted)
    line.asked.clear()
    place.bring(wanted)
    assert (place.came, line.asked) == ([], [])


@pytest.mark.parametrize("spoil", ["journal", "part", "line"])
def test_half_a_state_is_never_believed(place: Place, wanted: Wanted, spoil: str) -> None:
    place.bring(wanted)
    if spoil == "journal":
        place.journal.unlink()
        place.part.write_bytes(b"other")
    elif spoil == "part":
        place.part.unlink()
    else:
        place.journal.write_text(place.journal.read_text().splitlines()[0] + "\n0 10\n0 x\n77\n0 99999999999\n0 1")
    place.bring(wanted)
    assert place.part.read_bytes() == BODY
    assert sum(place.came) == len(BODY) - (10 if spoil == "line" else 0)


def test_another_version_is_noticed_and_nothing_of_the_old_one_stays(
    place: Place, wanted: Wanted, shelf: Shelf, line: Line
) -> None:
    shelf.put("clase.wav", BODY[::-1])
    with pytest.raises(ObjectChanged):
        place.bring(wanted)
    assert not place.part.exists()
    etag = shelf.client.head_object(Bucket=shelf.bucket, Key="clase.wav")["ETag"].strip('"')
    place.bring(wanted._replace(etag=etag))
    assert place.part.read_bytes() == BODY[::-1]


def test_a_server_without_if_match_is_found_out(place: Place, wanted: Wanted) -> None:
    class Careless:
        """A server that sends what it has, whatever was wanted."""

        def get_object(self, **asked: str) -> object:
            asked.pop("IfMatch")
            return real.get_object(**asked)

    real, place._client = place._client, Careless()
    with pytest.raises(ObjectChanged):
        place.bring(wanted._replace(etag="0" * 32))


def test_an_object_that_vanishes_is_said(place: Place, wanted: Wanted, shelf: Shelf) -> None:
    shelf.client.delete_object(Bucket=shelf.bucket, Key="clase.wav")
    with pytest.raises(Unreadable, match="not in the bucket any more"):
        place.bring(wanted)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_full_disk_is_said_and_the_rest_comes_later(place: Place, wanted: Wanted, tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, before[1]))
    try:
        with pytest.raises(DiskFull), disk(tmp_path):
            place.bring(wanted, threads=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    first = sum(place.came)
    assert first > 3_000_000
    place.bring(wanted)
    assert place.part.read_bytes() == BODY
    assert sum(place.came) == len(BODY) - first
