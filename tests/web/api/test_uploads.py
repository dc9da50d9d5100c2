"""Uploads: with the official client over links that break, in one form, and by those who lie."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clips import SPEECH
from sqlalchemy import select, update

from chasqui.catalog import uploads
from chasqui.catalog.tables import Job, Lesson, School, Upload
from chasqui.records import Recording, Request
from chasqui.web.incoming import Incoming

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}


def b64(text: str) -> str:
    return b64encode(text.encode()).decode()


def begin(ask: Any, size: int, **facts: str) -> Any:
    metadata = ",".join(f"{name} {b64(text)}" for name, text in facts.items())
    return ask("POST", "uploads", headers={**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata})


def send(ask: Any, path: str, data: bytes, at: int, **headers: str) -> Any:
    return ask("PATCH", path, data=data, headers={**PIECE, "Upload-Offset": str(at), **headers})


def rows(house: Any, table: Any) -> list[Any]:
    with house.catalog.reading() as db:
        return list(db.scalars(select(table)))


def used(house: Any) -> int:
    with house.catalog.reading() as db:
        return int(db.scalar(select(School.used_bytes).where(School.slug == "ours")) or 0)


def test_pieces_become_a_lesson_and_its_job(house: Any) -> None:
    ask, data = house.client("creator"), bytes(range(256)) * 40
    path = begin(ask, len(data), filename="../../clase 1.mp3", title="La papa", target="clear").headers["Location"]
    assert send(ask, path, data[:4000], 0).headers["Upload-Offset"] == "4000"
    again = ask("HEAD", path, headers=TUS)
    assert (again.headers["Upload-Offset"], again.headers["Upload-Length"]) == ("4000", str(len(data)))
    assert again.headers["Cache-Control"] == "no-store"
    done = send(ask, path, data[4000:], 4000)
    assert done.status_code == 204
    (lesson,), (job,) = rows(house, Lesson), rows(house, Job)
    assert (lesson.id, job.id) == (done.headers["X-Lesson"], done.headers["X-Job"])
    assert (lesson.title, lesson.recording_id) == ("La papa", hashlib.sha256(data).hexdigest()[:16])
    assert (job.state, job.stage, job.settings) == ("waiting", "ingest", {"choose__target": "clear"})
    request = house.store.get(lesson.recording_id, "request", Request)
    assert request.name == "clase 1.mp3"
    assert house.store.path(request.handed).read_bytes() == data
    assert ask("GET", f"{path}/lesson").json["lesson_id"] == lesson.id
    assert list(house.service.incoming.iterdir()) == []
    assert used(house) == len(data)


def test_a_piece_must_follow_and_must_not_go_on_behind_the_end(house: Any) -> None:
    ask = house.client()
    path = begin(ask, 10).headers["Location"]
    assert send(ask, path, b"12345", 0).status_code == 204
    wrong = send(ask, path, b"12345", 0)
    assert (wrong.status_code, wrong.json["code"], wrong.json["evidence"]["at"]) == (409, "WrongPlace", 5)
    assert send(ask, path, b"123456", 5).status_code == 413
    assert ask("HEAD", path, headers=TUS).headers["Upload-Offset"] == "5"
    assert send(ask, path, b"67890", 5).status_code == 204
    over = send(ask, path, b"", 10)
    assert (over.status_code, over.json["code"]) == (410, "UploadOver")


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_a_damaged_piece_is_thrown_away(house: Any, algorithm: str) -> None:
    ask = house.client()
    path = begin(ask, 8).headers["Location"]
    right = f"{algorithm} {b64encode(hashlib.new(algorithm, b'1234').digest()).decode()}"
    bad = send(ask, path, b"12x4", 0, **{"Upload-Checksum": right})
    assert (bad.status_code, bad.json["code"]) == (460, "BadPiece")
    assert ask("HEAD", path, headers=TUS).headers["Upload-Offset"] == "0"
    assert send(ask, path, b"1234", 0, **{"Upload-Checksum": right}).status_code == 204
    assert send(ask, path, b"5678", 4, **{"Upload-Checksum": "crc99 AAAA"}).json["code"] == "BadUpload"


def test_what_tus_is_spoken_here_is_said(house: Any) -> None:
    said = house.client(None)("OPTIONS", "uploads").headers
    assert said["Tus-Version"] == "1.0.0"
    assert said["Tus-Extension"] == "creation,checksum,expiration,termination"
    refused = house.client()("POST", "uploads", headers={"Upload-Length": "1"})
    assert (refused.status_code, refused.headers["Tus-Version"]) == (412, "1.0.0")


@pytest.mark.parametrize("length", ["", "-1", "1e3", "9" * 30, "ten"])
def test_a_length_that_is_none_is_refused(house: Any, length: str) -> None:
    assert house.client()("POST", "uploads", headers={**TUS, "Upload-Length": length}).json["code"] == "BadUpload"


def test_wrong_options_are_told_before_the_upload(house: Any) -> None:
    assert begin(house.client(), 10, target="perfect").json["code"] == "BadConfig"
    assert rows(house, Upload) == []


def test_room_is_reserved_and_given_back(house: Any) -> None:
    with house.catalog.writing() as db:
        db.execute(update(School).where(School.slug == "ours").values(quota_bytes=100))
    ask = house.client()
    first = begin(ask, 60).headers["Location"]
    full = begin(ask, 60, filename="otra.mp3")
    assert (full.status_code, full.json["code"]) == (507, "NoRoom")
    assert "otra.mp3" in full.json["detail"]
    send(ask, first, b"x" * 20, 0)
    assert ask("DELETE", first, headers=TUS).status_code == 204
    assert used(house) == 0
    assert list(house.service.incoming.iterdir()) == []
    assert send(ask, first, b"x", 20).status_code == 410
    assert begin(ask, 60).status_code == 201


def test_one_file_may_not_be_larger_than_the_operator_allows(house: Any) -> None:
    refused = begin(house.client(), house.service.upload_bytes + 1)
    assert (refused.status_code, refused.json["code"]) == (413, "TooLarge")


def test_what_a_role_may_send_is_the_operators_to_say(house: Any) -> None:
    object.__setattr__(house.service, "role_bytes", "teacher=1MB, data=10kB")
    for role, most in (("teacher", 1_000_000), ("data", 10_000), ("creator", house.service.upload_bytes)):
        refused = begin(house.client(role), most + 1)
        assert (refused.status_code, refused.json["evidence"]["most"]) == (413, most)
        assert begin(house.client(role), most).status_code == 201


def test_nobody_touches_the_upload_of_another(house: Any) -> None:
    path = begin(house.client("teacher"), 10).headers["Location"]
    for role, school in (("creator", "ours"), ("administrator", "ours"), ("teacher", "theirs"), ("operator", "ours")):
        for method in ("HEAD", "PATCH", "DELETE"):
            answer = house.client(role, school)(method, path, headers={**PIECE, "Upload-Offset": "0"}, data=b"x")
            assert answer.status_code in (403, 404), (role, school, method)


def test_the_same_recording_twice_is_one_lesson_and_one_job(house: Any) -> None:
    ask, data = house.client(), b"the same sound"
    for name in ("a.mp3", "b.mp3"):
        path = begin(ask, len(data), filename=name).headers["Location"]
        assert send(ask, path, data, 0).status_code == 204
    assert len(rows(house, Lesson)) == len(rows(house, Job)) == 1
    assert used(house) == len(data)
    other = house.client("teacher", "theirs")
    path = begin(other, len(data)).headers["Location"]
    send(other, path, data, 0)
    assert len(rows(house, Lesson)) == 2  # of each school its own


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_server_that_was_ended_before_the_lesson_was_noted_makes_it_later(
    house: Any, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, data = house.client(), b"whole and yet no lesson"
    path = begin(ask, len(data), filename="a.mp3").headers["Location"]

    def ended(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("chasqui.web.api.uploads.uploads.complete" if moment == "after" else "os.link", ended)
        with pytest.raises(KeyboardInterrupt):
            send(ask, path, data, 0)
    assert rows(house, Lesson) == []
    assert ask("HEAD", path, headers=TUS).headers["Upload-Offset"] == str(len(data))
    assert len(rows(house, Lesson)) == len(rows(house, Job)) == 1


def test_a_form_is_enough_for_a_small_file(house: Any) -> None:
    from io import BytesIO

    answer = house.client()("POST", "files", data={"file": (BytesIO(b"sound"), "clase.mp3"), "title": "La papa"})
    assert answer.status_code == 201
    (lesson,) = rows(house, Lesson)
    assert (lesson.id, lesson.title) == (answer.json["lesson_id"], "La papa")
    empty = house.client()("POST", "files", data={"file": (BytesIO(b""), "nada.mp3")})
    assert (empty.status_code, empty.json["code"]) == (422, "EmptyFile")
    assert house.client()("POST", "files", data={}).json["code"] == "BadUpload"
    assert used(house) == 5


def test_names_with_line_breaks_and_folders_end_as_plain_names(house: Any) -> None:
    ask = house.client()
    path = begin(ask, 3, filename="..\\..\\etc/passwd\r\nSet-Cookie: x=y").headers["Location"]
    send(ask, path, b"abc", 0)
    (upload,) = rows(house, Upload)
    assert upload.name == "passwd Set-Cookie: x=y"
    for bad in ("%2e%2e%2fsecret", "..", "a" * 50):
        assert ask("HEAD", f"uploads/{bad}", headers=TUS).status_code in (404, 405, 422)


def test_uploads_that_nobody_goes_on_with_expire(house: Any) -> None:
    path = begin(house.client(), 10).headers["Location"]
    assert uploads.expired(house.catalog) == []
    with house.catalog.writing() as db:
        db.execute(update(Upload).values(expires_s=time.time() - 1))
    assert [path.endswith(one) for one in uploads.expired(house.catalog)] == [True]


# --- over real sockets ------------------------------------------------------------------------------------------------


@pytest.fixture
def address(house: Any) -> Iterator[str]:
    from cheroot.wsgi import Server

    server = Server(("127.0.0.1", 0), house.app, numthreads=4, timeout=2)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.bind_addr[1]}"
    server.stop()
    thread.join()


def test_the_official_client_uploads_a_real_recording(house: Any, address: str, media: Path) -> None:
    from tusclient.client import TusClient

    sentence = media / SPEECH[0]
    token = house.tokens["ours", "teacher"]
    client = TusClient(f"{address}/api/v1/uploads", headers={"Authorization": f"Bearer {token}"})
    with sentence.open("rb") as sound:
        client.uploader(file_stream=sound, chunk_size=50_000, metadata={"filename": sentence.name}).upload()
    (lesson,) = rows(house, Lesson)
    from chasqui.config import load
    from chasqui.run import run_stage

    recording = run_stage("ingest", lesson.recording_id, house.store, load())
    assert isinstance(recording, Recording)
    assert recording.source.sha256 == hashlib.sha256(sentence.read_bytes()).hexdigest()


def test_what_a_cut_link_brought_is_kept(house: Any, address: str) -> None:
    data = hashlib.sha256(b"x").digest() * 20_000
    ask = house.client()
    path = begin(ask, len(data)).headers["Location"]
    upload_id = path.rsplit("/", 1)[1]
    host, port = address.removeprefix("http://").split(":")
    at = 0
    for _ in range(3):
        with socket.create_connection((host, int(port))) as link:
            head = (
                f"PATCH /api/v1/uploads/{upload_id} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n"
                f"Authorization: Bearer {ask.token}\r\nContent-Type: application/offset+octet-stream\r\n"
                f"Upload-Offset: {at}\r\nContent-Length: {len(data) - at}\r\n\r\n"
            )
            link.sendall(head.encode() + data[at : at + 150_000])
            time.sleep(0.3)
        deadline = time.monotonic() + 20
        while Incoming(house.service.incoming).size(upload_id) <= at and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        now = int(ask("HEAD", path, headers=TUS).headers["Upload-Offset"])
        assert at < now <= at + 150_000
        at = now
    assert send(ask, path, data[at:], at).status_code == 204
    (lesson,) = rows(house, Lesson)
    assert lesson.recording_id == hashlib.sha256(data).hexdigest()[:16]
