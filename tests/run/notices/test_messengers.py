"""The messengers of a service: what a broker is told when they first meet, and that nobody holds up others."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from mosquitto import until

from chasqui.catalog import lessons, outbox
from chasqui.catalog.tables import Letter, Webhook
from chasqui.run.notices import messengers
from chasqui.run.service import Service


def test_a_broker_that_is_new_is_told_of_all_that_is_published(
    school: Any, mosquitto: Any, listen: Callable[..., Any], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(lessons, "TOGETHER", 2)
    public = [school.lesson(f"Clase {n}") for n in range(5)]
    school.lesson("A medias")
    for one in public:
        lessons.publish(school.catalog, one)
    outbox.drop(school.catalog, "notice")  # there was no broker then
    mosquitto.start()
    met: list[bool] = []
    real = messengers._introduce
    monkeypatch.setattr(messengers, "_introduce", lambda *one: (real(*one), met.append(True)))
    service = Service(data=tmp_path, mqtt_url=mosquitto.url())
    for n in (1, 2):  # begun again: it knows them already
        made = messengers._notices(service, school.catalog)
        made.start()
        until(lambda n=n: len(met) == n and waiting(school) == 0, "the lessons")
        made.stop()
        assert told(school) == 5
    with listen("late") as late:
        late.wait(5)
        assert {topic.rpartition("/")[2] for topic, _, _ in late.heard} == set(public)


def told(school: Any) -> int:
    with school.catalog.reading() as db:
        return int(db.scalar(sa.select(sa.func.count()).where(Letter.kind == "notice")))


def waiting(school: Any) -> int:
    with school.catalog.reading() as db:
        return int(db.scalar(sa.select(sa.func.count()).where(Letter.sent_s.is_(None))))


def test_a_service_has_one_for_notices_and_several_for_webhooks(school: Any, tmp_path: Path) -> None:
    """One address that does not answer must not hold up the others, nor the notices."""
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as other:
        for server in (silent, other):
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            with school.catalog.writing() as db:
                facts = {"school_id": school.id, "owner_id": school.teacher, "secret": "whsec_AAAA", "events": []}
                db.add(Webhook(**facts, url=url))
        lessons.publish(school.catalog, school.lesson())
        all_of_them = messengers.messengers(Service(data=tmp_path, private_networks="127.0.0.1"), school.catalog)
        for one in all_of_them:
            one.start()
        for server in (silent, other):  # both are called, although neither answers
            server.settimeout(10)
            server.accept()[0].close()
        for one in all_of_them:
            one.stop()
    assert len(all_of_them) == 1 + messengers.WEBHOOK_THREADS
