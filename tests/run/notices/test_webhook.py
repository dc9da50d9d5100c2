"""Webhooks to a receiver on this machine: signed, in order, patient, and never led astray."""

from __future__ import annotations

import importlib.util
import json
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from absent import missing

from chasqui.catalog import lessons, outbox, signatures, webhooks
from chasqui.catalog.permissions import Actor
from chasqui.catalog.tables import Letter, Person, Webhook
from chasqui.errors import NotAllowed
from chasqui.run.notices import webhook as room
from chasqui.run.notices.messengers import Messenger
from chasqui.run.notices.webhook import deliver
from chasqui.run.service import Service


class Receiver(ThreadingHTTPServer):
    """Notes what comes, and answers what it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.answer = 204
        self.headers: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def events(self) -> list[str]:
        return [json.loads(body)["event"] for _, _, body in self.got]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers.items()), body))
        self.send_response(self.server.answer)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(data=tmp_path, private_networks="127.0.0.1", public_url="https://escuela.pe")


@pytest.fixture
def messenger(school: Any, service: Service) -> Messenger:
    return Messenger(school.catalog, {"webhook": partial(deliver, school.catalog, service)})


def hook(school: Any, url: str, *events: str) -> Webhook:
    return webhooks.make(school.catalog, Actor(school.teacher, "administrator", school.id), url, events)


def all_due(school: Any) -> None:
    with school.catalog.writing() as db:
        db.execute(sa.update(Letter).where(Letter.sent_s.is_(None)).values(due_s=time.time() - 1))


def trouble(school: Any) -> str:
    with school.catalog.reading() as db:
        return str(db.scalar(sa.select(Letter.trouble).where(Letter.kind == "webhook").order_by(Letter.number)))


def stopped(school: Any) -> bool:
    with school.catalog.reading() as db:
        return db.scalar(sa.select(Webhook.stopped_s)) is not None


def test_a_letter_is_signed_as_its_receivers_expect(school: Any, messenger: Messenger, receiver: Receiver) -> None:
    if importlib.util.find_spec("standardwebhooks") is None:
        missing("standardwebhooks")
    import standardwebhooks

    secret = hook(school, receiver.url + "/hook?a=1").secret
    lesson = school.lesson()
    lessons.publish(school.catalog, lesson)
    assert messenger.round() == 1
    (path, headers, body) = receiver.got[0]
    told = standardwebhooks.Webhook(secret).verify(body, headers)
    assert (path, told["event"], told["lesson"]["id"]) == ("/hook?a=1", "lesson.published", lesson)
    assert told["lesson"]["url"].startswith("https://escuela.pe/api/v1/lessons/")
    assert signatures.verify(secret, headers, body)
    assert headers["Host"] == f"127.0.0.1:{receiver.server_port}"
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(secret).verify(body + b" ", headers)


def test_trouble_is_tried_again_with_the_same_name_and_in_order(
    school: Any, messenger: Messenger, receiver: Receiver
) -> None:
    hook(school, receiver.url)
    lesson = school.lesson()
    lessons.publish(school.catalog, lesson)
    receiver.answer = 500
    assert messenger.round() == 0
    assert "it answered 500" in trouble(school)
    lessons.withdraw(school.catalog, lesson)
    assert messenger.round() == 0  # it does not overtake
    receiver.answer = 200
    all_due(school)
    assert messenger.round() == 2
    assert receiver.events() == ["lesson.published", "lesson.published", "lesson.withdrawn"]
    names = [headers["webhook-id"] for _, headers, _ in receiver.got]
    assert names[0] == names[1] != names[2]


def test_one_that_is_away_does_not_hold_up_the_others(school: Any, messenger: Messenger, receiver: Receiver) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        hook(school, f"http://127.0.0.1:{nobody.getsockname()[1]}")
        hook(school, receiver.url)
        lessons.publish(school.catalog, school.lesson())
        assert messenger.round() == 1
    assert receiver.events() == ["lesson.published"]
    assert "Refused" in trouble(school)


def test_redirects_are_not_followed(school: Any, messenger: Messenger, receiver: Receiver) -> None:
    hook(school, receiver.url + "/here")
    receiver.answer, receiver.headers = 307, {"Location": receiver.url + "/there"}
    lessons.publish(school.catalog, school.lesson())
    assert messenger.round() == 0
    assert [path for path, _, _ in receiver.got] == ["/here"]
    assert "307" in trouble(school)


def test_only_public_addresses_unless_the_operator_allows_others(
    school: Any, receiver: Receiver, tmp_path: Path
) -> None:
    send = partial(deliver, school.catalog, Service(data=tmp_path))
    hook(school, receiver.url)
    hook(school, f"http://localhost:{receiver.server_port}")
    lessons.publish(school.catalog, school.lesson())
    assert Messenger(school.catalog, {"webhook": send}).round() == 0
    assert receiver.got == []
    assert "not a public address" in trouble(school)


@pytest.mark.parametrize("drip", [b"", b"H"], ids=["silent", "a byte now and then"])
def test_who_answers_too_slowly_is_cut(
    school: Any, messenger: Messenger, monkeypatch: pytest.MonkeyPatch, drip: bytes
) -> None:
    monkeypatch.setattr(room, "ANSWER_S", 0.5)
    over = threading.Event()

    def serve(server: socket.socket) -> None:
        link, _ = server.accept()
        with link:
            while not over.wait(0.05):
                try:
                    link.sendall(drip)
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        hook(school, f"http://127.0.0.1:{server.getsockname()[1]}")
        lessons.publish(school.catalog, school.lesson())
        assert messenger.round() == 0  # without the cut, this would not come back
        over.set()
        thread.join()
    assert trouble(school) != "None"


def test_what_does_not_speak_http_is_trouble(school: Any, messenger: Messenger) -> None:
    def serve(server: socket.socket) -> None:
        link, _ = server.accept()
        with link:
            link.recv(100_000)
            link.sendall(b"220 mail.escuela.pe ESMTP\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        hook(school, f"http://127.0.0.1:{server.getsockname()[1]}")
        lessons.publish(school.catalog, school.lesson())
        assert messenger.round() == 0
        thread.join()
    assert "BadStatusLine" in trouble(school)


def test_one_that_wants_nothing_more_is_stopped(school: Any, messenger: Messenger, receiver: Receiver) -> None:
    hook(school, receiver.url)
    lesson = school.lesson()
    lessons.publish(school.catalog, lesson)
    lessons.withdraw(school.catalog, lesson)
    receiver.answer = 410
    assert messenger.round() == 0
    assert stopped(school)
    all_due(school)
    assert messenger.round() == 0
    assert len(receiver.got) == 1
    lessons.publish(school.catalog, lesson)
    with school.catalog.reading() as db:
        assert db.scalar(sa.select(sa.func.count()).where(Letter.kind == "webhook")) == 2


def test_one_that_was_given_up_is_stopped_and_can_be_started_again(
    school: Any, messenger: Messenger, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "WEBHOOK_TRIES", 2)
    made = hook(school, receiver.url)
    lesson = school.lesson()
    lessons.publish(school.catalog, lesson)
    lessons.withdraw(school.catalog, lesson)
    receiver.answer = 503
    for _ in range(3):
        all_due(school)
        messenger.round()
    assert len(receiver.got) == 2
    assert stopped(school)
    assert [one["given_up_s"] is not None for one in webhooks.deliveries(school.catalog, made.id)] == [True, True]
    receiver.answer = 200
    webhooks.ping(school.catalog, made.id)  # tries it while it is stopped
    assert messenger.round() == 1
    assert webhooks.change(school.catalog, made.id, None, None, False).stopped_s is None
    lessons.publish(school.catalog, lesson)
    assert messenger.round() == 1
    assert receiver.events()[2:] == ["ping", "lesson.published"]


def test_nobody_is_told_for_somebody_who_has_left(school: Any, messenger: Messenger, receiver: Receiver) -> None:
    hook(school, receiver.url)
    with school.catalog.writing() as db:
        db.execute(sa.update(Person).values(removed_s=time.time()))
    lessons.publish(school.catalog, school.lesson())
    assert messenger.round() == 0
    assert receiver.got == []


def test_what_was_removed_is_told_nothing(school: Any, messenger: Messenger, receiver: Receiver) -> None:
    made = hook(school, receiver.url)
    lessons.publish(school.catalog, school.lesson())
    webhooks.remove(school.catalog, made.id)
    assert messenger.round() == 0
    deliver(school.catalog, Service(), made.id, {"id": "1", "event": "ping"})  # it was on its way in this moment
    assert receiver.got == []


def test_a_school_has_so_many_and_no_more(school: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "MOST", 2)
    for _ in range(2):
        hook(school, "https://example.pe")
    with pytest.raises(NotAllowed, match="2 webhooks"):
        hook(school, "https://example.pe")


def test_a_certificate_that_is_not_trusted_is_trouble(
    school: Any, messenger: Messenger, tmp_path: Path, tool: Any
) -> None:
    import ssl
    import subprocess

    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    made += ["-subj", "/CN=receiver", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([tool("openssl"), *made], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def serve(server: socket.socket) -> None:
        link, _ = server.accept()
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(link, server_side=True)
        link.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        hook(school, f"https://127.0.0.1:{server.getsockname()[1]}")
        lessons.publish(school.catalog, school.lesson())
        assert messenger.round() == 0
        thread.join()
    assert "CERTIFICATE_VERIFY_FAILED" in trouble(school)
