"""People who mean no good: guessing, lying about lengths, bombs, borrowed sessions, tricks with headers."""

from __future__ import annotations

import gzip
import io
import json
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import select, update

from chasqui.catalog import accounts, factors
from chasqui.catalog.tables import Invitation, Lesson, Person, School, Session, Token, Upload
from chasqui.run.service import Service
from chasqui.web.incoming import READ_BYTES
from chasqui.web.limits import Counters, place_of

PASSWORD = "la llama come ichu"
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}


def member(house: Any, email: str = "rosa@example.pe", role: str = "teacher") -> str:
    """Somebody with a password; their id."""
    link = accounts.invite(house.catalog, house.schools["ours"], role)
    return accounts.accept(house.catalog, link, "Rosa", email, PASSWORD).person_id


def sign_in(client: Any, password: str = PASSWORD, email: str = "rosa@example.pe", **rest: Any) -> Any:
    return client.post("/api/v1/sessions", json={"email": email, "password": password}, **rest)


def serving(house: Any, **settings: Any) -> Any:
    """The same house under other settings."""
    from chasqui.web.app import make_app

    return make_app(house.service.model_copy(update=settings), house.catalog, house.store)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords that are hashed fast: a thousand of them are guessed here."""
    import argon2

    from chasqui.catalog import secrets

    monkeypatch.setattr(secrets, "_hasher", lambda: argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    secrets._nobody.cache_clear()
    yield
    secrets._nobody.cache_clear()


# --- guessing -------------------------------------------------------------------------------------------------------


def test_a_thousand_wrong_passwords_end_after_a_few(house: Any, quick: None) -> None:
    member(house)
    client = house.app.test_client()
    said = [sign_in(client, f"wrong {n}") for n in range(1000)]
    codes = [one.json["code"] for one in said]
    assert codes[:5] == ["SignInRefused"] * 5
    assert codes[5:20] == ["AccountLocked"] * 15
    assert set(codes[20:]) == {"TooManyTries"}
    assert 1 <= int(said[5].headers["Retry-After"]) <= 60
    elsewhere = sign_in(client, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert elsewhere.json["code"] == "AccountLocked"  # the right one does not get in either, for now


def test_one_guess_at_each_of_many_accounts_ends_too(house: Any, quick: None) -> None:
    member(house)
    client = house.app.test_client()
    codes = [sign_in(client, "peru2026!", f"maestra{n}@example.pe").json["code"] for n in range(30)]
    assert codes == ["SignInRefused"] * 20 + ["TooManyTries"] * 10
    refused = sign_in(client)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 900
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    assert sign_in(client, environ_base=elsewhere).status_code == 201  # others go on


def test_what_is_right_is_not_counted(house: Any, quick: None) -> None:
    member(house)
    assert {sign_in(house.app.test_client()).status_code for _ in range(40)} == {201}


def test_codes_of_classes_and_links_are_not_found_by_trying(house: Any, quick: None) -> None:
    client = house.app.test_client()
    said = [client.post("/api/v1/sessions/class", json={"code": f"KPT34{n:02d}", "nickname": "W"}) for n in range(35)]
    assert [one.status_code for one in said] == [404] * 30 + [429] * 5
    body = {"name": "Rosa", "email": "rosa@example.pe", "password": PASSWORD}
    said = [client.post("/api/v1/people", json={**body, "link": f"chq_l_{n}"}) for n in range(22)]
    assert [one.status_code for one in said] == [410] * 20 + [429] * 2


def test_guesses_at_the_same_moment_are_all_counted(house: Any, quick: None) -> None:
    person = member(house)
    threads = [threading.Thread(target=sign_in, args=[house.app.test_client(), "wrong"]) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with house.catalog.reading() as db:
        found = db.get_one(Person, person)
    assert found.failures == factors.TRIES  # the rest found it locked
    assert sign_in(house.app.test_client()).json["code"] == "AccountLocked"


def test_a_place_is_an_address_or_the_network_of_one_customer() -> None:
    assert place_of("203.0.113.9") == place_of("::ffff:203.0.113.9") == "203.0.113.9"
    assert place_of("2001:db8:1:2::1") == place_of("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert place_of("") == ""


def test_an_address_that_the_caller_makes_up_is_not_believed(house: Any, quick: None) -> None:
    client = house.app.test_client()
    codes = [sign_in(client, "x", headers={"X-Forwarded-For": f"198.51.100.{n}"}).json["code"] for n in range(21)]
    assert codes[-1] == "TooManyTries"
    behind = serving(house, proxies=1).test_client()  # an operator's own proxy is
    codes = [sign_in(behind, "x", headers={"X-Forwarded-For": f"198.51.100.{n}"}).json["code"] for n in range(21)]
    assert codes[-1] == "SignInRefused"


@pytest.mark.parametrize("url", ["memory:", "redis://127.0.0.1:1/0"])
def test_tries_are_counted_where_redis_is_away(url: str) -> None:
    counters = Counters(url)
    for _ in range(20):
        assert counters.wait_s("passwords", "x") is None
        counters.count("passwords", "x")
    assert 0 < (counters.wait_s("passwords", "x") or 0) <= 900
    assert counters.wait_s("passwords", "y") is None


# --- sessions, tokens, second factors ---------------------------------------------------------------------------------


def test_tokens_that_were_stolen_end_when_they_are_revoked_or_their_owner_goes(house: Any) -> None:
    ask = house.client()
    made = ask("POST", "tokens", {"name": "a", "scopes": ["school.read"], "days": 1}).json["token"]
    stolen = house.client()
    stolen.token = made
    assert stolen("GET", "me").status_code == 200
    with house.catalog.writing() as db:
        db.execute(update(Token).where(Token.name == "a").values(expires_s=time.time() - 1))
    assert stolen("GET", "me").status_code == 401
    with house.catalog.writing() as db:
        db.execute(update(Token).where(Token.name == "a").values(expires_s=None))
    house.client("administrator")("DELETE", f"people/{ask('GET', 'me').json['person_id']}")
    assert stolen("GET", "me").status_code == 401
    for nonsense in ("", "chq_t_", "a" * 5000, "chq_s_x", "ñ"):
        stolen.token = nonsense or None
        assert stolen("GET", "me").status_code == 401


def test_a_session_that_was_planted_is_not_taken_over(house: Any, quick: None) -> None:
    member(house)
    client = house.app.test_client()
    client.set_cookie("chasqui", "chq_s_planted")
    sign_in(client)
    cookie = client.get_cookie("chasqui")
    assert cookie is not None
    assert cookie.value != "chq_s_planted"
    other = house.app.test_client()
    other.set_cookie("chasqui", "chq_s_planted")
    assert other.get("/api/v1/me").status_code == 401
    sign_in(client)  # signing in again ends what was open on this device
    other.set_cookie("chasqui", cookie.value)
    assert other.get("/api/v1/me").status_code == 401


def test_cookies_are_for_our_pages_alone_and_for_https_where_there_is_one(house: Any, quick: None) -> None:
    member(house)
    plain = sign_in(house.app.test_client()).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax"} <= set(plain.split("; "))
    assert "Domain" not in plain
    safe = serving(house, public_url="https://chasqui.example")
    assert "Secure" in sign_in(safe.test_client()).headers["Set-Cookie"].split("; ")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_forms_of_other_sites_sign_nobody_in_and_change_nothing(house: Any, quick: None, kind: str) -> None:
    member(house)
    body = json.dumps({"email": "rosa@example.pe", "password": PASSWORD})
    client = house.app.test_client()
    refused = client.post("/api/v1/sessions", data=body, content_type=kind, headers={"Origin": "https://evil.example"})
    assert refused.status_code in (400, 415, 422)
    assert "Set-Cookie" not in refused.headers
    csrf = sign_in(client).json["csrf"]
    assert client.post("/api/v1/units", json={"title": "x"}).status_code == 403
    stranger = member(house, "otra@example.pe")
    other = house.app.test_client()
    theirs = sign_in(other, email="otra@example.pe").json
    assert theirs["person_id"] == stranger
    wrong = client.post("/api/v1/units", json={"title": "x"}, headers={"X-CSRF-Token": theirs["csrf"]})
    assert wrong.status_code == 403
    assert client.post("/api/v1/units", json={"title": "x"}, headers={"X-CSRF-Token": csrf}).status_code == 201


def test_who_changes_people_needs_a_second_factor_where_others_reach_the_service(house: Any) -> None:
    app = serving(house, public_url="https://chasqui.example")
    ask = house.client("administrator")
    ask.flask = app.test_client()
    refused = ask("POST", "invitations", {"role": "teacher"}, headers={"Accept-Language": "es"})
    assert (refused.status_code, refused.json["code"]) == (403, "SecondFactorMissing")
    assert "segundo factor" in refused.json["detail"]
    assert ask("GET", "people").status_code == 200  # looking is free
    codes = pyotp.TOTP(ask("POST", "second-factor", {}).json["secret"])
    assert ask("POST", "invitations", {"role": "teacher"}).status_code == 403  # begun is not done
    assert ask("PUT", "second-factor", {"code": codes.now()}).status_code == 204
    assert ask("POST", "invitations", {"role": "teacher"}).status_code == 201
    assert house.client("administrator", "theirs")("POST", "invitations", {"role": "teacher"}).status_code == 201
    alone = serving(house, second_factor="yes")
    other = house.client("administrator", "theirs")
    other.flask = alone.test_client()
    assert other("POST", "invitations", {"role": "teacher"}).status_code == 403


def test_a_second_factor_is_not_taken_away_by_whoever_finds_an_open_session(house: Any, quick: None) -> None:
    person = member(house)
    client, forgotten = house.app.test_client(), house.app.test_client()
    csrf = {"X-CSRF-Token": sign_in(client).json["csrf"]}
    sign_in(forgotten)
    codes = pyotp.TOTP(client.post("/api/v1/second-factor", json={}, headers=csrf).json["secret"])
    assert client.put("/api/v1/second-factor", json={"code": codes.now()}, headers=csrf).status_code == 204
    assert forgotten.get("/api/v1/me").status_code == 401  # it was begun without one
    assert client.get("/api/v1/me").status_code == 200
    assert client.post("/api/v1/second-factor", json={}, headers=csrf).json["code"] == "SecondFactorNeeded"
    wrong = [client.post("/api/v1/second-factor", json={"code": "000000"}, headers=csrf).json["code"] for _ in range(6)]
    assert wrong == ["SignInRefused"] * 5 + ["AccountLocked"]
    assert factors.has(house.catalog, person)


def test_a_stronger_role_is_not_talked_into_an_invitation(house: Any) -> None:
    link = house.client("administrator")("POST", "invitations", {"role": "student"}).json["link"]
    body = {"link": link, "name": "R", "email": "r@example.pe", "password": PASSWORD, "role": "administrator"}
    client = house.app.test_client()
    assert client.post("/api/v1/people", json=body).status_code == 422
    del body["role"]
    assert client.post("/api/v1/people", json=body).json["role"] == "student"
    with house.catalog.reading() as db:
        assert all(one.used_s for one in db.scalars(select(Invitation)))
        assert all(len(one.secret_hash) == 64 for one in db.scalars(select(Session)))  # nothing that opens is kept


# --- what is sent -----------------------------------------------------------------------------------------------------


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


# --- over real sockets ------------------------------------------------------------------------------------------------


@pytest.fixture
def link(house: Any) -> Iterator[Any]:
    """A new connection to the server that serves, with the limits that it really has."""
    from chasqui.web.server import make_server

    server = make_server(house.app, "127.0.0.1", 0)
    server.timeout = 1
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield lambda: socket.create_connection(("127.0.0.1", server.bind_addr[1]), timeout=10)
    server.stop()
    thread.join()


def told(link: socket.socket) -> bytes:
    """All that is answered, until the other side ends it."""
    said = b""
    try:
        while more := link.recv(65536):
            said += more
    except OSError:
        return said
    return said


def request(house: Any, method: str, path: str, *headers: str) -> bytes:
    token = house.tokens["ours", "teacher"]
    lines = [
        f"{method} /api/v1/{path} HTTP/1.1",
        "Host: x",
        "Connection: close",
        f"Authorization: Bearer {token}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def upload(house: Any, size: int) -> str:
    begun = house.client()("POST", "uploads", headers={**TUS, "Upload-Length": str(size)})
    return str(begun.headers["Location"].rpartition("/")[2])


def piece(house: Any, upload_id: str, *lengths: str) -> bytes:
    kind = "Content-Type: application/offset+octet-stream"
    return request(house, "PATCH", f"uploads/{upload_id}", kind, "Tus-Resumable: 1.0.0", "Upload-Offset: 0", *lengths)


def kept(house: Any, upload_id: str) -> int:
    path = house.service.incoming / f"{upload_id}.part"
    return path.stat().st_size if path.exists() else 0


def test_a_piece_that_is_longer_than_it_said_is_cut_at_its_length(house: Any, link: Any) -> None:
    one = upload(house, 10)
    with link() as to:
        to.sendall(piece(house, one, "Content-Length: 5") + b"12345" + b"x" * 5000)
        assert b" 204 " in told(to).split(b"\r\n")[0]
    assert kept(house, one) == 5


def test_a_piece_that_says_more_than_was_begun_is_refused_unread(house: Any, link: Any) -> None:
    one = upload(house, 10)
    with link() as to:
        to.sendall(piece(house, one, "Content-Length: 900000000000"))
        assert b" 413 " in told(to).split(b"\r\n")[0]
    assert kept(house, one) == 0


def test_a_body_that_never_ends_is_ended(house: Any, link: Any) -> None:
    one = upload(house, 1000)
    with link() as to:
        to.sendall(piece(house, one, "Transfer-Encoding: chunked"))
        try:
            for _ in range(2000):
                to.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")
        except OSError:
            pass  # the other side has had enough
        said = told(to)
    assert said == b"" or b" 204 " not in said.split(b"\r\n")[0]
    assert kept(house, one) <= 1000


def test_a_body_that_stops_coming_is_not_waited_for_and_what_came_is_kept(house: Any, link: Any) -> None:
    one = upload(house, 100_000)
    with link() as to:
        to.sendall(piece(house, one, "Content-Length: 100000") + b"x" * 50_000)
        told(to)  # ends by itself: nobody waits for ever
    assert 50_000 - READ_BYTES < kept(house, one) <= 50_000


@pytest.mark.parametrize(
    "lengths",
    [
        ("Content-Length: 5", "Content-Length: 50"),
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Content-Length: -5",),
        ("Content-Length: 5, 6",),
        ("Content-Length: +5",),
        ("Transfer-Encoding: chunked, chunked",),
    ],
)
def test_two_requests_are_not_smuggled_as_one(house: Any, link: Any, lengths: tuple[str, ...]) -> None:
    one = upload(house, 10)
    hidden = request(house, "DELETE", f"uploads/{one}", "Tus-Resumable: 1.0.0")
    with link() as to:
        to.sendall(piece(house, one, *lengths) + b"0\r\n\r\n" + hidden)
        said = told(to)
    assert said.count(b"HTTP/1.1 ") <= 1
    with house.catalog.reading() as db:
        assert db.get_one(Upload, one).state == "open"  # the second one was not heard


@pytest.mark.parametrize(
    "head",
    [
        b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 2_000_000 + b"\r\n\r\n",
        b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 200_000 + b"\r\n",
        b"GET /" + b"a" * 2_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\nX-A",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_heads_that_are_too_long_or_never_end_are_ended(link: Any, head: bytes) -> None:
    with link() as to:
        with suppress(OSError):  # the other side may have had enough
            to.sendall(head)
        said = told(to)
    assert b" 200 " not in said.split(b"\r\n")[0]
    assert b"Traceback" not in said


def test_who_lies_takes_no_room_of_the_school(house: Any, link: Any) -> None:
    one = upload(house, 10)
    with link() as to:
        to.sendall(piece(house, one, "Content-Length: 5") + b"123")
        told(to)
    house.client()("DELETE", f"uploads/{one}", headers=TUS)
    with house.catalog.reading() as db:
        assert db.scalar(select(School.used_bytes).where(School.slug == "ours")) == 0
        assert db.scalars(select(Lesson)).all() == []


def test_settings_that_open_doors_are_closed_unless_said(tmp_path: Path) -> None:
    service = Service(data=tmp_path)
    assert (service.private_networks, service.proxies, service.second_factor) == ("", 0, "auto")
