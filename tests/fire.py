"""A service of its own that is killed: server, workers, broker and database, each as real processes. Shared by the kill
tests, which do it once or twice, and `bench/kill.py`, which does it fifty times.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import wave
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from clips import SPEECH, excerpt
from nodes import Postgres, Rabbit, free_port, killed, listens, until
from sqlalchemy import select

from chasqui.catalog import Catalog, accounts, jobs
from chasqui.catalog.permissions import ACTIONS, Actor
from chasqui.catalog.tables import Job, Lesson, Letter, Person, Upload
from chasqui.run.service import Service
from chasqui.store.folder import blobs_of

RATE_HZ = 16000
#: A worker that is silent for so long is dead here: fifty kills should not take an hour of waiting.
SILENT_S, LEASE_S = 5.0, 4.0


class Fire:
    """The service: `start`, ask for lessons, kill something, and see that all is well in the end."""

    def __init__(
        self, folder: Path, media: Path, rabbit: Rabbit | None = None, postgres: Postgres | None = None
    ) -> None:
        self.folder, self.media, self.rabbit, self.postgres = folder, media, rabbit, postgres
        self.service = Service(
            data=folder / "data",
            broker_url=rabbit.url if rabbit else "",
            database_url=postgres.url if postgres else "",
            silent_s=SILENT_S,
            lease_s=LEASE_S,
        )
        self.port, self.made = free_port(), 0
        self.chance = random.Random(7)
        self._server: subprocess.Popen[bytes] | None = None
        self.catalog: Catalog = self.service.catalog()
        school = accounts.make_school(self.catalog, "ie-40", "I. E. 40").id
        with self.catalog.writing() as db:
            db.add(person := Person(school_id=school, role="creator", name="Rosa"))
            db.flush()
        self.token = accounts.make_token(self.catalog, Actor(person.id, "creator", school), "fire", list(ACTIONS))

    # --- processes ---

    def start(self, *flags: str) -> None:
        """`chasqui serve` with its worker, answering."""
        server = self._server = self.chasqui("serve", "--port", str(self.port), *flags)
        until(lambda: listens(self.port) or server.poll() is not None, "the server listens")
        assert server.poll() is None, (self.folder / "log").read_text()

    def chasqui(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """A command of this service."""
        named = {f"CHASQUI_{name.upper()}": str(value) for name, value in self.service.model_dump().items() if value}
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "chasqui", *arguments],
                env=os.environ | named | environment,
                start_new_session=True,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> float:
        """As an operator does; the seconds it took."""
        assert self._server is not None
        begun = time.monotonic()
        self._server.send_signal(signal.SIGTERM)
        self._server.wait(60)
        return time.monotonic() - begun

    def kill_server(self) -> None:
        """Only the server: the worker beside it is in a group of its own, and has to notice."""
        killed(self._server)

    def kill_child(self) -> None:
        """The process that works on a job now, in the middle of a stage."""
        os.kill(self.working(), signal.SIGKILL)

    def kill_tree(self) -> None:
        """The worker with all of its processes."""
        os.killpg(os.getpgid(self.working()), signal.SIGKILL)

    def kill_database(self) -> None:
        """The database, and back with it."""
        assert self.postgres is not None
        self.working()
        self.postgres.kill()
        time.sleep(1.0)
        self.postgres.start()

    def kill_broker(self) -> None:
        """The broker; where it is a file, all who use it."""
        if self.rabbit is None:
            self.kill_tree()
            self.kill_server()
            self.start()
        else:
            self.working()
            self.rabbit.kill()
            self.rabbit.start()

    def working(self) -> int:
        """The process that is at work, a moment after it was seen to be."""
        found: list[int] = []

        def at_work() -> bool:
            with self.catalog.reading() as db:
                workers = db.scalars(select(Job.worker).where(Job.state == "running")).all()
            found[:] = [pid for pid in (int((name or "").split(":")[1]) for name in workers) if alive(pid)]
            return bool(found)

        until(at_work, "a worker is at work")
        time.sleep(self.chance.uniform(0.0, 0.7))
        return found[0] if alive(found[0]) else self.working()

    # --- asking ---

    def http(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, bytes]:
        address = path if path.startswith("http") else f"http://127.0.0.1:{self.port}/api/v1/{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        asked = urllib.request.Request(address, body, named | {"Authorization": f"Bearer {self.token}"}, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def recording(self) -> bytes:
        """Three seconds of real speech that nobody has sent before."""
        self.made += 1
        path = self.media / SPEECH[self.made % len(SPEECH)]
        sound = excerpt(path, 0.02 * (self.made // len(SPEECH)), 3.0)[::3]
        file = self.folder / f"sent-{self.made}.wav"
        with wave.open(str(file), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE_HZ)
            out.writeframes((sound * 32767).astype(np.int16).tobytes())
        return file.read_bytes()

    def ask(self, cut: Callable[[], object] | None = None) -> None:
        """Send one."""
        data = self.recording()
        self.send(f"clase-{self.made}.wav", data, cut)

    def send(self, name: str, data: bytes, cut: Callable[[], object] | None = None) -> None:
        """Upload it in two pieces; `cut` is done between them."""
        tus, told = {"Tus_Resumable": "1.0.0"}, f"filename {b64encode(name.encode()).decode()}"
        status, headers, said = self.http(
            "POST", "uploads", b"", Upload_Length=str(len(data)), Upload_Metadata=told, **tus
        )
        assert status == 201, said
        place, piece = headers["Location"], {**tus, "Content_Type": "application/offset+octet-stream"}
        half = len(data) // 2
        status, _, said = self.http("PATCH", place, data[:half], Upload_Offset="0", **piece)
        assert status == 204, said
        if cut is not None:
            cut()
        at = int(self.http("HEAD", place, **tus)[1]["Upload-Offset"])
        status, _, said = self.http("PATCH", place, data[at:], Upload_Offset=str(at), **piece)
        assert status == 204, said

    # --- what must be true ---

    def states(self) -> dict[str, str]:
        with self.catalog.reading() as db:
            return {
                job.id: f"{job.state} {job.error or ''} {job.evidence or ''}".strip() for job in db.scalars(select(Job))
            }

    def settled(self) -> None:
        """Every job has ended."""
        until(lambda: all(state.split()[0] in jobs.ENDS for state in self.states().values()), "all jobs end")

    def faults(self) -> list[str]:
        """What is wrong: jobs that were lost or failed, lessons that are there twice or not, halves of files."""
        with self.catalog.reading() as db:
            lessons = list(db.scalars(select(Lesson)))
            opened = list(db.scalars(select(Upload.id).where(Upload.state == "open")))
            due = (Letter.kind == "task", Letter.sent_s.is_(None), Letter.due_s < time.time() - 5.0)
            unsent = db.scalars(select(Letter.number).where(*due)).all()
        states = self.states()
        found = [f"job {job}: {state}" for job, state in states.items() if state != "done"]
        if len(states) != self.made:
            found.append(f"{len(states)} jobs of {self.made} recordings")
        if len({lesson.recording_id for lesson in lessons}) != self.made or len(lessons) != self.made:
            found.append(f"{len(lessons)} lessons of {self.made} recordings")
        found += [f"lesson {lesson.id} has no files" for lesson in lessons if not lesson.facts]
        found += [f"upload {upload} is open" for upload in opened] + [f"letter {number} waits" for number in unsent]
        return found + halves(self.service.data / "store") + sorted(map(str, self.service.incoming.glob("*.part")))

    def close(self) -> None:
        """End all processes."""
        killed(self._server)
        until(lambda: not self.left(), "the worker follows its server", 30)
        self.catalog.close()

    def left(self) -> list[str]:
        """Processes that work in our folder."""
        found = []
        for place in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if f"CHASQUI_DATA={self.service.data}\0".encode() in place.read_bytes():
                    found.append(place.parent.name)
        return found


def alive(pid: int) -> bool:
    with suppress(OSError):
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def halves(store: Path) -> list[str]:
    """Files in the stores of schools that no record stands for, or that are not what their record says."""
    return [fault for school in store.glob("*") for fault in _halves(school)]


def _halves(store: Path) -> list[str]:
    found, known = [], set()
    for record in store.glob("*/*.json"):
        for blob in blobs_of(json.loads(record.read_text())["record"]):
            path = store / blob["path"]
            known.add(path)
            if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != blob["sha256"]:
                found.append(f"{path} is not what {record.name} says")
    for path in store.glob("*/*/**/*"):
        if path.is_file() and path not in known and ".locks" not in path.parts:
            found.append(f"{path} belongs to nothing")
    return found + [str(path) for path in store.glob("*/.*.part")]
