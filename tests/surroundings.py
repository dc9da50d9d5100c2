"""What a service stands on, as environment: nothing (a laptop), or PostgreSQL, RabbitMQ, Redis, Mosquitto and a bucket,
each a real server of our own. Stories go the same way on both.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from absent import missing
from buckets import Server, Shelf
from mosquitto import mosquitto  # noqa: F401 - a fixture
from nodes import Rabbit, Redis

Environment = dict[str, str]


@pytest.fixture(scope="session")
def rabbit_node(open_place: Path) -> Iterator[Rabbit]:
    """A RabbitMQ, where its programs are installed."""
    if not Rabbit.PROGRAM.exists():
        missing("RabbitMQ as a program (Debian: rabbitmq-server)")
    node = Rabbit(open_place / "rabbit")
    node.start()
    yield node
    node.kill()


@contextmanager
def virtual_host(node: Rabbit) -> Iterator[str]:
    """The URL of one on this node that nobody has used."""
    name = f"chasqui-{secrets.token_hex(4)}"

    def control(*arguments: str) -> None:
        program = Rabbit.PROGRAM.with_name("rabbitmqctl")
        subprocess.run([program, "--quiet", *arguments], env=node.environment, check=True, stdout=subprocess.DEVNULL)

    control("add_vhost", name)
    control("set_permissions", "-p", name, "guest", ".*", ".*", ".*")
    yield f"{node.url.rstrip('/')}/{name}"
    control("delete_vhost", name)


@pytest.fixture
def bucket_server(request: pytest.FixtureRequest) -> Server:
    """A real one where there is one, as in CI; else the one in this process."""
    name = "swift_server" if "CHASQUI_TEST_S3" in os.environ else "moto_server"
    server: Server = request.getfixturevalue(name)
    return server


@pytest.fixture
def everything(
    rabbit_node: Rabbit,
    new_database: str,
    redis_server: Redis,
    mosquitto: Any,  # noqa: F811
    bucket_server: Server,
    shelf_on: Callable[[Server], Shelf],
) -> Iterator[Environment]:
    """Leads to a new database, virtual host and bucket."""
    shelf = shelf_on(bucket_server)
    mosquitto.start()
    with virtual_host(rabbit_node) as broker:
        yield {
            "CHASQUI_DATABASE_URL": new_database,
            "CHASQUI_BROKER_URL": broker,
            "CHASQUI_STORE_URL": f"{shelf.url}/clases",
            "CHASQUI_CACHE_URL": redis_server.url,
            "CHASQUI_MQTT_URL": mosquitto.url(),
            **shelf.server.env,
        }


@pytest.fixture(params=["laptop", "servers"])
def surroundings(request: pytest.FixtureRequest) -> Environment:
    """One after the other."""
    if request.param == "laptop":
        return {}
    found: Environment = request.getfixturevalue("everything")
    return found
