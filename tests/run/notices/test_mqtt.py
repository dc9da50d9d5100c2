"""Notices on a real broker: acknowledged, in order, after the change, and not lost when the broker is."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from mosquitto import until

from chasqui.catalog import lessons, outbox
from chasqui.catalog.tables import Job, Letter
from chasqui.errors import BadConfig, ServiceDown
from chasqui.run.notices import messengers, mqtt
from chasqui.run.notices.messengers import Messenger
from chasqui.run.notices.mqtt import Broker, notice
from chasqui.run.service import Service

Listen = Callable[..., Any]


@pytest.fixture
def running(mosquitto: Any) -> Any:
    mosquitto.start()
    return mosquitto


@pytest.fixture
def messenger(school: Any, mosquitto: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Messenger]:
    """The one of a service with this broker, which knows it already; it goes round when it is told to."""
    monkeypatch.setattr(messengers, "_introduce", lambda *_: None)
    service = Service(data=tmp_path, mqtt_url=mosquitto.url(), public_url="https://escuela.pe/")
    made = messengers._notices(service, school.catalog)
    yield made
    made.stop()


def waiting(school: Any) -> int:
    with school.catalog.reading() as db:
        return int(db.scalar(sa.select(sa.func.count()).where(Letter.kind == "notice", Letter.sent_s.is_(None))))


def all_due(school: Any) -> None:
    with school.catalog.writing() as db:
        db.execute(sa.update(Letter).where(Letter.sent_s.is_(None)).values(due_s=time.time() - 1))


def test_what_is_published_is_there_for_whoever_comes_later(
    school: Any, running: Any, messenger: Messenger, listen: Listen
) -> None:
    lesson = school.lesson()
    lessons.publish(school.catalog, lesson)
    assert messenger.round() == 1
    with listen() as hub:
        hub.wait(1)
        topic, payload, retained = hub.heard[0]
    assert (topic, retained) == (f"chasqui/ie-40/lessons/{lesson}", True)
    told = json.loads(payload)
    assert (told["event"], told["school"], told["lesson"]["title"]) == ("lesson.published", "ie-40", "La papa")
    place = f"https://escuela.pe/api/v1/lessons/{lesson}"
    assert told["lesson"]["url"] == place
    assert told["lesson"]["files"]["voice.opus"] == {
        "bytes": 9,
        "sha256": "ab" * 32,
        "type": "audio/ogg",
        "url": f"{place}/files/voice.opus?v={'ab' * 8}",
    }


def test_what_is_withdrawn_is_told_and_then_forgotten(
    school: Any, running: Any, messenger: Messenger, listen: Listen
) -> None:
    lesson, other = school.lesson(), school.lesson("El maíz")
    for one in (lesson, other):
        lessons.publish(school.catalog, one)
    with listen() as hub:
        messenger.round()
        lessons.withdraw(school.catalog, lesson)
        messenger.round()
        assert hub.wait(4) == ["lesson.published", "lesson.published", "lesson.withdrawn", "-"]
    with listen("late") as late:
        assert late.wait(1) == ["lesson.published"]
        assert late.heard[0][0].endswith(other)


def test_what_is_only_made_is_told_but_not_kept(
    school: Any, running: Any, messenger: Messenger, listen: Listen
) -> None:
    made, public = school.lesson("A medias"), school.lesson()
    job = school.job(lesson_id=made, state="done")
    with school.catalog.writing() as db:
        lessons.made(db, db.get_one(Job, job), {"bytes": 9, "files": {}})
    lessons.publish(school.catalog, public)
    with listen() as hub:
        until(lambda: messenger.round() == 0 and not waiting(school), "the end of the post")
        assert hub.wait(2) == ["lesson.made", "lesson.published"]
    with listen("late") as late:
        assert late.wait(1) == ["lesson.published"]


def test_nothing_is_told_before_it_is_true(school: Any, running: Any, messenger: Messenger, listen: Listen) -> None:
    from chasqui.catalog.tables import Lesson

    lesson = school.lesson()
    with listen() as hub:
        with pytest.raises(ZeroDivisionError), school.catalog.writing() as db:
            lessons.tell(db, db.get_one(Lesson, lesson), "published")
            db.flush()
            assert messenger.round() == 0
            raise ZeroDivisionError
        assert messenger.round() == 0
        lessons.publish(school.catalog, lesson)
        assert messenger.round() == 1
        assert hub.wait(1) == ["lesson.published"]


def test_a_hub_that_was_away_hears_everything_in_order(
    school: Any, running: Any, messenger: Messenger, listen: Listen
) -> None:
    lesson = school.lesson()
    with listen():
        pass
    for _ in range(2):
        lessons.publish(school.catalog, lesson)
        lessons.withdraw(school.catalog, lesson)
    messenger.round()
    with listen() as hub:
        told = ["lesson.published", "lesson.withdrawn", "-"]
        assert hub.wait(6) == told * 2


def test_a_broker_that_is_away_for_a_while_loses_nothing(
    school: Any, mosquitto: Any, messenger: Messenger, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "CONNECT_S", 0.2)
    lesson = school.lesson()
    lessons.publish(school.catalog, lesson)
    for _ in range(3):
        assert messenger.round() == 0
        all_due(school)
    with school.catalog.reading() as db:
        assert "cannot be reached" in str(db.scalar(sa.select(Letter.trouble)))
    lessons.withdraw(school.catalog, lesson)
    mosquitto.start()
    with listen() as hub:
        messenger.start()
        assert hub.wait(3) == ["lesson.published", "lesson.withdrawn", "-"]
        until(lambda: not waiting(school), "the end of the post")


def test_a_broker_that_is_killed_gets_what_it_has_forgotten(
    school: Any, running: Any, messenger: Messenger, listen: Listen
) -> None:
    """It acknowledged the first lesson, but had not written it to disk yet."""
    first, second, gone = school.lesson(), school.lesson("El maíz"), school.lesson("La oca")
    lessons.publish(school.catalog, first)
    lessons.publish(school.catalog, gone)
    messenger.start()
    with listen() as hub:
        hub.wait(2)
        running.kill()
        lessons.publish(school.catalog, second)
        lessons.withdraw(school.catalog, gone)
        running.start()
    with listen("late") as late:
        late.wait(2)
        until(lambda: not waiting(school), "the end of the post")
    with listen("latest") as latest:
        latest.wait(2)
        time.sleep(0.2)
        assert {topic.rpartition("/")[2] for topic, _, _ in latest.heard} == {first, second}
        assert set(latest.events()) == {"lesson.published"}


def test_what_the_broker_refuses_is_not_taken_for_sent(school: Any, mosquitto: Any, tmp_path: Path) -> None:
    (rules := tmp_path / "rules").write_text("topic read chasqui/#\ntopic write chasqui/ie-40/lessons/#\n")
    rules.chmod(0o600)
    mosquitto.settings = f"allow_anonymous true\nacl_file {rules}"
    mosquitto.start()
    broker = Broker(mosquitto.url())
    broker.publish("chasqui/ie-40/lessons/1", b"{}")
    with pytest.raises(ServiceDown, match=r"[Nn]ot authorized"):
        broker.publish("chasqui/other/lessons/1", b"{}")
    broker.publish("chasqui/ie-40/lessons/1", b"{}")
    broker.close()


def test_name_and_password_are_needed_where_the_broker_wants_them(
    mosquitto: Any, tool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = mosquitto.folder / "names"
    names.touch(0o600)
    subprocess.run([tool("mosquitto_passwd"), "-b", str(names), "chasqui", "la p@pa"], check=True, capture_output=True)
    mosquitto.settings = f"allow_anonymous false\npassword_file {names}"
    mosquitto.start()
    right, wrong = Broker(mosquitto.url("chasqui:la%20p%40pa@")), Broker(mosquitto.url("chasqui:oca@"))
    right.publish("chasqui/x", b"{}")
    monkeypatch.setattr(mqtt, "CONNECT_S", 1.0)
    with pytest.raises(ServiceDown, match=r"[Nn]ot authorized") as refused:
        wrong.publish("chasqui/x", b"{}")
    assert "oca" not in str(refused.value)
    for broker in (right, wrong):
        broker.close()


def test_a_secret_link_needs_a_certificate_that_is_trusted(
    mosquitto: Any, tool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = mosquitto.folder / "key.pem", mosquitto.folder / "certificate.pem"
    made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    made += [
        "-subj",
        "/CN=hub",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run([tool("openssl"), *made], check=True, capture_output=True)
    mosquitto.settings = f"allow_anonymous true\ncertfile {certificate}\nkeyfile {key}"
    mosquitto.start()
    monkeypatch.setattr(mqtt, "CONNECT_S", 1.0)
    with pytest.raises(ServiceDown):
        (stranger := Broker(mosquitto.url(scheme="mqtts"))).publish("chasqui/x", b"{}")
    stranger.close()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    (known := Broker(mosquitto.url(scheme="mqtts"))).publish("chasqui/x", b"{}")
    known.close()


def test_no_acknowledgement_is_no_sending(school: Any, running: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that hangs: the message is not left in a queue of ours, where it could come out behind newer ones."""
    import os
    import signal

    monkeypatch.setattr(mqtt, "ACKNOWLEDGE_S", 0.5)
    broker = Broker(running.url())
    broker.publish("chasqui/x", b"1")
    os.kill(running.process.pid, signal.SIGSTOP)
    try:
        with pytest.raises(ServiceDown, match="no acknowledgement"):
            broker.publish("chasqui/x", b"2")
        assert broker._client is None
    finally:
        os.kill(running.process.pid, signal.SIGCONT)
    broker.close()


@pytest.mark.parametrize("url", ["localhost:1883", "http://localhost", "mqtt://", "mqtt://host:port", "redis://x"])
def test_an_address_that_makes_no_sense_is_said(url: str) -> None:
    with pytest.raises(BadConfig, match="mqtt_url"):
        Broker(url)


def test_without_a_broker_notices_are_dropped_and_the_rest_stays(school: Any, tmp_path: Path) -> None:
    lessons.publish(school.catalog, school.lesson())
    with school.catalog.writing() as db:
        outbox.write(db, "task", "voice", {})
    made = messengers._notices(Service(data=tmp_path), school.catalog)
    assert made.round() == 0
    with school.catalog.reading() as db:
        assert list(db.scalars(sa.select(Letter.kind))) == ["task"]


def test_two_that_send_at_once_keep_the_order(school: Any, running: Any, listen: Listen) -> None:
    lesson = school.lesson()
    for _ in range(5):
        lessons.publish(school.catalog, lesson)
        lessons.withdraw(school.catalog, lesson)
    brokers = [Broker(running.url()) for _ in range(2)]
    both = [Messenger(school.catalog, {"notice": partial(notice, broker, "")}) for broker in brokers]
    with listen() as hub:
        threads = [threading.Thread(target=lambda one=one: [one.round() for _ in range(20)]) for one in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        told = [event for event in hub.wait(15) if event != "-"]
    assert told == ["lesson.published", "lesson.withdrawn"] * 5
    for broker in brokers:
        broker.close()
