"""What is sent: bodies, names, paths and headers that mean something else."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from attacks import TUS, serving
from sqlalchemy import select

from chasqui.catalog.tables import Upload


def test_bodies_that_no_route_can_want_are_refused_unread(house: Any) -> None:
    for client in (house.client(None), house.client()):
        huge = client("POST", "sessions", data=b'{"email": "' + b"a" * 300_000 + b'"}', content_type="application/json")
        assert huge.status_code == 413
        deep = client("POST", "sessions", data=b"[" * 100_000, content_type="application/json")
        assert deep.status_code in (400, 422)
        deep = client("POST", "units", data=b'{"title":' * 20_000, content_type="application/json")
        assert deep.status_code in (400, 401, 422)


@pytest.mark.parametrize(
    "body", [b"null", b"[]", b'"a"', b"1e999", b"NaN", b"{", b"\xff\xfe", b'{"title": "\\ud800"}', b""]
)
def test_json_that_is_none_is_told(house: Any, body: bytes) -> None:
    answer = house.client()("POST", "units", data=body, content_type="application/json")
    assert answer.status_code in (400, 415, 422), answer.text


def test_numbers_and_letters_that_no_database_holds_are_told(house: Any) -> None:
    ask = house.client()
    assert ask("POST", "units", {"title": "a", "budget_bytes": 2**63}).status_code == 422
    assert ask("POST", "units", {"title": "a", "budget_bytes": 10**400}).status_code in (400, 422)
    assert ask("POST", "sessions", {"email": "a\0@b", "password": "x"}).status_code == 422
    assert ask("POST", "channels", {"slug": "a", "title": "a", "about": "a\0b"}).status_code == 422
    assert ask("GET", "lessons?text=%00").status_code == 422


def test_a_form_of_a_thousand_fields_is_refused(house: Any) -> None:
    many = {f"field{n}": "x" for n in range(1000)} | {"file": (io.BytesIO(b"sound"), "a.mp3")}
    assert house.client()("POST", "files", data=many).status_code == 413
    with house.catalog.reading() as db:
        assert db.scalars(select(Upload)).all() == []


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\x", "/etc/shadow", "a/../../b", "..", ".", "%2e%2e%2f", "a\0b"]
)
def test_names_do_not_lead_out_of_their_folder(house: Any, name: str) -> None:
    sent = {"file": (io.BytesIO(b"sound" + name.encode()), name), "title": "x"}
    answer = house.client()("POST", "files", data=sent)
    assert answer.status_code == 201
    with house.catalog.reading() as db:
        (upload,) = db.scalars(select(Upload))
    assert not set(upload.name) & set("/\\\0")
    inside = {path.relative_to(house.service.data).parts[0] for path in house.service.data.rglob("*")}
    assert inside <= {"store", "incoming", "secret", "catalog.db", "catalog.db-wal", "catalog.db-shm"}


@pytest.mark.parametrize(
    "path",
    [
        *("lessons/../../../etc/passwd", "lessons/x/files/..%2f..%2fsecret", "uploads/..%2f..%2fsecret", "uploads/%00"),
        *("lessons/0/files/....//secret", "lessons/0/files/voice.opus%00.html", "imports/..", "jobs/%2e%2e/events"),
    ],
)
def test_paths_lead_to_nothing_else(house: Any, path: str) -> None:
    answer = house.client()("GET", path)
    assert answer.status_code in (404, 405, 422)
    assert (house.service.data / "secret").read_text() not in answer.text


@pytest.mark.parametrize("sent", ["x%0d%0aSet-Cookie:%20a=b", "%0a", "ñ%00", "%ff"])
def test_what_is_asked_does_not_become_a_header(house: Any, sent: str) -> None:
    answer = house.client("administrator")(
        "GET", f"people?limit=1&x={sent}&lang={sent}", headers={"Accept-Language": "es"}
    )
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert 'rel="next"' in answer.headers["Link"]
    begun = house.client()(
        "POST", "uploads", headers={**TUS, "Upload-Length": "3", "Upload-Metadata": f"filename {sent}"}
    )
    assert begun.status_code == 409


def test_links_that_are_written_down_are_the_operators_not_the_callers(house: Any) -> None:
    app = serving(house, public_url="https://chasqui.example", second_factor="no")
    ask = house.client("administrator")
    ask.flask = app.test_client()
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    said = ask("POST", "invitations", {"role": "teacher"}, headers=evil).json["url"]
    assert said.startswith("https://chasqui.example/invitation#")
    begun = ask("POST", "uploads", headers={**evil, **TUS, "Upload-Length": "3"})
    assert begun.headers["Location"].startswith("https://chasqui.example/api/v1/uploads/")
    assert "evil" not in ask("GET", "people?limit=1", headers=evil).headers["Link"]


def test_archives_and_packed_files_are_no_media_in_the_words_of_pack(house: Any, tmp_path: Path) -> None:
    """Nothing of them is unpacked, so a bomb is as large as its file."""
    from chasqui.config import load
    from chasqui.errors import NotMedia, Rejected
    from chasqui.run import run_stage

    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("clase.wav", b"\0" * 5_000_000)
    bombs = {
        "bomb.zip": zipped.getvalue(),
        "clase.mp3": gzip.compress(b"\0" * 5_000_000),
        "a.wav": zipped.getvalue()[:-4],
    }
    for name, data in bombs.items():
        sent = house.client()("POST", "files", data={"file": (io.BytesIO(data), name)})
        assert sent.status_code == 201
        with pytest.raises(Rejected) as caught:
            run_stage("ingest", sent.json["recording_id"], house.store, load())
        assert isinstance(caught.value, NotMedia), name
    packed = house.client()(
        "POST",
        "sessions",
        data=gzip.compress(b"{}" * 1000),
        headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
    )
    assert packed.status_code in (400, 415, 422)
