"""What those who may read do with it: forged places in lists, patterns, ranges, streams that nobody ends."""

from __future__ import annotations

from typing import Any

import pytest

from chasqui.catalog import accounts, jobs
from chasqui.catalog.tables import Lesson
from chasqui.web.limits import MOST_STREAMS


def lesson(house: Any, title: str, school: str = "ours", number: int = 1, **facts: Any) -> str:
    teacher = accounts.who_by_token(house.catalog, house.tokens[school, "teacher"])
    with house.catalog.writing() as db:
        row = Lesson(
            school_id=teacher.school_id,
            owner_id=teacher.person_id,
            recording_id=f"{number:016x}",
            title=title,
            **{"state": "published", "facts": {"bytes": 5}, **facts},
        )
        db.add(row)
        db.flush()
        return str(row.id)


def test_patterns_in_what_is_looked_for_are_letters(house: Any) -> None:
    lesson(house, "La papa", number=1)
    lesson(house, "100 % papa", number=2)
    lesson(house, "papa_2", number=3)
    found = {
        text: [one["title"] for one in house.client()("GET", f"lessons?text={text}").json["items"]]
        for text in ("%25", "_", "pa%25pa", "\\", "'", "PAPA")
    }
    assert found == {
        "%25": ["100 % papa"],
        "_": ["papa_2"],
        "pa%25pa": [],
        "\\": [],
        "'": [],
        "PAPA": ["papa_2", "100 % papa", "La papa"],
    }


@pytest.mark.parametrize(
    "query",
    ["after=' OR 1=1", "after=%00", "after=" + "f" * 41, "limit=0", "limit=-1", "limit=1e9", "limit=201", "state=x"],
)
def test_places_in_lists_that_were_made_up_are_refused(house: Any, query: str) -> None:
    assert house.client()("GET", f"lessons?{query}").status_code == 422


def test_a_made_up_place_leads_to_nothing_of_another_school(house: Any) -> None:
    theirs = lesson(house, "Theirs", "theirs")
    ours = lesson(house, "Ours")
    for after in (theirs, "f" * 22, "0", "z"):
        answer = house.client()("GET", f"lessons?after={after}")
        shown = {one["id"] for one in (answer.json.get("items") or [])}
        assert shown <= {ours}
    etag = house.client("teacher", "theirs")("GET", f"lessons/{theirs}").headers["ETag"]
    asked = house.client()("GET", f"lessons/{theirs}", headers={"If-None-Match": etag})
    assert (asked.status_code, "ETag" in asked.headers) == (404, False)
    for path in (f"lessons/{theirs}/files/voice.opus", f"lessons/{'0' * 22}/files/voice.opus"):
        assert house.client()("GET", path, headers={"If-None-Match": "*"}).status_code == 404


def test_a_key_of_another_person_is_not_answered_with(house: Any) -> None:
    key, body = {"Idempotency-Key": "k"}, {"title": "Unidad"}
    mine = house.client("teacher")("POST", "units", body, headers=key)
    again = house.client("teacher")("POST", "units", body, headers=key)
    other = house.client("creator")("POST", "units", body, headers=key)
    assert again.json["id"] == mine.json["id"] != other.json["id"]
    assert "Idempotent-Replayed" not in other.headers
    school = house.client("teacher", "theirs")("POST", "units", body, headers=key)
    assert school.json["id"] not in (mine.json["id"], other.json["id"])


def test_streams_of_one_person_end_somewhere_and_are_free_again(house: Any) -> None:
    teacher = accounts.who_by_token(house.catalog, house.tokens["ours", "teacher"])
    with house.catalog.writing() as db:
        job = jobs.ask(
            db,
            school_id=str(teacher.school_id),
            owner_id=teacher.person_id,
            recording_id="0" * 16,
            goal="publish",
            first="ingest",
            queue="voice",
        )
    streams = [house.client()("GET", f"jobs/{job.id}/events", buffered=False) for _ in range(MOST_STREAMS)]
    assert {one.status_code for one in streams} == {200}
    full = house.client()("GET", f"jobs/{job.id}/events")
    assert (full.status_code, full.json["code"]) == (429, "TooManyTries")
    assert int(full.headers["Retry-After"]) > 1
    assert house.client("administrator")("HEAD", f"jobs/{job.id}/events").status_code == 200  # others go on
    for one in streams:
        one.close()
    for _ in range(MOST_STREAMS + 1):  # never read, and yet they are free again
        house.client()("GET", f"jobs/{job.id}/events", buffered=False).close()


def test_a_student_does_not_fill_the_teachers_list(house: Any) -> None:
    one, ask = lesson(house, "La papa"), house.client("student")
    said = [ask("POST", f"lessons/{one}/feedback", {"understood": 1, "text": "x"}).status_code for _ in range(63)]
    assert said == [201] * 60 + [429] * 3


def test_what_a_defect_writes_into_the_log_is_one_line(
    house: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(**_path: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(house.app.view_functions, "media.file", fails)
    house.app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = house.client(None)("GET", "lessons/x%0aFAKE/files/y", headers={"Authorization": "Bearer chq_t_secret"})
    assert answer.status_code == 500
    assert "chq_t_secret" not in caplog.text
    assert all("\n" not in one.getMessage() for one in caplog.records)
