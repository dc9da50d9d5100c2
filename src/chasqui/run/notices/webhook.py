"""One signed request to a school's address. It must answer 2xx in ten seconds; whatever else it says is trouble, and
the letter comes again later. Redirects are not followed: the address that was checked is the one that is told.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chasqui import __version__
from chasqui.catalog import Catalog, outbox
from chasqui.catalog.signatures import sign
from chasqui.catalog.tables import Webhook
from chasqui.errors import ChasquiError, ServiceDown
from chasqui.ingest.address import Target, check, read_networks
from chasqui.run.notices import dressed, encoded

if TYPE_CHECKING:
    from chasqui.run.service import Service

CONNECT_S = 5.0
#: For everything. A receiver that has more to do than note the letter down does it afterwards.
ANSWER_S = 10.0
#: What an address says that wants nothing more.
GONE = 410


def deliver(catalog: Catalog, service: Service, webhook_id: str, body: Mapping[str, Any]) -> None:
    """Send one letter of kind `webhook`.

    Raises:
        ServiceDown: it was not taken; send it again later.
    """
    with catalog.reading() as db:
        hook = db.get(Webhook, webhook_id)
    if hook is None:  # removed meanwhile: there is nobody to tell
        return
    payload = encoded(dressed(body, service.public_url))
    headers = sign(hook.secret, str(body["id"]), int(time.time()), payload)
    try:
        status = _post(allowed(service, hook.url), payload, headers)
    except (ChasquiError, OSError, http.client.HTTPException) as error:
        why = str(error) if isinstance(error, ChasquiError) else f"{type(error).__name__}: {error}"
        raise ServiceDown(url=hook.url, why=why) from error
    if status == GONE:
        with catalog.writing() as db:
            outbox.stop(db, webhook_id)
    if not 200 <= status < 300:
        raise ServiceDown(url=hook.url, why=f"it answered {status}")


def allowed(service: Service, url: str) -> Target:
    """Where a webhook leads, if it may lead there.

    Raises:
        ForbiddenAddress: not a public address, or this service itself. LinkAway: its name is not known.
    """
    own = urlsplit(service.public_url).hostname
    return check(url, read_networks(service.private_networks), [own] if own else [])


def _post(target: Target, payload: bytes, headers: Mapping[str, str]) -> int:
    """The status that it answered; what else it says is not read."""
    sent = {
        "Host": target.host_header,
        "Content-Type": "application/json",
        "Content-Length": str(len(payload)),
        "User-Agent": f"chasqui/{__version__}",
        "Connection": "close",
        **headers,
    }
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = link = _connect(target)
    try:
        with _hurried(link):
            if isinstance(link, ssl.SSLSocket):
                link.do_handshake()
            connection.request("POST", target.path, payload, sent)
            return connection.getresponse().status
    finally:
        connection.close()


def _connect(target: Target) -> socket.socket:
    """To an address that was checked, without asking for the name again. TLS has not begun yet."""
    trouble: OSError | None = None
    for address in target.addresses:
        try:
            link = socket.create_connection((address, target.port), CONNECT_S)
        except OSError as error:
            trouble = error
            continue
        if target.scheme == "http":
            return link
        return ssl.create_default_context().wrap_socket(
            link, server_hostname=target.host, do_handshake_on_connect=False
        )
    raise trouble or OSError("no address")


@contextmanager
def _hurried(link: socket.socket) -> Iterator[None]:
    """Cut the connection when the time is over, however busily somebody sends a byte now and then."""
    link.settimeout(ANSWER_S)
    over = threading.Timer(ANSWER_S, _cut, [link])
    over.daemon = True
    over.start()
    try:
        yield
    finally:
        over.cancel()


def _cut(link: socket.socket) -> None:
    with suppress(OSError):  # it has gone by itself
        socket.socket.shutdown(link, socket.SHUT_RDWR)  # the bare one: TLS would wait for an answer
