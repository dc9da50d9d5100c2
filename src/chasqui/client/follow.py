"""Progress as it happens: by server-sent events, or by asking again and again where a proxy keeps those back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any

from chasqui.client.wire import PASSING, Wire, known
from chasqui.errors import ChasquiError, JobCancelled, NoServer, ServerSaid

ENDS = ("done", "failed", "cancelled")
#: The server says something every 15 s. A stream that is silent for longer is kept back by a proxy.
SILENT_S = 40.0
#: Between two questions where there is no stream: stages take minutes.
POLL_S = 2.0


def changes(wire: Wire, job_id: str) -> Iterator[dict[str, Any]]:
    """The job whenever it has changed, to its end.

    Raises:
        ServerAway, UnknownThing, NotSignedIn …
    """
    last: dict[str, Any] | None = None
    patience, streams = wire.patience(), True
    while last is None or last["state"] not in ENDS:
        try:
            if streams:
                for facts in _stream(wire, job_id):
                    patience.progress()
                    if facts != last:
                        last = facts
                        yield facts
                continue  # the server ends a stream now and then
            now = wire.json("GET", f"jobs/{job_id}")
            if now != last:
                last = now
                yield now
            if now["state"] not in ENDS:
                time.sleep(POLL_S)
        except TimeoutError:
            streams = False
        except NoServer:  # something between does not know streams; the next question tells whether it is a server
            if not streams:
                raise
            streams = False
        except PASSING as trouble:
            patience.wait(trouble)


def outcome(wire: Wire, facts: dict[str, Any]) -> ChasquiError | None:
    """The error with which a job ended; None while it runs, or if all is well."""
    if facts["state"] == "cancelled":
        return JobCancelled(name=facts.get("recording_id"))
    if facts["state"] != "failed":
        return None
    error = known(facts.get("error") or "", facts.get("evidence") or {})
    return error or ServerSaid(url=wire.url, detail=facts.get("message") or facts.get("error"))


def _stream(wire: Wire, job_id: str) -> Iterator[dict[str, Any]]:
    headers = {"Accept": "text/event-stream"}
    with wire.opened("GET", f"jobs/{job_id}/events", headers=headers, silent_s=SILENT_S) as response:
        if response.headers.get_content_type() != "text/event-stream":
            raise NoServer(url=wire.url, why="it sends no events")
        yield from _events(wire, response)


def _events(wire: Wire, response: HTTPResponse) -> Iterator[dict[str, Any]]:
    """The data of each event; comments and half events are passed over."""
    data = ""
    while line := response.readline(1 << 20):
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if text.startswith("data:"):
            data += text[5:].strip()
        elif not text and data:
            try:
                yield json.loads(data)
            except ValueError as error:
                raise NoServer(url=wire.url, why="it answers with something else than JSON") from error
            data = ""
