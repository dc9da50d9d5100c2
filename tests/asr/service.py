"""A real server on this machine that speaks OpenAI's protocol for transcription, with any recogniser behind it.

What it is told to answer first (`first`) it answers first; then it listens for real. What it was sent is in `asked`.
"""

from __future__ import annotations

import io
import json
import threading
import time
import wave
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from chasqui.asr import Recogniser, Span


class Answer:
    """One answer to give instead of a real one."""

    def __init__(
        self, status: int = 200, body: Any = b"", headers: dict[str, str] | None = None, drip_s: float = 0
    ) -> None:
        self.status, self.headers, self.drip_s = status, headers or {}, drip_s
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()


class Service:
    """Use as a context: `with Service(recogniser) as service: service.url`."""

    def __init__(self, recogniser: Recogniser | None = None, largest: int = 25_000_000) -> None:
        self.first: list[Answer] = []
        self.asked: list[dict[str, Any]] = []
        self.key = ""  # the only key that is let in; empty: everybody
        self.largest = largest
        self._recogniser = recogniser
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Service:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, headers: Any, body: bytes) -> Answer:
        fields = _fields(headers["Content-Type"], body)
        self.asked.append({"path": path, "bytes": len(body), "key": headers.get("Authorization", ""), **fields})
        if self.key and headers.get("Authorization") != f"Bearer {self.key}":
            return Answer(401, {"error": {"message": "Incorrect API key provided"}})
        if self.first:
            return self.first.pop(0)
        if len(body) > self.largest:
            return Answer(413, {"error": {"message": "Maximum content size limit exceeded"}})
        if path != "/v1/audio/transcriptions":
            return Answer(404, b"<html>nothing here</html>")
        return Answer(200, self._listen(fields))

    def _listen(self, fields: dict[str, Any]) -> dict[str, Any]:
        with wave.open(io.BytesIO(fields["file"])) as sound:
            assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16000, 1, 2)
            samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.float32) / 32768
        assert fields["response_format"] == "verbose_json"
        assert "word" in fields["timestamp_granularities[]"]
        assert self._recogniser is not None
        heard = self._recogniser.hear([Span(samples)], fields.get("language"))[0]
        return {
            "task": "transcribe",
            "language": heard.language,
            "duration": len(samples) / 16000,
            "text": " ".join(word.text for word in heard.words),
            # OpenAI's words come without punctuation; the text has it.
            "words": [{"word": w.text.strip(".,¿?¡!"), "start": w.start_s, "end": w.end_s} for w in heard.words],
            "segments": [
                {"id": 0, "start": 0.0, "end": len(samples) / 16000, "avg_logprob": -0.3, "no_speech_prob": 0.01}
            ],
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = service.answer(self.path, self.headers, body)
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                step = 1 if answer.drip_s else len(answer.body) or 1
                for start in range(0, len(answer.body), step):
                    time.sleep(answer.drip_s)
                    self.wfile.write(answer.body[start : start + step])
                    self.wfile.flush()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _fields(content_type: str, body: bytes) -> dict[str, Any]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    fields: dict[str, Any] = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts():
        name, data = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if part.get_filename():
            fields[name] = data
        elif name.endswith("[]"):
            fields.setdefault(name, []).append(data.decode())
        else:
            fields[name] = data.decode()
    return fields
