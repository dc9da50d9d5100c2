"""A hub on this machine: enough of the Hugging Face hub's protocol for its own client to pull a folder of files."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMMIT = "c" * 40


class Hub:
    """Serves one folder as the repository that it is asked for. Use as a context."""

    def __init__(self, folder: Path) -> None:
        self.files = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.fetched: list[str] = []
        self.broken = False  # sends other bytes than it declares
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Hub:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def tree(self) -> list[dict[str, Any]]:
        listed = []
        for name, data in self.files.items():
            entry: dict[str, Any] = {"type": "file", "path": name, "size": len(data), "oid": _git(data)}
            if len(data) > 1_000_000:
                entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
            listed.append(entry)
        return listed

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                name = path.rsplit("/", 1)[-1]
                if "/tree/" in path:
                    self.give(json.dumps(hub.tree()).encode(), {"Content-Type": "application/json"})
                elif path.startswith("/api/models/nobody/"):
                    self.give(b'{"error": "Repository not found"}', {"X-Error-Code": "RepoNotFound"}, 404)
                elif path.startswith("/api/models/"):
                    names = [{"rfilename": name} for name in hub.files]
                    info = {"id": "a/b", "sha": COMMIT, "siblings": names}
                    self.give(json.dumps(info).encode(), {"Content-Type": "application/json"})
                elif "/resolve/" in path and name in hub.files:
                    data = hub.files[name]
                    etag = hashlib.sha256(data).hexdigest() if len(data) > 1_000_000 else _git(data)
                    if self.command == "GET":
                        hub.fetched.append(name)
                    self.give(data[::-1] if hub.broken else data, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT})
                else:
                    self.give(b"", {}, 404)

            do_HEAD = do_GET  # noqa: N815 - the library's name

            def give(self, data: bytes, headers: dict[str, str], status: int = 200) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _git(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
