"""An operator grows the service by environment alone: from one process with a folder to PostgreSQL, RabbitMQ, Redis,
Mosquitto, a bucket and two workers. What its users see is the same.
"""

from __future__ import annotations

import json
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


def lessons_of(serving: Any, media: Path, folder: Path) -> list[dict[str, Any]]:
    """What two people get who push at the same time; each lesson fetched and published."""
    from serving import creator_of

    from chasqui.client import Client

    _, token = creator_of(serving)

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


def test_with_nothing_else_installed(media: Path, tmp_path: Path) -> None:
    from serving import Serving

    serving = Serving(tmp_path / "data")
    try:
        lessons_of(serving, media, tmp_path)
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
    from serving import Serving

    shelf = shelf_on(_bucket_server(request))
    mosquitto.start()
    env = {"CHASQUI_DATABASE_URL": new_database, "CHASQUI_BROKER_URL": rabbit.url, **shelf.server.env}
    env |= {"CHASQUI_CACHE_URL": redis_server.url, "CHASQUI_MQTT_URL": mosquitto.url()}
    env |= {"CHASQUI_STORE_URL": f"{shelf.url}/clases"}
    serving = Serving(tmp_path / "data", env, worker=False)
    try:
        for _ in range(2):
            serving.begin("worker", "--processes", "1")
        made = lessons_of(serving, media, tmp_path)
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
