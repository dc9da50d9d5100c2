"""A broker of our own that may be killed, and somebody who listens to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from absent import missing
from nodes import free_port, listens

PATIENCE_S = 20.0


def until(true: Callable[[], Any], what: str = "it") -> Any:
    """Wait until something is so; what it said."""
    ends = time.monotonic() + PATIENCE_S
    while not (said := true()):
        assert time.monotonic() < ends, f"{what} did not come in {PATIENCE_S:.0f} s"
        time.sleep(0.02)
    return said


@dataclass
class Mosquitto:
    """A real broker on a port of its own."""

    folder: Path
    port: int
    settings: str = "allow_anonymous true"
    process: subprocess.Popen[bytes] | None = None

    def url(self, user: str = "", scheme: str = "mqtt") -> str:
        return f"{scheme}://{user}127.0.0.1:{self.port}"

    def start(self) -> None:
        conf = self.folder / "mosquitto.conf"
        me = "user root\n" if os.geteuid() == 0 else ""  # else it could not write into a folder of root's
        kept = f"persistence true\npersistence_location {self.folder}/\n"
        conf.write_text(f"listener {self.port} 127.0.0.1\n{me}{kept}{self.settings}\n")
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            missing("mosquitto")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([str(program), "-c", str(conf)], stdout=log, stderr=log)
        until(lambda: listens(self.port), "mosquitto")

    def kill(self) -> None:
        """As a power cut does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(10)
            self.process = None


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    (folder := tmp_path / "mosquitto").mkdir()
    broker = Mosquitto(folder, free_port())
    yield broker
    broker.kill()


@dataclass
class Listener:
    """A hub or phone that subscribes, with a session that lasts."""

    port: int
    name: str = "hub"
    topic: str = "chasqui/ie-40/#"
    heard: list[tuple[str, bytes, bool]] = field(default_factory=list)  # topic, payload, retained

    def __enter__(self) -> Listener:
        from paho.mqtt.client import Client, MQTTv5
        from paho.mqtt.enums import CallbackAPIVersion
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        ready: list[bool] = []
        self._client = client = Client(CallbackAPIVersion.VERSION2, client_id=self.name, protocol=MQTTv5)
        client.on_message = lambda _c, _d, one: self.heard.append((one.topic, one.payload, one.retain))
        client.on_connect = lambda one, *_: one.subscribe(self.topic, qos=1)
        client.on_subscribe = lambda *_: ready.append(True)
        client.reconnect_delay_set(1, 1)
        lasting = Properties(PacketTypes.CONNECT)
        lasting.SessionExpiryInterval = 3600
        client.connect("127.0.0.1", self.port, clean_start=False, properties=lasting)
        client.loop_start()
        until(lambda: ready, "the subscription")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def events(self) -> list[str]:
        """What it heard, as words; an empty message is told as `-`."""
        return [json.loads(payload)["event"] if payload else "-" for _, payload, _ in self.heard]

    def wait(self, count: int) -> list[str]:
        until(lambda: len(self.heard) >= count, f"message {count} (there are {self.events()})")
        return self.events()


@pytest.fixture
def listen(mosquitto: Mosquitto) -> Callable[..., Listener]:
    return lambda name="hub", topic="chasqui/ie-40/#": Listener(mosquitto.port, name, topic)
