"""Work ahead of the reader in a thread of its own, a few blocks at most: decoding, treating and writing overlap.

The order, and so every byte, stays the same. Our arithmetic releases the GIL, so two cores are really used.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Empty, Full, Queue
from typing import TypeVar

T = TypeVar("T")

DEPTH = 2  # blocks of 10 s held between two threads: 4 MB each pair, and neither waits for the other's hiccups
POLL_S = 0.1


def ahead(source: Iterator[T], depth: int = DEPTH) -> Iterator[T]:
    """The same items. What `source` raises is raised here; a reader that goes away stops the thread."""
    items: Queue[tuple[T | None, BaseException | None]] = Queue(depth)
    gone = threading.Event()

    def give(item: T | None, error: BaseException | None) -> bool:
        while not gone.is_set():
            try:
                items.put((item, error), timeout=POLL_S)
            except Full:
                continue
            return True
        return False

    def work() -> None:
        error: BaseException | None = StopIteration()
        try:
            for item in source:
                if not give(item, None):
                    return
        except BaseException as raised:  # noqa: BLE001 - handed over to the reader, whatever it is
            error = raised
        give(None, error)

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = items.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        gone.set()
        _drain(items)
        thread.join()


def _drain(items: Queue[tuple[T | None, BaseException | None]]) -> None:
    """Make room, so that a thread that is about to put something sees at once that nobody reads any more."""
    while True:
        try:
            items.get_nowait()
        except Empty:
            return
