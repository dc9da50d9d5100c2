"""An operator grows the service by environment alone: from one process with a folder to PostgreSQL, RabbitMQ, Redis,
Mosquitto, a bucket and two workers. What its users see is the same; what the operator sees is how it is.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from absent import missing
from buckets import Server, Shelf
from mosquitto import listen, mosquitto  # noqa: F401 - fixtures
from nodes import Rabbit, Redis

#: Seconds long, of two people.
RECORDINGS = ("asr/cuttledoc/fleurs-es-002.ogg", "speech/speech-to-text-nodejs/Es_ES_spk19_16khz.wav")


@pytest.fixture(autouse=True)
def serve_extra() -> None:
    try:
        import celery  # noqa: F401
        import cheroot  # noqa: F401
        import flask_openapi3  # noqa: F401
        import paho.mqtt  # noqa: F401
    except ImportError:
        missing("chasqui[serve]")


@pytest.fixture
def rabbit(open_place: Path) -> Iterator[Rabbit]:
    if not Rabbit.PROGRAM.exists():
        missing("RabbitMQ as a program (Debian: rabbitmq-server)")
    node = Rabbit(open_place / "operator")
    node.start()
    yield node
    node.kill()


def lessons_of(serving: Any, token: str, media: Path, folder: Path) -> list[dict[str, Any]]:
    """What two people get who push at the same time; each lesson fetched and published."""
    from chasqui.client import Client

    def push(number: int, name: str) -> dict[str, Any]:
        client = Client(serving.url, token, state=folder / "state", patience_s=60)
        made = client.upload(media / name, title=f"Clase {number}")
        states = [job.state for job in client.follow(str(made.job_id))]
        assert states[-1] == "done"
        home = client.fetch(made.lesson_id, folder / "out")
        assert json.loads((home / "lesson.json").read_text())["id"] == made.recording_id
        return client.publish(made.lesson_id)

    with ThreadPoolExecutor(len(RECORDINGS)) as people:
        told = list(people.map(push, range(len(RECORDINGS)), RECORDINGS))
    assert [one["title"] for one in told] == ["Clase 0", "Clase 1"], serving.said()
    assert sorted(one["state"] for one in Client(serving.url, token).listed("jobs")) == ["done", "done"]
    return told


def operator_of(serving: Any) -> Any:
    """The operator, whom a terminal where the service runs makes: a browser that is signed in."""
    from serving import Browser

    command = [sys.executable, "-P", "-m", "chasqui", "service", "--operator"]
    said = subprocess.run(command, env=serving.env, check=True, capture_output=True, text=True).stdout
    operator = Browser(serving.url)
    assert operator.accept(said.split("#")[-1].strip(), "Op", "op@example.pe")["role"] == "operator"
    return operator


def sees(operator: Any) -> dict[str, Any]:
    status, seen = operator("GET", "service")
    assert status == 200, seen
    return dict(seen)


def until(true: Callable[[], Any], what: str, limit_s: float = 90.0) -> None:
    ends = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < ends, what
        time.sleep(0.2)


def what_failed_is_tried_again(serving: Any, token: str, operator: Any, folder: Path) -> None:
    """A file that is no recording fails; the operator sees it and tries it again, which makes nothing worse."""
    from chasqui.client import Client

    (folder / "roto.mp3").write_bytes(b"esto no es sonido " * 200)
    client = Client(serving.url, token, state=folder / "state", patience_s=60)
    made = client.upload(folder / "roto.mp3", title="Rota")

    def failures() -> dict[str, int]:
        lately = sees(operator)["jobs"]["last_day"]["failures"]
        return {one["error"]: one["count"] for one in lately}

    until(lambda: sum(failures().values()) == 1, "the failure is seen")
    (code,) = failures()
    assert operator("POST", "service/retries", {}) == (202, {"retried": 0, "more": False})  # it lies in the recording
    again = [operator("POST", "service/retries", {"error": code}, **{"Idempotency-Key": "7"}) for _ in range(2)]
    assert again == [(202, {"retried": 1, "more": False})] * 2
    until(lambda: failures() == {code: 2}, "it failed once more")
    mine = [one for one in client.listed("jobs") if one["lesson_id"] == made.lesson_id]
    assert [(one["state"], one["error"]) for one in mine] == [("failed", code)] * 2
    assert operator("POST", f"jobs/{made.job_id}/retries")[0] == 201
    assert len([one for one in client.listed("lessons") if one["id"] == made.lesson_id]) == 1


def test_with_nothing_else_installed(media: Path, tmp_path: Path) -> None:
    from serving import Serving, creator_of

    serving = Serving(tmp_path / "data")
    try:
        _, token = creator_of(serving)
        lessons_of(serving, token, media, tmp_path)
        seen = sees(operator_of(serving))
        assert (seen["jobs"]["last_day"]["done"], seen["jobs"]["waiting"], seen["dead_letters"]) == (2, 0, 0)
        assert [one["state"] for one in seen["parts"]] == ["ok"] * 4
        assert {"catalog.db", "queue.db", "store", "secret"} <= {path.name for path in serving.data.iterdir()}
    finally:
        codes = serving.end()
    assert codes == [0]


def test_with_everything(
    rabbit: Rabbit,
    new_database: str,
    redis_server: Redis,
    mosquitto: Any,  # noqa: F811
    listen: Callable[..., Any],  # noqa: F811
    shelf_on: Callable[[Server], Shelf],
    request: pytest.FixtureRequest,
    media: Path,
    tmp_path: Path,
) -> None:
    from serving import Serving, creator_of

    shelf = shelf_on(_bucket_server(request))
    mosquitto.start()
    env = {"CHASQUI_DATABASE_URL": new_database, "CHASQUI_BROKER_URL": rabbit.url, **shelf.server.env}
    env |= {"CHASQUI_CACHE_URL": redis_server.url, "CHASQUI_MQTT_URL": mosquitto.url()}
    env |= {"CHASQUI_STORE_URL": f"{shelf.url}/clases"}
    serving = Serving(tmp_path / "data", env, worker=False)
    try:
        _, token = creator_of(serving)
        operator = operator_of(serving)
        until(lambda: {one["state"] for one in sees(operator)["parts"]} == {"ok"}, "all parts answer")
        seen = sees(operator)
        kinds = {one["name"]: one["kind"] for one in seen["parts"]}
        assert kinds == {"catalog": "postgresql", "store": "s3", "broker": "amqp", "cache": "redis", "notices": "mqtt"}
        assert seen["queues"][0]["listeners"] == 0  # nobody works yet
        for _ in range(2):
            serving.begin("worker", "--processes", "1")
        until(lambda: sees(operator)["queues"][0]["listeners"] == 2, "both workers are seen")
        made = lessons_of(serving, token, media, tmp_path)
        assert sees(operator)["jobs"]["last_day"]["done"] == 2
        what_failed_is_tried_again(serving, token, operator, tmp_path)
        redis_server.kill()
        until(lambda: operator("GET", "health")[1]["parts"]["cache"] != "ok", "the cache is missed")
        assert (operator("GET", "health")[0], sees(operator)["parts"][3]["state"]) == (200, "ServiceDown")
        with listen("early", "chasqui/+/lessons/#") as early:
            early.wait(2)
        with listen("late", "chasqui/+/lessons/#") as late:  # whoever comes later hears what is out
            late.wait(2)
            assert {json.loads(payload)["lesson"]["id"] for _, payload, _ in late.heard} == {one["id"] for one in made}
            assert all(retained for _, _, retained in late.heard)
        assert [key for key in shelf.everything() if key.startswith("clases/")]
        assert not (serving.data / "store").exists()
        assert not (serving.data / "catalog.db").exists()
        assert not (serving.data / "queue.db").exists()
    finally:
        codes = serving.end()
    assert codes[0] == 0


def _bucket_server(request: pytest.FixtureRequest) -> Server:
    """A real one where there is one, as in CI; else the one in this process."""
    import os

    name = "swift_server" if "CHASQUI_TEST_S3" in os.environ else "moto_server"
    server: Server = request.getfixturevalue(name)
    return server
