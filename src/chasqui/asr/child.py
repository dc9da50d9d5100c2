"""The other side of `apart`: a process that opens one recogniser and answers questions from its standard input."""

from __future__ import annotations

import json
import os
import pickle
import queue
import signal
import sys
import threading
from typing import Any, BinaryIO

from chasqui.asr import Settings, open_here
from chasqui.asr.apart import LENGTH, READY
from chasqui.errors import ChasquiError, RecogniserLost


def main(name: str, settings: str) -> None:
    """Answer until the parent closes its end."""
    # Ctrl-C reaches the whole group: the parent decides what it means, and ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    answers.write(b"\n" + READY)
    os.dup2(2, 1)  # whatever a library prints must not get among the answers
    questions: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, questions), daemon=True).start()
    recogniser = None
    while True:
        spans, language = questions.get()
        try:
            recogniser = recogniser or open_here(name, Settings(**json.loads(settings)))
            answer: Any = recogniser.hear(spans, language)
        except ChasquiError as error:
            answer = error
        except MemoryError:
            answer = RecogniserLost(name=name, why="memory ran out; a smaller model or a smaller batch needs less")
        except Exception as error:  # noqa: BLE001 - it comes from a library, in a process of its own, and is passed on
            answer = RecogniserLost(name=name, why=f"{type(error).__name__}: {error}")
        data = pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL)
        answers.write(LENGTH.pack(len(data)) + data)
        answers.flush()


def _read(stream: BinaryIO, questions: queue.Queue[Any]) -> None:
    """Questions, until there are no more: then the parent is gone, and nobody wants what is being computed."""
    while len(head := stream.read(LENGTH.size)) == LENGTH.size:
        questions.put(pickle.loads(stream.read(LENGTH.unpack(head)[0])))  # written by our own parent
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
