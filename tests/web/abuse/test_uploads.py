"""Uploads of those who want more room than they have, who send twice at once, and where the disk is full."""

from __future__ import annotations

import hashlib
import io
import resource
import signal
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from attacks import PIECE, TUS, kept, upload
from sqlalchemy import select, update

from chasqui.catalog import uploads
from chasqui.catalog.tables import Job, Lesson, School, Upload
from chasqui.web.incoming import Incoming


def used(house: Any) -> int:
    with house.catalog.reading() as db:
        return int(db.scalar(select(School.used_bytes).where(School.slug == "ours")) or 0)


def count(house: Any, table: Any) -> int:
    with house.catalog.reading() as db:
        return len(db.scalars(select(table)).all())


def send(ask: Any, one: str, data: bytes, at: int = 0, **headers: str) -> Any:
    return ask("PATCH", f"uploads/{one}", data=data, headers={**PIECE, "Upload-Offset": str(at), **headers})


@contextmanager
def small_disk(most: int) -> Iterator[None]:
    """No file grows beyond this, as on a disk that is full."""
    before, heard = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, heard)


# --- room -------------------------------------------------------------------------------------------------------------


def test_an_upload_that_was_given_up_while_its_last_piece_waited_takes_no_room_for_nothing(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its room was free again; a lesson made of it would be one that no quota counts, as often as anybody likes."""
    one, append = upload(house, 10), Incoming.append

    def given_up_meanwhile(self: Incoming, *args: Any, **rest: Any) -> int:
        assert house.client()("DELETE", f"uploads/{one}", headers=TUS).status_code == 204
        return append(self, *args, **rest)

    with monkeypatch.context() as patch:
        patch.setattr(Incoming, "append", given_up_meanwhile)
        refused = send(house.client(), one, b"1234567890")
    assert (refused.status_code, refused.json["code"]) == (410, "UploadOver")
    assert (count(house, Lesson), count(house, Job), used(house)) == (0, 0, 0)
    assert kept(house, one) == 0
    assert house.store.key(hashlib.sha256(b"1234567890").hexdigest()[:16], "request") is None


def test_two_at_once_do_not_share_the_last_room(house: Any) -> None:
    with house.catalog.writing() as db:
        db.execute(update(School).where(School.slug == "ours").values(quota_bytes=100))
    said: list[int] = []

    def begin() -> None:
        headers = {**TUS, "Upload-Length": "60"}
        said.append(house.client()("POST", "uploads", headers=headers).status_code)

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [201] + [507] * 7
    assert used(house) == 60


def test_two_pieces_at_the_same_place_do_not_mix(house: Any) -> None:
    size = 400_000
    one, said = upload(house, 2 * size), []

    def piece(letter: bytes) -> None:
        said.append(send(house.client(), one, letter * size).status_code)

    threads = [threading.Thread(target=piece, args=[letter]) for letter in (b"a", b"b", b"c", b"d")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [204, 409, 409, 409]
    there = (house.service.incoming / f"{one}.part").read_bytes()
    assert len(there) == size
    assert len(set(there)) == 1


def test_two_that_finish_the_same_upload_at_once_both_hear_of_its_lesson(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A phone asks how much is there while its last piece, on another link, becomes the lesson."""
    from chasqui import ingest

    one, once, both = upload(house, 10), ingest.hand_over, threading.Barrier(2, timeout=10)

    def together(*args: Any, **rest: Any) -> Any:
        both.wait()
        return once(*args, **rest)

    said: list[Any] = []
    house.service.incoming.mkdir(exist_ok=True)
    (house.service.incoming / f"{one}.part").write_bytes(b"1234567890")
    with monkeypatch.context() as patch:
        patch.setattr(ingest, "hand_over", together)
        ask = [
            threading.Thread(target=lambda: said.append(house.client()("GET", f"uploads/{one}", headers=TUS)))
            for _ in range(2)
        ]
        for thread in ask:
            thread.start()
        for thread in ask:
            thread.join()
    assert [one.status_code for one in said] == [200, 200], [one.text for one in said]
    assert (count(house, Lesson), count(house, Job)) == (1, 1)


def test_many_open_uploads_of_one_person_end_somewhere(house: Any) -> None:
    for _ in range(uploads.MOST_OPEN):
        upload(house, 1)
    refused = house.client()("POST", "uploads", headers={**TUS, "Upload-Length": "1"})
    assert (refused.status_code, refused.json["code"]) == (403, "NotAllowed")


# --- lies -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Upload-Length": "0"}, "EmptyFile"),
        ({"Upload-Defer-Length": "1"}, "BadUpload"),
        ({"Upload-Length": str(2**63)}, "BadUpload"),
        ({"Upload-Length": "١٠"}, "BadUpload"),
        ({"Upload-Length": "1", "Upload-Metadata": "filename"}, None),
        ({"Upload-Length": "1", "Upload-Metadata": "filename !!!"}, "BadUpload"),
        ({"Upload-Length": "1", "Upload-Metadata": "filename /w=="}, "BadUpload"),
        ({"Upload-Length": "1", "Upload-Metadata": "filename ñ"}, "BadUpload"),
        ({"Upload-Length": "1", "Upload-Metadata": ",".join(f"k{n} YQ==" for n in range(9000))}, None),
        ({"Upload-Length": "1", "Upload-Metadata": f"budget {b64encode(b'nan').decode()}"}, "BadConfig"),
        ({"Upload-Length": "1", "Upload-Metadata": f"budget {b64encode(b'-5MB').decode()}"}, "BadConfig"),
        ({"Upload-Length": "1", "Upload-Metadata": f"budget {b64encode(b'1e999MB').decode()}"}, "BadConfig"),
        ({"Upload-Length": "1", "Upload-Metadata": f"language {b64encode(b'../').decode()}"}, "BadUpload"),
    ],
)
def test_what_is_said_of_a_file_is_checked(house: Any, headers: dict[str, str], code: str | None) -> None:
    said = house.client()("POST", "uploads", headers={**TUS, **headers})
    assert said.status_code < 500, said.text
    assert said.json.get("code") == code, said.text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\u202egpm.exe", "agpm.exe"),
        ("a\u200bb.mp3", "ab.mp3"),
        ("\u2066\u200b", "upload"),
        ("a\nb\r\nX: y.mp3", "a b X: y.mp3"),
        ("x/../../\0", "upload"),
        ("...", "..."),
    ],
)
def test_names_show_what_they_are(house: Any, name: str, shown: str) -> None:
    said = {**TUS, "Upload-Length": "1", "Upload-Metadata": f"filename {b64encode(name.encode()).decode()}"}
    house.client()("POST", "uploads", headers=said)
    with house.catalog.reading() as db:
        assert db.scalar(select(Upload.name)) == shown


@pytest.mark.parametrize("sum_", ["crc32 AAAA", "sha256", "sha256 ñ", "sha256 AAAA", "SHA256 AAAA"])
def test_a_checksum_of_nothing_we_know_keeps_nothing(house: Any, sum_: str) -> None:
    one = upload(house, 10)
    said = send(house.client(), one, b"12345", **{"Upload-Checksum": sum_})
    assert said.json["code"] in ("BadUpload", "BadPiece")
    assert kept(house, one) == 0


def test_a_key_that_was_used_for_another_file_is_not_answered_with_the_first_one(house: Any) -> None:
    key = {"Idempotency-Key": "k1"}
    first = house.client()("POST", "uploads", headers={**TUS, **key, "Upload-Length": "10"})
    again = house.client()("POST", "uploads", headers={**TUS, **key, "Upload-Length": "10"})
    other = house.client()("POST", "uploads", headers={**TUS, **key, "Upload-Length": "11"})
    assert (first.status_code, again.json) == (201, first.json)
    assert (other.status_code, other.json["code"]) == (409, "OtherRequest")
    for size, status in ((4, 201), (4, 201), (5, 409)):
        sent = {"file": (io.BytesIO(b"x" * size), "a.mp3")}
        assert house.client()("POST", "files", data=sent, headers={"Idempotency-Key": "k2"}).status_code == status


def test_fields_without_a_name_fail_nothing(house: Any) -> None:
    fields = ('; name="a"', '; name="file"; filename="a.mp3"', "", '; name="b"')
    parts = [f"--x\r\nContent-Disposition: form-data{field}\r\n\r\nx\r\n" for field in fields]
    for body, status in (("".join([*parts, "--x--\r\n"]), 201), ("".join([*parts[2:], "--x--\r\n"]), 409)):
        kind = {"Content-Type": "multipart/form-data; boundary=x", "Idempotency-Key": f"k{status}"}
        assert house.client()("POST", "files", data=body.encode(), headers=kind).status_code == status


@pytest.mark.parametrize(
    "said", ["title TGE=,,", "title\tTGE=", "title TGE= TGE=", "títle TGE=", "title TG!E", ",", "title TGF"]
)
def test_metadata_that_tus_does_not_know_is_refused(house: Any, said: str) -> None:
    refused = house.client()("POST", "uploads", headers={**TUS, "Upload-Length": "5", "Upload-Metadata": said})
    assert (refused.status_code, refused.json["code"]) == (409, "BadUpload")
    fine = "title TGE=, filename YS5tcDM=,3"
    assert (
        house.client()("POST", "uploads", headers={**TUS, "Upload-Length": "5", "Upload-Metadata": fine}).status_code
        == 201
    )


# --- a full disk ------------------------------------------------------------------------------------------------------


def test_a_full_disk_is_told_and_the_upload_goes_on_when_there_is_room(house: Any) -> None:
    ask, data = house.client(), bytes(range(256)) * 20_000  # 5 MB
    one = upload(house, len(data))
    assert send(ask, one, data[:1_000_000]).status_code == 204
    with small_disk(2_500_000):
        full = send(ask, one, data[1_000_000:], 1_000_000, **{"Accept-Language": "es"})
    assert (full.status_code, full.json["code"], full.json["action"]) == (507, "DiskFull", "retry")
    assert "disco" in full.json["detail"]
    assert str(house.service.data) not in full.text  # where we keep things is nobody's business
    at = int(ask("HEAD", f"uploads/{one}", headers=TUS).headers["Upload-Offset"])
    assert at == kept(house, one) == 1_000_000
    done = send(ask, one, data[at:], at)
    assert done.status_code == 204
    with house.catalog.reading() as db:
        lesson = db.scalars(select(Lesson)).one()
    assert lesson.recording_id == hashlib.sha256(data).hexdigest()[:16]


def test_a_form_that_finds_the_disk_full_is_told_and_leaves_nothing(house: Any) -> None:
    head = b'--z\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n'
    sent = head + b"x" * 4_000_000 + b"\r\n--z--\r\n"
    with small_disk(2_500_000):
        full = house.client()("POST", "files", data=sent, content_type="multipart/form-data; boundary=z")
    assert (full.status_code, full.json["code"]) == (507, "DiskFull")
    assert used(house) == 0
    assert not house.service.incoming.exists() or list(house.service.incoming.iterdir()) == []
