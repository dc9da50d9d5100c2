"""An administrator sets up a school by the API: first link, people, a class, a second factor, somebody who leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from absent import missing


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Any]:
    try:
        import cheroot  # noqa: F401
        import flask_openapi3  # noqa: F401
        import pyotp  # noqa: F401
    except ImportError:
        missing("chasqui[serve]")
    from serving import Serving

    made = Serving(tmp_path / "data", worker=False)
    yield made
    made.end()


def test_a_school_from_its_first_link_to_somebody_who_leaves(serving: Any) -> None:
    import pyotp
    from serving import PASSWORD, Browser

    # The first link makes the administrator, once.
    rosa = Browser(serving.url)
    assert rosa.accept(serving.first_link, "Rosa", "rosa@example.pe")["role"] == "administrator"
    body = {"link": serving.first_link, "name": "Otra", "email": "otra@example.pe", "password": PASSWORD}
    assert Browser(serving.url)("POST", "people", body)[0] == 410
    status, school = rosa("GET", "school")
    assert (status, school["used_bytes"]) == (200, 0)

    # A second factor: from now on the password alone is not enough.
    status, begun = rosa("POST", "second-factor", {})
    assert status == 201
    codes = pyotp.TOTP(begun["secret"])
    assert rosa("PUT", "second-factor", {"code": codes.now()})[0] == 204
    again, signing = Browser(serving.url), {"email": "rosa@example.pe", "password": PASSWORD}
    status, told = again("POST", "sessions", signing)
    assert (status, told["code"]) == (401, "SecondFactorNeeded")
    assert "seis" in told["detail"]
    following = codes.generate_otp(codes.timecode(_now()) + 1)
    assert again("POST", "sessions", {**signing, "code": following})[0] == 201
    assert again("GET", "me")[1]["role"] == "administrator"

    # A teacher comes by a link, makes a class, and its students by their code alone.
    teacher = Browser(serving.url)
    me = teacher.accept(again.invite("teacher"), "Wayra", "wayra@example.pe")
    status, room = teacher("POST", "classes", {"name": "4.º B"})
    assert status == 201
    students = []
    for nickname in ("Illa", "Amaru"):
        students.append(Browser(serving.url))
        status, entered = students[-1]("POST", "sessions/class", {"code": room["code"], "nickname": nickname})
        assert (status, entered["role"]) == (201, "student")
    assert students[0]("GET", "lessons") == (200, {"items": [], "next": None})
    assert students[0]("POST", "classes", {"name": "mía"})[0] == 403
    assert students[0]("GET", "people")[0] == 403
    status, wrong = Browser(serving.url)("POST", "sessions/class", {"code": "ZZZZZZZ", "nickname": "Killa"})
    assert (status, wrong["code"]) == (404, "UnknownClass")

    # A program of the teacher's may upload and nothing else.
    key = teacher.token("uploads.write")
    program = {"Authorization": f"Bearer {key}"}
    assert Browser(serving.url)("GET", "people", None, **program)[0] == 403
    tus = {**program, "Tus-Resumable": "1.0.0", "Upload-Length": "5"}
    assert Browser(serving.url)("POST", "uploads", None, **tus)[0] == 201

    # The teacher leaves: session, key and links end at once; the class goes on without.
    status, people = again("GET", "people?limit=200")
    assert {one["name"] for one in people["items"]} == {"Rosa", "Wayra", "Illa", "Amaru"}
    assert again("DELETE", f"people/{me['person_id']}")[0] == 204
    assert teacher("GET", "me")[0] == 401
    assert Browser(serving.url)("POST", "uploads", None, **tus)[0] == 401
    assert Browser(serving.url)("POST", "sessions", {"email": "wayra@example.pe", "password": PASSWORD})[0] == 401
    assert students[1]("GET", "me")[0] == 200


def _now() -> Any:
    import datetime

    return datetime.datetime.now()
