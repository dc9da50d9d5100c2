"""The service as operators run it: `chasqui serve` and `chasqui worker` as processes, asked as browsers ask."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PASSWORD = "la llama come ichu"
#: A process that has not said where it is by then is not coming.
PATIENCE_S = 60.0


class Serving:
    """`chasqui serve` in a folder, on a port of its own, and as many workers as wanted."""

    def __init__(self, data: Path, env: Mapping[str, str] | None = None, worker: bool = True) -> None:
        ours = {name: text for name, text in os.environ.items() if not name.startswith("CHASQUI_")}
        self.env = {**ours, "CHASQUI_LANG": "en", "CHASQUI_DATA": str(data), "CHASQUI_THREADS": "1", **(env or {})}
        self.data = data
        data.mkdir(parents=True, exist_ok=True)
        self._processes: list[subprocess.Popen[bytes]] = []
        self.log = data / "serve.log"
        self.server = self.begin("serve", "--port", "0", *([] if worker else ["--no-worker"]))
        self.url = self._said(r"at (http://\S+)")
        self.first_link = self._said(r"/invitation#(\S+)")

    def begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Another process of the service."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "chasqui", *arguments],
                stdout=log,
                stderr=log,
                env=self.env,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def end(self) -> list[int]:
        """End all, softly where that is enough; their exit codes."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        codes = []
        for process in self._processes:
            try:
                codes.append(process.wait(30))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                codes.append(process.wait())
        return codes

    def said(self) -> str:
        """All that the processes said."""
        return self.log.read_text(errors="replace")

    def _said(self, pattern: str) -> str:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if found := re.search(pattern, self.said()):
                return found[1]
            assert self.server.poll() is None, self.said()
            time.sleep(0.1)
        raise AssertionError(f"nothing like {pattern!r} in:\n{self.said()}")


class Browser:
    """Somebody in front of a browser: cookies, and the header that goes with changes. No redirects, no retries."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._csrf = ""
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """(status, the JSON of the answer)"""
        data = None if body is None else json.dumps(body).encode()
        said = {"Content-Type": "application/json", "Accept-Language": "es", "X-CSRF-Token": self._csrf, **headers}
        asked = urllib.request.Request(f"{self._url}/api/v1/{path}", data, said, method=method)
        try:
            with self._opener.open(asked, timeout=30) as answer:
                return self._read(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return self._read(error.code, error.read())

    def accept(self, link: str, name: str, email: str) -> dict[str, Any]:
        """Make the account that a link invites to, and be signed in."""
        body = {"link": link, "name": name, "email": email, "password": PASSWORD}
        status, told = self("POST", "people", body)
        assert status == 201, told
        return dict(told)

    def invite(self, role: str) -> str:
        """A link for somebody else."""
        status, told = self("POST", "invitations", {"role": role})
        assert status == 201, told
        return str(told["link"])

    def token(self, *scopes: str) -> str:
        """A key for programs."""
        status, told = self("POST", "tokens", {"name": "tests", "scopes": list(scopes)})
        assert status == 201, told
        return str(told["token"])

    def _read(self, status: int, body: bytes) -> tuple[int, Any]:
        told = json.loads(body) if body else None
        if isinstance(told, dict) and told.get("csrf"):
            self._csrf = told["csrf"]
        return status, told


def creator_of(serving: Serving) -> tuple[Browser, str]:
    """The administrator whom the first link made, and a token of a creator whom they invited."""
    administrator, creator = Browser(serving.url), Browser(serving.url)
    administrator.accept(serving.first_link, "Rosa", "rosa@example.pe")
    creator.accept(administrator.invite("creator"), "Wayra", "wayra@example.pe")
    return administrator, creator.token("uploads.write", "jobs.read", "lessons.read", "lessons.publish")
