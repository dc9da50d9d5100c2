"""The second thread of a worker: says that the worker lives and how far it is, and stops the stage in the middle when
nobody wants it any more, when its slice of time is over, when it comes no further, or when the worker has to end.
"""

from __future__ import annotations

import logging
import math
import mmap
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Protocol

from chasqui.errors import CatalogAway
from chasqui.events import Event

#: Somebody who cancels waits for this at most; also the longest that a progress bar stands still.
BEAT_S = 1.0
#: Ends and slices are looked for so often: it costs nothing.
LOOK_S = 0.1
#: A stage that does not stop in this time after it was told to is ended with its process.
GRACE_S = 1.0


log = logging.getLogger("chasqui.queue")


class Stop(BaseException):
    """Raised in the middle of a stage. Not an Exception: no stage may take it for a failure of its own."""


class Ending:
    """Whether a worker was told to end, known to it and to the processes that it forked.

    One byte of shared memory: a lock could be held for ever by a process that was killed, and cannot be taken in a
    handler of signals.
    """

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)

    def __call__(self) -> bool:
        return self._byte[0] == 1

    def tell(self) -> None:
        self._byte[0] = 1


class Hands(Protocol):
    """What the beat does at the catalog for the job that it is for."""

    def beat(self, done: float) -> bool:
        """A sign of life. False: nobody wants the work any more."""
        ...

    def let_go(self, why: str) -> None:
        """The process ends in the middle of the stage."""
        ...


class Beat:
    """Beats while the body of `beating` runs; `why` it stopped that, if it did: unwanted, slice, stuck or ending."""

    def __init__(
        self, hands: Hands, ends_s: float | None, ending: Callable[[], bool], stuck_s: float = math.inf
    ) -> None:
        """`ends_s`: when the slice is over (monotonic). `stuck_s`: the longest that a stage may say nothing."""
        self._hands, self._ends_s, self._ending, self._stuck_s = hands, ends_s, ending, stuck_s
        self._heard_s = time.monotonic()
        self._over = threading.Event()
        self._raised = False
        self.done = 0.0
        self.why = ""

    def hear(self, event: Event) -> None:
        """How far the stage is."""
        self._heard_s = time.monotonic()
        if event.kind == "advanced" and event.total:
            self.done = (event.done or 0.0) / event.total

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Beat while the body runs. The body must run in the main thread, because signals stop it."""
        before = signal.signal(signal.SIGUSR2, self._stop)
        thread = threading.Thread(target=self._beats, name="beat", daemon=True)
        thread.start()
        try:
            try:
                yield
            finally:
                signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        finally:  # also where the stage was stopped in its very last moment, in the line above: once only, so not here
            self._over.set()
            thread.join()
            signal.signal(signal.SIGUSR2, before)

    def _beats(self) -> None:
        beat_s, told_s = time.monotonic(), 0.0
        while not self._over.wait(LOOK_S):
            now = time.monotonic()
            if now - beat_s >= BEAT_S:
                beat_s = now
                self._say()
            self.why = self.why or self._reason(now)
            if self.why and not self._raised:
                told_s = told_s or now
                os.kill(os.getpid(), signal.SIGUSR2)
            if self.why in ("unwanted", "ending", "stuck") and now - told_s > GRACE_S and not self._over.is_set():
                self._leave()

    def _stop(self, _signal: int, frame: FrameType | None) -> None:
        """Once only: what cleans up behind a stage must not be stopped too. Asked again if it cannot be now."""
        if not self._raised and not _importing(frame):
            self._raised = True
            raise Stop

    def _reason(self, now: float) -> str:
        if self._ending():
            return "ending"
        if now - self._heard_s > self._stuck_s:
            return "stuck"
        return "slice" if self._ends_s is not None and now > self._ends_s else ""

    def _say(self) -> None:
        """Beat, also after a slice is over: until the stage hears of it, it is at work."""
        try:
            wanted = self._hands.beat(self.done)
        except CatalogAway:  # it may be back before anybody takes us for dead
            wanted = True
        except Exception:  # a defect here must not silence a worker that lives
            log.exception("a defect in the beat")
            wanted = True
        if not wanted:
            self.why = "unwanted"

    def _leave(self) -> None:
        """The stage is deep in a library. What it was writing lies aside and is swept up by the next one."""
        with suppress(CatalogAway):  # then the sweep finds the job
            self._hands.let_go(self.why)
        os._exit(0)


def _importing(frame: FrameType | None) -> bool:
    """A module that was half imported stays broken, and the process with it: whoever comes next would pay for it."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
