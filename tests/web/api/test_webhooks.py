"""Webhooks over the API: whose they are, the secret that is shown once, and what is refused at once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from chasqui.catalog.tables import Letter

URL = "https://93.184.215.14/chasqui"


def made(house: Any, role: str = "creator", **body: Any) -> Any:
    answer = house.client(role)("POST", "webhooks", {"url": URL, **body})
    assert answer.status_code == 201, answer.text
    return answer.json


def test_the_secret_is_shown_once(house: Any) -> None:
    hook = made(house, events=["lesson.published", "lesson.published"])
    assert hook["secret"].startswith("whsec_")
    assert hook["events"] == ["lesson.published"]
    ask = house.client("creator")
    for answer in (
        ask("GET", f"webhooks/{hook['id']}"),
        ask("GET", "webhooks"),
        ask("PATCH", f"webhooks/{hook['id']}", {}),
    ):
        assert answer.status_code == 200
        assert hook["secret"] not in answer.text
        assert hook["id"] in answer.text


def test_an_idempotency_key_does_not_keep_the_secret(house: Any) -> None:
    ask, key = house.client("creator"), {"Idempotency-Key": "a-1"}
    first, again = (ask("POST", "webhooks", {"url": URL}, headers=key).json["secret"] for _ in range(2))
    assert first != again


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1/x", "ForbiddenAddress"),
        ("http://169.254.169.254/latest/meta-data", "ForbiddenAddress"),
        ("https://me:secret@93.184.215.14/", "ForbiddenAddress"),
        ("ftp://93.184.215.14/", "ForbiddenAddress"),
        ("not a link at all", "ForbiddenAddress"),
        ("https://93.184.215.14/\r\nX: y", "ForbiddenAddress"),
        ("x", "BadRequest"),
    ],
)
def test_addresses_that_would_never_work_are_said_at_once(house: Any, url: str, code: str) -> None:
    ask = house.client("creator")
    assert ask("POST", "webhooks", {"url": url}).json["code"] == code
    hook = made(house)["id"]
    assert ask("PATCH", f"webhooks/{hook}", {"url": url}).json["code"] == code
    assert ask("GET", f"webhooks/{hook}").json["url"] == URL


def test_a_name_that_is_not_known_today_may_be_tomorrow(house: Any) -> None:
    assert house.client("creator")("POST", "webhooks", {"url": "https://nowhere.invalid/x"}).status_code == 201


def test_what_does_not_happen_cannot_be_asked_for(house: Any) -> None:
    assert house.client("creator")("POST", "webhooks", {"url": URL, "events": ["lesson.eaten"]}).status_code == 422


def test_each_sees_their_own_and_the_administrator_the_schools(house: Any) -> None:
    hook, data = made(house)["id"], made(house, "data")["id"]
    for role, seen in (("creator", [hook]), ("data", [data]), ("administrator", [data, hook])):
        assert [one["id"] for one in house.client(role)("GET", "webhooks").json["items"]] == seen
    assert house.client("administrator", "theirs")("GET", "webhooks").json["items"] == []
    calls = (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/pings"), ("GET", "/deliveries"))
    for method, rest in calls:
        body = {} if method == "PATCH" else None
        for role, school in (("data", "ours"), ("creator", "theirs"), ("administrator", "theirs")):
            answer = house.client(role, school)(method, f"webhooks/{hook}{rest}", body)
            assert answer.status_code == 404, (method, rest, role, school)
        for role in ("teacher", "student", "operator"):
            assert house.client(role)(method, f"webhooks/{hook}{rest}", body).status_code == 403
        assert house.client(None)(method, f"webhooks/{hook}{rest}", body).status_code == 401
    assert house.client("administrator")("DELETE", f"webhooks/{hook}").status_code == 204
    assert house.client("creator")("GET", f"webhooks/{hook}").status_code == 404


def test_a_ping_is_a_letter_and_shows_among_the_last_ones(house: Any) -> None:
    hook, ask = made(house)["id"], house.client("creator")
    name = ask("POST", f"webhooks/{hook}/pings")
    assert name.status_code == 202
    (letter,) = ask("GET", f"webhooks/{hook}/deliveries").json["items"]
    assert (letter["id"], letter["event"], letter["attempts"], letter["sent_s"]) == (name.json["id"], "ping", 0, None)
    with house.catalog.reading() as db:
        assert db.scalars(select(Letter.address).where(Letter.kind == "webhook")).all() == [hook]


def test_it_can_be_stopped_and_started_again(house: Any) -> None:
    hook, ask = made(house)["id"], house.client("creator")
    assert ask("PATCH", f"webhooks/{hook}", {"stopped": True}).json["stopped_s"]
    assert ask("PATCH", f"webhooks/{hook}", {"events": ["job.failed"]}).json["stopped_s"]
    started = ask("PATCH", f"webhooks/{hook}", {"stopped": False}).json
    assert (started["stopped_s"], started["events"]) == (None, ["job.failed"])
