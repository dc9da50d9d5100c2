"""Jobs over HTTP: seen by those who may, cancelled, followed."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from sqlalchemy import select

from chasqui.catalog import jobs
from chasqui.catalog.tables import Person


@pytest.fixture
def job(house: Any) -> str:
    with house.catalog.writing() as db:
        wanted = (Person.role == "teacher", Person.school_id == house.schools["ours"])
        owner = db.scalars(select(Person).where(*wanted)).one()
        return jobs.ask(
            db,
            school_id=house.schools["ours"],
            owner_id=owner.id,
            recording_id="0123456789abcdef",
            goal="publish",
            first="ingest",
            queue="voice",
        ).id


def test_a_job_is_its_owners_and_the_administrators(house: Any, job: str) -> None:
    assert house.client("teacher")("GET", f"jobs/{job}").json["state"] == "waiting"
    assert house.client("administrator")("GET", f"jobs/{job}").status_code == 200
    assert house.client("operator")("GET", f"jobs/{job}").status_code == 200
    assert house.client("creator")("GET", f"jobs/{job}").status_code == 404
    assert house.client("teacher", "theirs")("GET", f"jobs/{job}").status_code == 404
    assert house.client("student")("GET", f"jobs/{job}").status_code == 403
    assert house.client("teacher")("GET", "jobs/00").status_code == 404
    assert [one["id"] for one in house.client("teacher")("GET", "jobs").json["items"]] == [job]
    assert house.client("teacher", "theirs")("GET", "jobs").json["items"] == []


def test_a_failure_is_told_in_words(house: Any, job: str) -> None:
    jobs.fail(house.catalog, job, "NoAudio", {"name": "clase.mp4", "streams": "video"})
    told = house.client()("GET", f"jobs/{job}", headers={"Accept-Language": "es"}).json
    assert (told["state"], told["error"]) == ("failed", "NoAudio")
    assert "clase.mp4 no tiene sonido" in told["message"]


def test_its_owner_cancels_it(house: Any, job: str) -> None:
    assert house.client("creator")("PUT", f"jobs/{job}/cancellation").status_code == 404
    assert house.client("teacher")("PUT", f"jobs/{job}/cancellation").json["state"] == "cancelled"


def test_who_follows_it_hears_of_each_change_to_the_end(house: Any, job: str) -> None:
    def work() -> None:
        time.sleep(0.7)
        jobs.take(house.catalog, job, "ingest", "w")
        time.sleep(0.7)
        jobs.go_on(house.catalog, job, "w", None, "voice")

    thread = threading.Thread(target=work)
    thread.start()
    stream = house.client()("GET", f"jobs/{job}/events").get_data(as_text=True)
    thread.join()
    states = [line.split('"state": "')[1].split('"')[0] for line in stream.splitlines() if line.startswith("data:")]
    assert states == ["waiting", "running", "done"]
