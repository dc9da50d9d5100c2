"""People over HTTP: roles, forgotten passwords, who is in a class."""

from __future__ import annotations

from typing import Any

from chasqui.catalog import accounts

PASSWORD, OTHER = "la llama come ichu", "el cóndor no avisa"


def joined(house: Any, role: str, name: str) -> tuple[Any, str, str]:
    """(browser of somebody who has just come in, its X-CSRF-Token, their id)"""
    browser = house.app.test_client()
    link = accounts.invite(house.catalog, house.schools["ours"], role)
    body = {"link": link, "name": name, "email": f"{name}@example.pe", "password": PASSWORD}
    told = browser.post("/api/v1/people", json=body).json
    return browser, told["csrf"], told["person_id"]


def test_an_administrator_changes_a_role_but_not_the_last_ones(house: Any) -> None:
    ask = house.client("administrator")
    browser, _, rosa = joined(house, "creator", "rosa")
    assert ask("PATCH", f"people/{rosa}", {"role": "teacher", "name": "Rosa Q."}).json["role"] == "teacher"
    assert browser.get("/api/v1/me").status_code == 401
    (me,) = (one for one in ask("GET", "people").json["items"] if one["role"] == "administrator")
    refused = ask("PATCH", f"people/{me['id']}", {"role": "teacher"}, headers={"Accept-Language": "es"})
    assert (refused.status_code, refused.json["code"]) == (409, "LastOfRole")
    assert "última persona" in refused.json["detail"]
    assert ask("DELETE", f"people/{me['id']}").status_code == 409
    assert ask("PATCH", f"people/{rosa}", {"role": "operator"}).json["code"] == "BadAccount"
    assert house.client("administrator", "theirs")("PATCH", f"people/{rosa}", {"name": "x"}).status_code == 404
    assert house.client("operator")("PATCH", f"people/{rosa}", {"role": "administrator"}).status_code == 200
    assert ask("PATCH", f"people/{me['id']}", {"role": "teacher"}).status_code == 200
    assert ask("GET", "people").status_code == 401  # whose token allowed more


def test_a_forgotten_password_is_set_by_a_link_that_an_administrator_gives(house: Any) -> None:
    browser, _, rosa = joined(house, "teacher", "rosa")
    told = house.client("administrator")("POST", f"people/{rosa}/password-links")
    assert told.status_code == 201
    assert told.json["url"].endswith(f"/password#{told.json['link']}")
    nobody = house.client(None)
    assert nobody("PUT", "password", {"link": told.json["link"], "password": OTHER}).status_code == 204
    assert nobody("PUT", "password", {"link": told.json["link"], "password": PASSWORD}).status_code == 410
    assert browser.get("/api/v1/me").status_code == 401
    assert nobody("POST", "sessions", {"email": "rosa@example.pe", "password": PASSWORD}).status_code == 401
    assert nobody("POST", "sessions", {"email": "rosa@example.pe", "password": OTHER}).status_code == 201
    assert house.client("teacher")("POST", f"people/{rosa}/password-links").status_code == 403
    assert house.client("administrator", "theirs")("POST", f"people/{rosa}/password-links").status_code == 404


def test_the_own_password_is_changed_by_who_knows_it(house: Any) -> None:
    here, csrf, _ = joined(house, "teacher", "rosa")
    there = house.app.test_client()
    there.post("/api/v1/sessions", json={"email": "rosa@example.pe", "password": PASSWORD})
    body = {"old": PASSWORD, "new": OTHER}
    assert here.put("/api/v1/me/password", json=body).status_code == 403  # another site
    headers = {"X-CSRF-Token": csrf}
    assert here.put("/api/v1/me/password", json=body | {"old": "x"}, headers=headers).status_code == 401
    assert here.put("/api/v1/me/password", json=body, headers=headers).status_code == 204
    assert here.get("/api/v1/me").status_code == 200
    assert there.get("/api/v1/me").status_code == 401


def test_teachers_see_and_take_out_who_is_in_their_class_and_children_leave(house: Any) -> None:
    teacher = house.client("teacher")
    room = teacher("POST", "classes", {"name": "4.º B"}).json
    browsers = {}
    for name in ("Wayra", "Inti"):
        browsers[name] = house.app.test_client()
        told = browsers[name].post("/api/v1/sessions/class", json={"code": room["code"], "nickname": name}).json
        browsers[name].environ_base["HTTP_X_CSRF_TOKEN"] = told["csrf"]
    pupils = {one["name"]: one["id"] for one in teacher("GET", f"classes/{room['id']}/pupils").json["items"]}
    assert pupils.keys() == browsers.keys()
    assert browsers["Inti"].get(f"/api/v1/classes/{room['id']}/pupils").status_code == 403
    assert teacher("DELETE", f"classes/{room['id']}/pupils/{pupils['Wayra']}").status_code == 204
    assert teacher("DELETE", f"classes/{room['id']}/pupils/{pupils['Wayra']}").status_code == 404
    assert browsers["Wayra"].get("/api/v1/me").status_code == 401
    assert browsers["Inti"].delete(f"/api/v1/me/classes/{room['id']}").status_code == 204
    assert browsers["Inti"].get("/api/v1/me").status_code == 401
    assert teacher("GET", f"classes/{room['id']}/pupils").json["items"] == []
    code = teacher("POST", f"classes/{room['id']}/codes").json["code"]
    entered = house.app.test_client().post
    assert entered("/api/v1/sessions/class", json={"code": room["code"], "nickname": "Wayra"}).status_code == 404
    assert entered("/api/v1/sessions/class", json={"code": code, "nickname": "Wayra"}).status_code == 201
