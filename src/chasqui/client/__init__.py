"""A server of Chasqui, from a program: send recordings, follow what becomes of them, fetch the lessons.

    client = Client("https://chasqui.example.pe", token)
    made = client.upload("clase.mp3", title="La papa")
    for job in client.follow(made.job_id):
        print(job.stage, f"{job.done:.0%}")
    client.fetch(made.lesson_id, "lecciones")

| file | what |
|---|---|
| `wire.py` | one question, asked again until there is an answer; problems become our errors |
| `upload.py` | tus, going on behind cuts, restarts of the server, and kills of this process |
| `follow.py` | progress as it happens: server-sent events, or by asking again and again |
| `fetch.py` | files in ranges, proved by their hashes, delivered whole |

Nothing but the standard library: a base installation of Chasqui is a client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from chasqui.catalog import signatures
from chasqui.client.wire import PATIENCE_S, Wire

#: Whether a webhook's letter comes from who knows the secret: `verify_webhook(secret, headers, body)`.
verify_webhook = signatures.verify
#: Called with (bytes there, bytes in all).
Advanced = Callable[[int, int], None]


@dataclass(frozen=True)
class Made:
    """What came of an upload. `job_id` is None where another lesson of the school has this recording already."""

    lesson_id: str
    job_id: str | None
    recording_id: str


@dataclass(frozen=True)
class Job:
    """How work stands: `done` is the part of `stage` that is finished, 0-1."""

    id: str
    recording_id: str
    lesson_id: str | None
    state: str  # waiting, running, done, failed, cancelled
    stage: str | None
    done: float
    error: str | None = None
    message: str | None = None  # in the language of the client
    evidence: dict[str, Any] | None = None

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Job:
        """From the server's JSON; what a newer one says besides is left out."""
        return cls(**{field.name: facts.get(field.name) for field in fields(cls)})  # type: ignore[arg-type]


class Client:
    """One server, as the owner of a token.

    Everything that fails because of the link or a server that is away is tried again for `patience_s` seconds without
    any progress. Every method raises `ServerAway` after that, `NoServer` where something else answers, and what the
    server refuses as the error that it is (`NotSignedIn`, `NoRoom`, `UnknownThing` …).
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        lang: str = "es",
        patience_s: float = PATIENCE_S,
        state: str | Path | None = None,
    ) -> None:
        """`state`: folder that remembers uploads under way; `XDG_STATE_HOME/chasqui/uploads` by default."""
        self.wire = Wire(url, token, lang, patience_s)
        self._state = Path(state) if state is not None else None

    def upload(
        self,
        path: str | Path,
        *,
        title: str = "",
        target: str = "",
        budget: str = "",
        language: str = "",
        advanced: Advanced | None = None,
    ) -> Made:
        """Send a recording. What was sent before a cut, a restart or a kill is not sent again.

        Raises:
            Unreadable, NotWritable
            BadConfig: a target or budget that makes no sense.
            TooLarge, NoRoom
            Garbled: the server got other bytes than were sent.
        """
        from chasqui.client.upload import send

        facts = {"title": title, "target": target, "budget": budget, "language": language}
        return Made(**send(self.wire, Path(path), {k: v for k, v in facts.items() if v}, self._state, advanced))

    def follow(self, job_id: str) -> Iterator[Job]:
        """The job each time it has moved, to its end.

        Raises:
            JobCancelled, or the error with which it failed: after the last one.
        """
        from chasqui.client.follow import changes, outcome

        for facts in changes(self.wire, job_id):
            job = Job.of(facts)
            yield job
            if error := outcome(self.wire, facts):
                raise error

    def fetch(self, lesson_id: str, folder: str | Path, advanced: Advanced | None = None) -> Path:
        """The folder below `folder` that now holds the lesson, each file proved by its hash.

        Raises:
            NotMadeYet, Garbled, NotWritable, DiskFull
        """
        from chasqui.client.fetch import fetch

        return fetch(self.wire, lesson_id, Path(folder), advanced)

    def lesson(self, lesson_id: str) -> dict[str, Any]:
        """Everything that the server says of a lesson."""
        return self.wire.json("GET", f"lessons/{lesson_id}")

    def publish(self, lesson_id: str) -> dict[str, Any]:
        """Let the school have it; the lesson as it is then.

        Raises:
            NotMadeYet, NotAllowed
        """
        return self.wire.json("PUT", f"lessons/{lesson_id}/publication")

    def withdraw(self, lesson_id: str) -> dict[str, Any]:
        """Take it back; the lesson as it is then."""
        return self.wire.json("DELETE", f"lessons/{lesson_id}/publication")

    def lessons(self, **only: str) -> Iterator[dict[str, Any]]:
        """Lessons, newest first, fetched in pieces. `state="published"` or `text="papa"` leaves out others."""
        return self.listed("lessons", **only)

    def jobs(self) -> Iterator[Job]:
        """Jobs, newest first."""
        return (Job.of(facts) for facts in self.listed("jobs"))

    def listed(self, things: str, **only: str) -> Iterator[dict[str, Any]]:
        """The items of any list of the API (`people`, `units`, `channels` …), newest first."""
        from urllib.parse import urlencode

        after: str | None = None
        while True:
            page = self.wire.json("GET", f"{things}?{urlencode({**only, **({'after': after} if after else {})})}")
            yield from page["items"]
            if not (after := page["next"]):
                return

    def cancel(self, job_id: str) -> Job:
        """Ask for the end of a job."""
        return Job.of(self.wire.json("PUT", f"jobs/{job_id}/cancellation"))

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Anything else of the API: `client.ask("POST", "classes", {"name": "4.º B"})`. {} for an empty answer."""
        return self.wire.json(method, path, body)
