"""Sessions, tokens, second factors: borrowed, planted, stolen, talked into more."""

from __future__ import annotations

import json
import time
from typing import Any

import pyotp
import pytest
from attacks import PASSWORD, member, serving, sign_in
from sqlalchemy import select, update

from chasqui.catalog import accounts, factors
from chasqui.catalog.tables import Invitation, Session, Token


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


def test_a_session_that_was_planted_is_not_taken_over(house: Any) -> None:
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


def test_cookies_are_for_our_pages_alone_and_for_https_where_there_is_one(house: Any) -> None:
    member(house)
    plain = sign_in(house.app.test_client()).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax"} <= set(plain.split("; "))
    assert "Domain" not in plain
    safe = serving(house, public_url="https://chasqui.example")
    assert "Secure" in sign_in(safe.test_client()).headers["Set-Cookie"].split("; ")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_forms_of_other_sites_sign_nobody_in_and_change_nothing(house: Any, kind: str) -> None:
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


def test_a_second_factor_is_not_taken_away_by_whoever_finds_an_open_session(house: Any) -> None:
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


@pytest.mark.parametrize("said", ["ñ", "１２３４５６", "\u0661" * 6, "𝟙𝟚𝟛𝟜𝟝𝟞"])
def test_codes_and_tokens_in_other_scripts_are_wrong_and_no_defect(house: Any, said: str) -> None:
    member(house)
    client = house.app.test_client()
    csrf = {"X-CSRF-Token": sign_in(client).json["csrf"]}
    wrong = {"X-CSRF-Token": said.encode().decode("latin-1")}
    assert client.post("/api/v1/second-factor", json={}, headers=wrong).status_code == 403
    codes = pyotp.TOTP(client.post("/api/v1/second-factor", json={}, headers=csrf).json["secret"])
    refused = client.put("/api/v1/second-factor", json={"code": said}, headers=csrf)
    assert (refused.status_code, refused.json["code"]) == (401, "SignInRefused")
    assert client.put("/api/v1/second-factor", json={"code": codes.now()}, headers=csrf).status_code == 204
    body = {"email": "rosa@example.pe", "password": PASSWORD, "code": said}
    assert house.app.test_client().post("/api/v1/sessions", json=body).json["code"] == "SignInRefused"


def test_sessions_of_one_person_end_somewhere_and_old_ones_go(house: Any) -> None:
    person = member(house)
    client = house.app.test_client()
    sign_in(client)
    with house.catalog.writing() as db:
        db.execute(update(Session).where(Session.person_id == person).values(expires_s=time.time() - 1))
    for _ in range(accounts.MOST_SESSIONS + 5):
        newest = house.app.test_client()
        assert sign_in(newest).status_code == 201
    with house.catalog.reading() as db:
        left = db.scalars(select(Session).where(Session.person_id == person)).all()
    assert len(left) == accounts.MOST_SESSIONS
    assert min(one.expires_s for one in left) > time.time()
    assert newest.get("/api/v1/me").status_code == 200


def enter(house: Any, code: str, nickname: str) -> Any:
    return house.app.test_client().post("/api/v1/sessions/class", json={"code": code, "nickname": nickname})


def test_nicknames_that_look_the_same_are_the_same(house: Any) -> None:
    room = accounts.make_class(house.catalog, house.schools["ours"], None, "4.º B")
    names = ("Wayra", "wayra", "Wayra\u200b", "\u202eWayra", "Ｗayra", " W\u00adayra ")
    assert len({enter(house, room.code, name).json["person_id"] for name in names}) == 1
    hidden = enter(house, room.code, "\u200b\u2066")
    assert (hidden.status_code, hidden.json["code"]) == (422, "BadAccount")


def test_a_student_whose_account_was_removed_may_come_in_again_as_somebody_new(house: Any) -> None:
    room = accounts.make_class(house.catalog, house.schools["ours"], None, "4.º B")
    first = enter(house, room.code, "Wayra").json["person_id"]
    assert house.client("administrator")("DELETE", f"people/{first}").status_code == 204
    again = enter(house, room.code, "Wayra")
    assert again.status_code == 201
    assert again.json["person_id"] != first


def test_a_class_is_not_filled_without_end(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MOST_PUPILS", 5)
    room = accounts.make_class(house.catalog, house.schools["ours"], None, "4.º B")
    said = [enter(house, room.code, f"N{n}") for n in range(7)]
    assert [one.status_code for one in said] == [201] * 5 + [403] * 2
    assert enter(house, room.code, "n0").status_code == 201  # who is in, is in
