"""One question to the server, asked again until there is an answer, and its problems as our own errors."""

from __future__ import annotations

import http.client
import json
import random
import secrets
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from chasqui import __version__, errors
from chasqui.errors import BadConfig, ChasquiError, NoServer, ServerAway, ServerSaid

API = "/api/v1"
#: Longest silence of a link. Mobile links stall for ten seconds and go on; servers beside them answer within one.
SILENT_S = 30.0
#: Time without any progress until we give up: a server's restart, a walk around the hill.
PATIENCE_S = 300.0
#: Waits between tries, doubled from and to. With a random part, so that a hundred phones do not come back at once.
FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 20.0
#: Answers that mean "later", whatever else they say.
LATER = frozenset({423, 425, 429, 502, 503, 504, 507})
#: Headers of a question that has none.
NONE: Mapping[str, str] = {}


@dataclass(frozen=True)
class Wire:
    """Where the server is, and who asks."""

    url: str
    token: str = field(repr=False)
    lang: str
    patience_s: float

    def __post_init__(self) -> None:
        to = urlsplit(self.url)
        try:
            good = to.scheme in ("http", "https") and to.hostname and to.port != 0
        except ValueError:
            good = False
        if not good:
            raise NoServer(url=self.url, why="an address begins with http:// or https://")
        if not (self.token.isascii() and self.token.isprintable()):
            raise BadConfig(why="the token has letters that no token has")

    def json(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = NONE) -> dict[str, Any]:
        """The answer's JSON, {} where it is empty.

        Raises:
            ServerAway, NoServer, or what the server refused with
        """
        data = None if body is None else json.dumps(body).encode()
        said = {"Content-Type": "application/json", **headers} if data is not None else dict(headers)
        if method == "POST":
            said["Idempotency-Key"] = secrets.token_hex(16)  # the same at each try: it is done once
        return _read_json(self.url, self.answer(method, path, data, said))

    def answer(self, method: str, path: str, data: bytes | None = None, headers: Mapping[str, str] = NONE) -> Answer:
        """A good answer, read to its end, after as many tries as patience allows.

        Raises:
            ServerAway, NoServer, or what the server refused with
        """
        patience = self.patience()
        while True:
            try:
                with self.opened(method, path, data, headers) as response:
                    return Answer(response.status, response.headers, response.read())
            except PASSING as trouble:
                patience.wait(trouble)

    @contextmanager
    def opened(
        self,
        method: str,
        path: str,
        data: bytes | None = None,
        headers: Mapping[str, str] = NONE,
        silent_s: float = SILENT_S,
    ) -> Iterator[HTTPResponse]:
        """One try: the answer, its body not read yet.

        Raises:
            OSError, HTTPException, Later: this try failed. ChasquiError: every other one will, too.
        """
        with closing(self.connection(silent_s)) as link:
            link.request(method, self.path(path), data, self.headers(headers))
            response = link.getresponse()
            self.refuse(response)
            yield response

    def connection(self, silent_s: float = SILENT_S) -> HTTPConnection:
        """A new connection; a server's certificate is checked."""
        to = urlsplit(self.url)
        if to.scheme == "https":
            return HTTPSConnection(to.hostname or "", to.port, timeout=silent_s, context=ssl.create_default_context())
        return HTTPConnection(to.hostname or "", to.port, timeout=silent_s)

    def path(self, path: str) -> str:
        """As it stands in the request."""
        return f"{urlsplit(self.url).path.rstrip('/')}{API}/{path}"

    def headers(self, more: Mapping[str, str] = NONE) -> dict[str, str]:
        """What every question says."""
        said = {"User-Agent": f"chasqui/{__version__}", "Accept-Language": self.lang, **more}
        return {"Authorization": f"Bearer {self.token}", **said} if self.token else said

    def refuse(self, response: HTTPResponse) -> None:
        """Go on only with a good answer.

        Raises:
            Later: another try may do.
            ChasquiError: what the server says is wrong.
        """
        if response.status < 300:
            return
        if response.status < 400:
            raise NoServer(url=self.url, why=f"it sends on to {response.headers.get('Location', '?')!r}")
        error = problem(self.url, response.status, response.read(1 << 20))
        if (
            isinstance(error, ServerAway)
            or response.status == 429
            or (response.status in LATER and error.action == "retry")
        ):
            raise Later(error, response.headers.get("Retry-After", ""))
        raise error

    def patience(self) -> Patience:
        """For one piece of work."""
        return Patience(self.url, self.patience_s)


@dataclass(frozen=True)
class Answer:
    """An answer that was read."""

    status: int
    headers: Any
    body: bytes


class Later(Exception):  # noqa: N818 - never seen outside: `Patience` turns it into what it holds
    """The server cannot do it now."""

    def __init__(self, error: ChasquiError, after: str = "") -> None:
        super().__init__(str(error))
        self.error = error
        self.after_s = min(float(after), LONGEST_WAIT_S) if after.isdigit() else 0.0


#: What may be otherwise at the next try: what a link does to us, and a server that is busy.
PASSING = (OSError, HTTPException, Later)


class Patience:
    """Waits between tries, longer each time, until there has been no progress for too long."""

    def __init__(self, url: str, patience_s: float) -> None:
        self._url, self._patience_s = url, patience_s
        self.progress()

    def progress(self) -> None:
        """Something worked."""
        self._until = time.monotonic() + self._patience_s
        self._wait_s = FIRST_WAIT_S

    def wait(self, trouble: Exception) -> None:
        """Wait for the next try after one that failed with any of `PASSING`.

        Raises:
            ServerAway, or what the server said: waiting has lasted too long.
            NoServer: waiting will not help.
        """
        asked_s = trouble.after_s if isinstance(trouble, Later) else 0.0
        wait_s = max(asked_s, self._wait_s * random.uniform(0.5, 1.0))
        error = trouble.error if isinstance(trouble, Later) else _away(self._url, trouble)
        if isinstance(error, NoServer) or time.monotonic() + wait_s > self._until:
            raise error from trouble
        time.sleep(wait_s)
        self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)


def _away(url: str, error: Exception) -> ChasquiError:
    """What a broken link is to the user."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NoServer(url=url, why=f"its certificate is not good: {error.verify_message}")
    if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
        return NoServer(url=url, why="it does not speak https")
    if isinstance(error, http.client.BadStatusLine) and not isinstance(error, http.client.RemoteDisconnected):
        return NoServer(url=url, why="it does not speak HTTP")
    return ServerAway(url=url, why=str(getattr(error, "strerror", None) or error or type(error).__name__))


def problem(url: str, status: int, body: bytes) -> ChasquiError:
    """The error that an answer tells of."""
    try:
        told = json.loads(body)
        return known(told["code"], told.get("evidence") or {}) or ServerSaid(url=url, detail=str(told["detail"]))
    except (ValueError, LookupError, TypeError):
        away = status in LATER or status >= 500
        return (ServerAway if away else NoServer)(url=url, why=f"HTTP {status}")


def known(code: str, evidence: Mapping[str, Any]) -> ChasquiError | None:
    """The error of that name, as the command line knows it; None where this Chasqui does not."""
    kind = getattr(errors, str(code), None)
    if not (isinstance(kind, type) and issubclass(kind, ChasquiError)):
        return None
    try:
        error: ChasquiError = kind(**evidence)
    except (ValueError, TypeError):  # a fact that does not fit into our words
        return None
    return error


def _read_json(url: str, answer: Answer) -> dict[str, Any]:
    if not answer.body:
        return {}
    try:
        told: dict[str, Any] = json.loads(answer.body)
    except ValueError as error:
        raise NoServer(url=url, why="it answers with something else than JSON") from error
    return told
