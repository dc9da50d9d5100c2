"""A recogniser in a process of its own: one that hangs can really be ended, and one that dies takes nobody with it.

Only sound and words cross the border, so it costs the start of a process (about a second) and next to nothing after.
The process ends with its parent, whatever happens to that.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from chasqui.asr import Heard, Recogniser, Settings, Span, check_language
from chasqui.errors import ChasquiError, RecogniserLost

#: Each message: its length in 8 bytes, then the pickle. The other side is our own code, started by us.
LENGTH = struct.Struct(">Q")
#: The line behind which answers begin: what Python prints while it starts stands before it.
READY = b"chasqui: ready\n"


class Apart:
    """Answers like the recogniser it was made from, which itself is never loaded here. One caller at a time."""

    def __init__(self, recogniser: Recogniser, settings: Settings) -> None:
        self.name = recogniser.name
        self._recogniser, self._settings = recogniser, settings
        self._child: subprocess.Popen[bytes] | None = None
        self._answers: queue.Queue[Any] = queue.Queue()
        self._turn = threading.Lock()

    @property
    def identity(self) -> str:
        return self._recogniser.identity

    @property
    def languages(self) -> frozenset[str] | None:
        return self._recogniser.languages

    def hear(self, spans: Sequence[Span], language: str | None = None) -> list[Heard]:
        check_language(self, language)
        with self._turn:
            starting = self._child is None
            limit_s = self._settings.patience * sum(span.seconds for span in spans) + 10
            try:
                answer = self._ask((list(spans), language), limit_s + (self._settings.start_s if starting else 0))
            except BaseException:
                self._end()  # also on Ctrl-C: an answer that comes late must not pass for the next one's
                raise
        if isinstance(answer, ChasquiError):
            raise answer
        heard: list[Heard] = answer
        return heard

    def close(self) -> None:
        with self._turn:
            self._end()

    def __del__(self) -> None:
        self._end()

    def _ask(self, question: Any, limit_s: float) -> Any:
        child = self._child or self._start()
        data = pickle.dumps(question, protocol=pickle.HIGHEST_PROTOCOL)
        # Written by a thread: a child that does not read would hold us back, and no limit would help.
        threading.Thread(target=_send, args=(child.stdin, data), daemon=True).start()
        try:
            answer = self._answers.get(timeout=limit_s)
        except queue.Empty:
            raise RecogniserLost(name=self.name, why=f"no answer within {limit_s:.0f} s; it was stopped") from None
        if answer is None:
            raise RecogniserLost(name=self.name, why=_epitaph(child))
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        # model_dump leaves out what stays out of keys; the child wants all of it.
        # -P: what lies in the folder that a teacher stands in (a json.py among the recordings) is never imported.
        command = [sys.executable, "-P", "-m", "chasqui.asr.child", self.name, json.dumps(dict(self._settings))]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_surroundings())
        self._child, self._answers = child, queue.Queue()
        threading.Thread(target=_receive, args=(child.stdout, self._answers), daemon=True).start()
        return child

    def _end(self) -> None:
        child, self._child = self.__dict__.get("_child"), None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            with contextlib.suppress(OSError, ValueError):  # a thread may be writing; it ends with the broken pipe
                pipe.close()


def _surroundings() -> dict[str, str]:
    """The child imports what we import, wherever we have it from."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _epitaph(child: subprocess.Popen[bytes]) -> str:
    try:
        code = child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return "it closed its end"
    if code == -9:
        return "it was killed, probably because memory ran out; a smaller model or a smaller batch needs less"
    return f"it ended by itself ({'signal' if code < 0 else 'code'} {abs(code)})"


def _send(stream: Any, data: bytes) -> None:
    try:
        stream.write(LENGTH.pack(len(data)) + data)
        stream.flush()
    except (OSError, ValueError):
        pass  # it is gone; whoever waits for the answer learns that


def _receive(stream: Any, answers: queue.Queue[Any]) -> None:
    try:
        while stream.readline() not in (READY, b""):
            pass
        while len(head := stream.read(LENGTH.size)) == LENGTH.size:
            answers.put(pickle.loads(stream.read(LENGTH.unpack(head)[0])))  # written by our own child
    except (OSError, ValueError, EOFError, pickle.UnpicklingError):
        pass
    answers.put(None)
