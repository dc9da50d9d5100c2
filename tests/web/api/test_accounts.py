"""Accounts over HTTP: from the first link to a class of students."""

from __future__ import annotations

from typing import Any

from chasqui.catalog import accounts
from chasqui.web.server import first_link

PASSWORD = "la llama come ichu"


def test_the_first_link_makes_the_administrator(tmp_path: Any) -> None:
    from chasqui.run.service import Service
    from chasqui.web.app import make_app

    service = Service(data=tmp_path / "new")
    catalog = service.catalog()
    link = first_link(catalog)
    client = make_app(service, catalog, service.stores()).test_client()
    body = {"link": link, "name": "Rosa", "email": "rosa@example.pe", "password": PASSWORD}
    made = client.post("/api/v1/people", json=body)
    assert made.status_code == 201
    assert made.json["role"] == "administrator"
    assert first_link(catalog) is None
    assert client.get("/api/v1/me").json["person_id"] == made.json["person_id"]  # signed in by its cookie
    again = client.post("/api/v1/people", json=body | {"email": "otra@example.pe"})
    assert (again.status_code, again.json["code"]) == (410, "LinkSpent")
    catalog.close()


def test_a_cookie_changes_nothing_without_its_header(house: Any) -> None:
    link = accounts.invite(house.catalog, house.schools["ours"], "teacher")
    client = house.app.test_client()
    body = {"link": link, "name": "Rosa", "email": "rosa@example.pe", "password": PASSWORD}
    csrf = client.post("/api/v1/people", json=body).json["csrf"]
    assert client.post("/api/v1/classes", json={"name": "4.º B"}).status_code == 403
    assert client.post("/api/v1/classes", json={"name": "4.º B"}, headers={"X-CSRF-Token": "x"}).status_code == 403
    made = client.post("/api/v1/classes", json={"name": "4.º B"}, headers={"X-CSRF-Token": csrf})
    assert made.status_code == 201
    student = house.app.test_client()
    entered = student.post("/api/v1/sessions/class", json={"code": made.json["code"], "nickname": "Wayra"})
    assert (entered.status_code, entered.json["role"]) == (201, "student")
    assert student.post("/api/v1/classes", json={"name": "x"}).json["code"] == "NotAllowed"
    client.delete("/api/v1/sessions")
    assert client.get("/api/v1/me").status_code == 401


def test_a_token_cannot_make_a_stronger_one(house: Any) -> None:
    weak = house.client()("POST", "tokens", {"name": "a", "scopes": ["tokens.write"]}).json["token"]
    ask = house.client()
    ask.token = weak
    assert ask("POST", "tokens", {"name": "b", "scopes": ["lessons.write"]}).status_code == 403
    assert ask("POST", "tokens", {"name": "b", "scopes": ["tokens.write"]}).status_code == 201
    assert ask("GET", "people").status_code == 403


def test_nobody_sees_or_removes_people_of_another_school(house: Any) -> None:
    ours, theirs = house.client("administrator"), house.client("administrator", "theirs")
    people = ours("GET", "people").json["items"]
    assert {one["school_id"] for one in people} == {house.schools["ours"]}
    assert theirs("DELETE", f"people/{people[0]['id']}").status_code == 404
    assert ours("DELETE", f"people/{people[0]['id']}").status_code == 204
    assert len(ours("GET", "people").json["items"]) == len(people) - 1


def test_an_administrator_invites_to_the_own_school_only(house: Any) -> None:
    ask = house.client("administrator")
    assert ask("POST", "invitations", {"role": "teacher"}).status_code == 201
    assert ask("POST", "invitations", {"role": "operator"}).status_code == 403
    other = {"role": "teacher", "school_id": house.schools["theirs"]}
    assert ask("POST", "invitations", other).status_code == 403
    assert house.client("operator")("POST", "invitations", other).status_code == 201


def test_lists_come_in_pieces(house: Any) -> None:
    ask = house.client("administrator")
    seen, path = [], "people?limit=2"
    while path:
        answer = ask("GET", path)
        seen += [one["id"] for one in answer.json["items"]]
        path = f"people?limit=2&after={answer.json['next']}" if answer.json["next"] else ""
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 5
    first = ask("GET", "people?limit=2")
    assert 'rel="next"' in first.headers["Link"]
    assert ask("GET", "people?limit=2", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
