"""Notices to an MQTT 5 broker. A message counts as sent when the broker has acknowledged it, not before.

What is published is retained under its topic, so that whoever comes later knows it at once; what was withdrawn is told
and then cleared. Nothing is queued here: what does not arrive stays in the outbox, where its turn is kept.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import ssl
from collections.abc import Callable, Mapping
from threading import Event, Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from chasqui.errors import BadConfig, NotInstalled, ServiceDown
from chasqui.run.notices import dressed, encoded

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessageInfo
    from paho.mqtt.reasoncodes import ReasonCode

PORTS = {"mqtt": 1883, "mqtts": 8883}
#: At least once: the outbox bears what comes twice, and exactly once would cost two more messages each.
QOS = 1
CONNECT_S, ACKNOWLEDGE_S = 5.0, 10.0
#: A broker that went away is looked for after one second, then after twice as long, up to this.
LONGEST_WAIT_S = 30
KEEP_ALIVE_S = 30
#: What is retained comes right behind the acknowledgement of the subscription.
RETAINED_S = 1.0

log = logging.getLogger("chasqui.notices")


class Broker:
    """A broker by URL: `mqtt://`, or `mqtts://` with the certificates this machine trusts; a name and password in it.

    Connects in the background at the first message and again by itself. One message at a time.
    """

    def __init__(self, url: str, back: Callable[[], None] = lambda: None) -> None:
        """`back` is called when the broker answers again after it was away, in a thread of its own.

        Raises:
            BadConfig: not such a URL.
            NotInstalled: the extra `serve` is not there.
        """
        self._scheme, self._host, self._port, self._user, self._password = _parts(url)
        self._back = back
        self._lock = Lock()
        self._here, self._fresh = Event(), Event()
        self._why = "it does not answer"
        self._refused: dict[int, str] = {}
        self._was_here = self._missed = False
        self._client: Client | None = None
        try:
            import paho.mqtt.client  # noqa: F401
        except ImportError as error:
            raise NotInstalled(what="notices", extra="serve", missing=error.name) from error

    def __str__(self) -> str:
        return f"{self._scheme}://{self._host}:{self._port}"  # no name and password: this is read by many

    @property
    def here(self) -> bool:
        """Whether the broker answers now."""
        return self._here.is_set()

    @property
    def why(self) -> str:
        """What was wrong when it did not answer."""
        return self._why

    def publish(self, topic: str, payload: bytes, retain: bool = False, expires_s: int | None = None) -> None:
        """On return the broker has it.

        Raises:
            ServiceDown: it has not, or nobody knows; send it again later.
        """
        self.publish_all([(topic, payload)], retain, expires_s)

    def publish_all(
        self, messages: list[tuple[str, bytes]], retain: bool = False, expires_s: int | None = None
    ) -> None:
        """Several at once, in this order; on return the broker has them all.

        Raises:
            ServiceDown
        """
        with self._lock:
            client = self._connected()
            self._refused.clear()
            infos = [self._give(client, topic, payload, retain, expires_s) for topic, payload in messages]
            for info in infos:
                self._acknowledged(info)

    def new_connection(self) -> bool:
        """Whether it has been connected anew since this was asked last. Begins to connect, but does not wait."""
        with self._lock:
            if self._client is None:
                self._client = self._new()
        if not self.here or not self._fresh.is_set():
            return False
        self._fresh.clear()
        return True

    def retains(self, topic: str) -> bool:
        """Whether something is retained there.

        Raises:
            ServiceDown
        """
        found, asked = Event(), Event()
        with self._lock:
            client = self._connected()
            client.on_message = lambda *_: found.set()
            client.on_subscribe = lambda *_: asked.set()
            client.subscribe(topic, qos=QOS)
            if not asked.wait(ACKNOWLEDGE_S):
                raise ServiceDown(url=self, why=f"no acknowledgement in {ACKNOWLEDGE_S:.0f} s")
            found.wait(RETAINED_S)
            client.unsubscribe(topic)
        return found.is_set()

    def close(self) -> None:
        """Say good-bye."""
        with self._lock:
            self._drop()

    def _connected(self) -> Client:
        if self._client is None:
            self._client = self._new()
        first = not self._was_here
        if not self._here.wait(CONNECT_S if first else 0.0):
            self._missed = True
            raise ServiceDown(url=self, why=self._why)
        return self._client

    def _give(self, client: Client, topic: str, payload: bytes, retain: bool, expires_s: int | None) -> MQTTMessageInfo:
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if payload:
            properties.ContentType, properties.PayloadFormatIndicator = "application/json", 1
        if expires_s is not None:
            properties.MessageExpiryInterval = expires_s
        return client.publish(topic, payload, qos=QOS, retain=retain, properties=properties)

    def _acknowledged(self, info: MQTTMessageInfo) -> None:
        try:
            info.wait_for_publish(ACKNOWLEDGE_S)  # longer than a broker needs to start again: then it is sent again
            arrived = info.is_published()
        except (RuntimeError, ValueError):  # the connection was cut in this very moment
            arrived = False
        if not arrived:
            self._drop()  # with what it still holds: sent later by itself, it could come behind newer news
            raise ServiceDown(url=self, why=f"no acknowledgement in {ACKNOWLEDGE_S:.0f} s")
        if (refused := self._refused.pop(info.mid, None)) is not None:
            raise ServiceDown(url=self, why=refused)

    def _new(self) -> Client:
        from paho.mqtt.client import Client, MQTTv5
        from paho.mqtt.enums import CallbackAPIVersion

        name = f"chasqui-{socket.gethostname()[:20]}-{os.getpid()}-{secrets.token_hex(3)}"
        client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTv5)
        if self._user is not None:
            client.username_pw_set(self._user, self._password)
        if self._scheme == "mqtts":
            client.tls_set_context(ssl.create_default_context())  # SSL_CERT_FILE names a school's own authority
        client.reconnect_delay_set(1, LONGEST_WAIT_S)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_connect_fail, client.on_publish = self._on_connect_fail, self._on_publish
        client.connect_async(self._host, self._port, KEEP_ALIVE_S)
        client.loop_start()
        return client

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()
        self._here.clear()
        self._refused.clear()

    def _on_connect(self, client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self._why = str(reason)
            return
        away, self._was_here, self._missed = self._was_here or self._missed, True, False
        self._fresh.set()
        self._here.set()
        if away:
            log.info("%s is back", self)
            self._back()

    def _on_disconnect(self, client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if client is self._client and self._here.is_set():  # else it never was, and why is known
            self._here.clear()
            self._why = str(reason)

    def _on_connect_fail(self, client: Client, _data: Any) -> None:
        self._why = "it cannot be reached"

    def _on_publish(self, _client: Client, _data: Any, mid: int, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self._refused[mid] = f"it refused: {reason}"


def notice(broker: Broker, public_url: str, topic: str, body: Mapping[str, Any]) -> None:
    """Send one letter of kind `notice`.

    Raises:
        ServiceDown: it did not arrive.
    """
    event, payload = str(body["event"]), encoded(dressed(body, public_url))
    # What is only made is nobody's yet: it is told, but not kept for everybody who comes later.
    broker.publish(topic, payload, retain=event == "lesson.published")
    if event == "lesson.withdrawn":
        broker.publish(topic, b"", retain=True)  # an empty one clears what was retained


def _parts(url: str) -> tuple[str, str, int, str | None, str | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadConfig(why=f"mqtt_url: {error}") from error
    if parts.scheme not in PORTS or not parts.hostname:
        raise BadConfig(why="mqtt_url: write mqtt://HOST:PORT or mqtts://NAME:PASSWORD@HOST:PORT")
    user, password = (unquote(part) if part is not None else None for part in (parts.username, parts.password))
    return parts.scheme, parts.hostname, port or PORTS[parts.scheme], user, password
