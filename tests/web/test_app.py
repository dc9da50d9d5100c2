"""The application: its parts, its errors, what every answer carries."""

from __future__ import annotations

from typing import Any

import pytest

from chasqui.errors import BadConfig
from chasqui.web.app import make_app


def test_every_answer_carries_what_protects_it(house: Any) -> None:
    for path in ("health", "me", "/nothing"):
        headers = house.client()("GET", path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_errors_are_problems_in_the_language_of_whoever_asks(house: Any) -> None:
    ask = house.client(None)
    for language, said in (("es-PE,es", "Por favor, ingrese."), ("en", "Please sign in.")):
        answer = ask("GET", "me", headers={"Accept-Language": language})
        assert answer.status_code == 401
        assert answer.mimetype == "application/problem+json"
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json["code"] == "NotSignedIn"
        assert said in answer.json["detail"]
    missing = ask("GET", "/nothing")
    assert (missing.status_code, missing.json["code"]) == (404, "NotFound")
    wrong = ask("POST", "sessions", {"email": "a"})
    assert (wrong.status_code, wrong.json["evidence"]) == (422, {"password": "Field required"})


def test_a_defect_shows_nothing_of_its_insides(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("chasqui.run.parts.Parts.seen", broken)
    answer = house.client(None)("GET", "health")
    assert (answer.status_code, answer.json["code"]) == (500, "Defect")
    assert "hunter2" not in answer.text


def test_parts_can_be_served_apart(house: Any) -> None:
    app = make_app(house.service, house.catalog, house.stores, ["health"])
    client = app.test_client()
    assert client.get("/api/v1/health").status_code == 200
    assert client.get("/api/v1/me").status_code == 404
    with pytest.raises(BadConfig, match="healht"):
        make_app(house.service, house.catalog, house.stores, ["healht"])
