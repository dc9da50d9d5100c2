"""For whoever runs the service: the whole of it at one glance, and what failed tried again."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import sqlalchemy as sa

from chasqui.catalog import counts, jobs
from chasqui.catalog.tables import Job, Lesson, Person
from chasqui.errors import ServiceDown
from chasqui.run.parts import Part, Parts
from chasqui.web.api.service import ServiceShape


def asked(house: Any, school: str = "ours", role: str = "teacher", **facts: Any) -> str:
    """A job for a new lesson of somebody."""
    with house.catalog.writing() as db:
        wanted = (Person.role == role, Person.school_id == house.schools[school])
        owner = db.scalars(sa.select(Person).where(*wanted)).one()
        number = db.scalar(sa.select(sa.func.count()).select_from(Lesson)) or 0
        place = {"school_id": house.schools[school], "owner_id": owner.id, "recording_id": f"{number:016x}"}
        db.add(lesson := Lesson(**place, title="La papa"))
        db.flush()
        job = jobs.ask(db, **place, lesson_id=lesson.id, goal="publish", first="ingest", queue="voice")
        for name, fact in facts.items():
            setattr(job, name, fact)
        return job.id


def failed(house: Any, code: str = "GaveUp", **rest: Any) -> str:
    return asked(house, state="failed", error=code, ended_s=time.time(), **rest)


def states(house: Any) -> list[str]:
    with house.catalog.reading() as db:
        return sorted(db.scalars(sa.select(Job.state)))


# --- how it is ---


def test_the_whole_of_it_at_one_glance(house: Any) -> None:
    asked(house)
    jobs.take(house.catalog, asked(house, "theirs"), "ingest", "host:1:f")
    silent = asked(house, state="running", worker="host:2:f", beat_s=time.time() - 60, stage="transcribe")
    failed(house)
    answer = house.client("operator")("GET", "service")
    seen = answer.json
    ServiceShape.model_validate(seen)
    assert seen["jobs"] == {
        "waiting": 1,
        "running": 2,
        "silent": 1,
        "last_day": {"done": 0, "failed": 1, "cancelled": 0, "failures": [{"error": "GaveUp", "count": 1}]},
    }
    voice, words, video = seen["queues"]
    assert (voice["name"], voice["waiting"], voice["running"], voice["silent"]) == ("voice", 1, 1, 0)
    assert 0 <= voice["oldest_waiting_s"] < 60
    assert (words["waiting"], words["running"], words["silent"], words["oldest_waiting_s"]) == (0, 1, 1, None)
    assert (video["messages"], video["listeners"], seen["dead_letters"]) == (0, None, 0)
    assert [(one["name"], one["silent"]) for one in seen["workers"]] == [("host:2:f", True), ("host:1:f", False)]
    assert seen["workers"][0]["job_id"] == silent
    tasks = next(one for one in seen["letters"] if one["kind"] == "task")
    assert (tasks["unsent"], tasks["given_up"]) == (4, 0)
    assert {one["name"]: (one["kind"], one["state"]) for one in seen["parts"]} == {
        "catalog": ("sqlite", "ok"),
        "store": ("file", "ok"),
        "broker": ("embedded", "ok"),
        "cache": ("memory", "ok"),
    }
    assert seen["disk"]["bytes"] > seen["disk"]["free_bytes"] > 0
    assert re.fullmatch("[0-9]{4}", seen["schema"])


def test_a_broker_that_is_away_leaves_the_rest_to_be_seen(house: Any) -> None:
    def away() -> None:
        raise ServiceDown(url="amqp://mq", why="nobody is there")

    whole = house.app.extensions["parts"].parts
    parts = [one for one in whole if one.name != "broker"] + [Part("broker", "amqp", "amqp://mq", False, away)]
    house.app.extensions["parts"] = Parts(parts)
    asked(house)
    seen = house.client("operator")("GET", "service").json
    ServiceShape.model_validate(seen)
    assert seen["dead_letters"] is None
    assert [one["messages"] for one in seen["queues"]] == [None] * 3
    assert seen["queues"][0]["waiting"] == 1
    broker = next(one for one in seen["parts"] if one["name"] == "broker")
    assert (broker["state"], broker["why"]) == ("ServiceDown", "nobody is there")
    assert "broker_messages" not in house.client("operator")("GET", "service/metrics").text


def test_no_password_is_shown_even_where_nothing_answers(tmp_path: Any) -> None:
    from chasqui.catalog import accounts
    from chasqui.catalog.permissions import Actor
    from chasqui.run.service import Service
    from chasqui.web.app import make_app

    service = Service(
        data=tmp_path,
        broker_url="amqp://rosa:hunter2@127.0.0.1:1//",
        cache_url="redis://:hunter2@127.0.0.1:1/0",
        mqtt_url="mqtt://rosa:hunter2@127.0.0.1:1",
    )
    catalog = service.catalog()
    with catalog.writing() as db:
        db.add(person := Person(school_id=None, role="operator", name="O"))
        db.flush()
    token = accounts.make_token(catalog, Actor(person.id, "operator", None), "t", ["service.read"])
    app = make_app(service, catalog, service.stores(), ["service", "health"])
    for path in ("service", "service/metrics", "health"):
        answer = app.test_client().get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200
        assert "hunter2" not in answer.text
        assert "rosa" not in answer.text
    seen = app.test_client().get("/api/v1/service", headers={"Authorization": f"Bearer {token}"}).json
    shown = {one["name"]: (one["address"], one["state"] == "ok") for one in seen["parts"]}
    assert shown["broker"] == ("amqp://127.0.0.1:1//", False)
    assert shown["cache"] == ("redis://127.0.0.1:1/0", False)
    assert shown["notices"] == ("mqtt://127.0.0.1:1", False)
    catalog.close()


# --- in numbers ---

SAMPLE = re.compile(r'chasqui_[a-z_]+(\{([a-z_]+="[^"\\\n]*"(,[a-z_]+="[^"\\\n]*")*)\})? -?[0-9.e+]+')


def test_prometheus_reads_it(house: Any) -> None:
    asked(house)
    failed(house)
    failed(house, 'Any"thing\n')  # of a Chasqui that knows more errors
    answer = house.client("operator")("GET", "service/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text.endswith("\n")
    typed: list[str] = []
    for line in answer.text.splitlines():
        if line.startswith("# TYPE "):
            typed.append(line.split()[2])
            assert line.split()[3] == "gauge"
        elif line.startswith("# HELP "):
            assert len(line.split()) > 4
        else:
            assert SAMPLE.fullmatch(line), line
            assert re.split("[{ ]", line)[0] == typed[-1]  # all of one metric stand together
    assert len(typed) == len(set(typed)) > 20
    for line in (
        'chasqui_jobs{queue="voice",state="waiting"} 1.0',
        'chasqui_jobs_failed_last_day{error="GaveUp"} 1.0',
        'chasqui_jobs_failed_last_day{error="other"} 1.0',
        'chasqui_part_up{part="catalog",kind="sqlite"} 1.0',
        'chasqui_letters_unsent{kind="task"} 3.0',
    ):
        assert line in answer.text.splitlines()


# --- try again ---


def test_a_job_is_tried_again_by_those_who_may(house: Any) -> None:
    for asker, status in (
        (("teacher", "ours"), 201),
        (("administrator", "ours"), 201),
        (("operator", "ours"), 201),
        (("creator", "ours"), 404),
        (("administrator", "theirs"), 404),
        (("student", "ours"), 403),
    ):
        old = failed(house)
        answer = house.client(*asker)("POST", f"jobs/{old}/retries")
        assert answer.status_code == status, asker
        if status == 201:
            assert (answer.json["state"], answer.json["id"] != old) == ("waiting", True)
            assert house.client("teacher")("GET", f"jobs/{answer.json['id']}").status_code == 200  # its owner's, still
            again = house.client(*asker)("POST", f"jobs/{old}/retries")
            assert again.json["id"] == answer.json["id"]


def test_what_did_not_fail_is_said_in_words(house: Any) -> None:
    job = asked(house, state="done", ended_s=time.time())
    answer = house.client()("POST", f"jobs/{job}/retries", headers={"Accept-Language": "es"})
    assert (answer.status_code, answer.json["code"]) == (409, "NothingToRetry")
    assert "está hecho" in answer.json["detail"]
    assert house.client("operator")("POST", "jobs/00/retries").status_code == 404


def test_after_an_outage_all_that_gave_up(house: Any) -> None:
    failed(house)
    failed(house, school="theirs")
    failed(house, "NoAudio")
    ask = house.client("operator")
    key = {"Idempotency-Key": "outage-7"}
    for _ in range(2):
        answer = ask("POST", "service/retries", {"error": "GaveUp"}, headers=key)
        assert (answer.status_code, answer.json) == (202, {"retried": 2, "more": False})
    assert states(house) == ["failed"] * 3 + ["waiting"] * 2
    assert ask("POST", "service/retries", {"error": "GaveUp"}).json == {"retried": 0, "more": False}


def test_unless_said_what_lies_in_recordings_is_left_and_what_is_older_than_a_day(house: Any) -> None:
    failed(house, "ServiceDown")
    failed(house, "NoAudio")
    old = asked(house, state="failed", error="GaveUp", ended_s=time.time() - counts.LATELY_S - 60)
    ask = house.client("operator")
    assert ask("POST", "service/retries", {}).json == {"retried": 1, "more": False}
    assert ask("POST", "service/retries", {"error": "NoAudio"}).json == {"retried": 1, "more": False}
    assert ask("GET", f"jobs/{old}").json["state"] == "failed"
    assert ask("POST", "service/retries", {"since_s": 0}).json == {"retried": 1, "more": False}


@pytest.mark.parametrize(
    "body", [{"error": "GaveUpp"}, {"error": 5}, {"since_s": -1}, {"since_s": "x"}, {"since": 5}, {"since_s": 1e300}]
)
def test_what_makes_no_sense_changes_nothing(house: Any, body: dict[str, Any]) -> None:
    failed(house)
    assert house.client("operator")("POST", "service/retries", body).status_code == 422
    assert states(house) == ["failed"]
