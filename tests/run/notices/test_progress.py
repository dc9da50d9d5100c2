"""How far jobs are: told while they run, not for each beat, and to nobody who comes later."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from chasqui.catalog.tables import Job
from chasqui.run.notices import progress as room
from chasqui.run.notices.mqtt import Broker
from chasqui.run.notices.progress import Progress


@pytest.fixture
def progress(school: Any, mosquitto: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Progress]:
    monkeypatch.setattr(room, "EVERY_S", 0.0)
    mosquitto.start()
    broker = Broker(mosquitto.url())
    broker.publish("warm", b"")
    yield Progress(school.catalog, broker)
    broker.close()


def move(school: Any, **values: Any) -> None:
    with school.catalog.writing() as db:
        db.execute(sa.update(Job).values(**values))


def test_steps_are_told_and_beats_are_not(school: Any, progress: Progress, listen: Callable[..., Any]) -> None:
    job = school.job(done=0.1)
    school.job(state="waiting")
    with listen() as hub:
        assert progress.tell() == 1
        for beat in (0.1, 0.1001, 0.105):
            move(school, done=beat, beat_s=time.time())
            assert progress.tell() == 0
        move(school, done=0.5)
        assert progress.tell() == 1
        move(school, stage="encode", done=0.5)
        assert progress.tell() == 1
        hub.wait(3)
    topic, payload, _ = hub.heard[-1]
    told = json.loads(payload)
    assert topic == f"chasqui/ie-40/jobs/{job}"
    assert (told["event"], told["job"]["stage"], told["job"]["done"]) == ("job.progress", "encode", 0.5)
    with listen("late") as late:
        time.sleep(0.2)
        assert late.heard == []


def test_the_catalog_is_not_asked_more_often_than_somebody_looks(
    school: Any, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "EVERY_S", 3600.0)
    progress._looked_s = float("-inf")
    school.job()
    assert progress.tell() == 1
    move(school, done=0.9)
    assert progress.tell() == 0


def test_a_broker_that_is_away_is_no_trouble(school: Any, progress: Progress, mosquitto: Any) -> None:
    from mosquitto import until

    school.job()
    mosquitto.stop()
    until(lambda: not progress._broker.here, "the end of the broker")
    assert progress.tell() == 0
