"""Processes that work on the recordings of a dataset, each on one at a time; none is ever given work before it asks.

So nothing piles up, however many recordings there are. A process that dies (killed, out of memory, a crash inside
a decoder) costs nothing but time: its recording is tried once more, in a new process, and after that it has failed. Why
not concurrent.futures: there a process that dies takes everybody's work with it, and does not say whose fault it was.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from typing import Any

from chasqui.errors import Defect, WorkerLost
from chasqui.events import Event, Listener
from chasqui.run.chunk import Job, Outcome, Task, Wanted, as_failure, run_chunk

#: Times that a recording is begun: a death may be bad luck (somebody else ate the memory), two are its own.
ATTEMPTS = 2
#: Processes in a row that ended before they could begin: then something is wrong with us, not with a recording.
STILLBORN = 4
#: Seconds between two `advanced` events of one process: faster than anybody reads, slow enough to cost nothing.
EVERY_S = 0.2
#: Seconds that a process may take to go when nothing is left to do.
GOODBYE_S = 2.0


@dataclass
class _Worker:
    process: Any
    link: Connection
    task: Task | None = None
    attempt: int = 1
    ready: bool = False


class Pool:
    """At most `workers` processes, started as work comes. Use `outcomes` once; close it to end them early."""

    def __init__(self, job: Job, workers: int, listener: Listener | None = None, wanted: Wanted | None = None) -> None:
        # Threads within processes get in each other's way: as many processes as cores, one thread in each.
        threads = 1 if workers > 1 and not job.config.threads else job.config.threads
        self._job = replace(job, config=job.config.model_copy(update={"threads": threads}))
        self._most = workers
        self._listener, self._wanted = listener, wanted
        self._context = multiprocessing.get_context("spawn")  # FFmpeg's and BLAS's threads do not survive a fork
        self._workers: list[_Worker] = []
        self._again: deque[tuple[Task, int]] = deque()
        self._unborn = 0

    def outcomes(self, tasks: Iterator[Task]) -> Iterator[Outcome]:
        """An Outcome for every task, as they are finished. A task is taken from `tasks` when a process is free for it.

        Raises:
            Defect: no process can be started at all.
        """
        try:
            while True:
                while self._busy < self._most and (following := self._following(tasks)) is not None:
                    self._give(self._free(), *following)
                if not self._busy:
                    return
                busy: dict[Any, _Worker] = {w.link: w for w in self._workers if w.task is not None}
                for link in wait(list(busy)):
                    if (outcome := self._heard(busy[link])) is not None:
                        yield outcome
        finally:
            self._end()

    @property
    def _busy(self) -> int:
        return sum(worker.task is not None for worker in self._workers)

    def _following(self, tasks: Iterator[Task]) -> tuple[Task, int] | None:
        """The next task and which attempt at it this is."""
        if self._again:
            return self._again.popleft()
        task = next(tasks, None)
        return None if task is None else (task, 1)

    def _free(self) -> _Worker:
        """A process without work; a new one if all are busy."""
        if (idle := next((worker for worker in self._workers if worker.task is None), None)) is not None:
            return idle
        here, there = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(there, self._job), daemon=True, name="chasqui dataset")
        process.start()
        there.close()
        worker = _Worker(process, here)
        self._workers.append(worker)
        return worker

    def _give(self, worker: _Worker, task: Task, attempt: int) -> None:
        worker.task, worker.attempt = task, attempt
        try:
            worker.link.send(task)
        except OSError:  # it died while it had nothing to do, which is nobody's fault
            worker.attempt -= 1

    def _heard(self, worker: _Worker) -> Outcome | None:
        """One message of a worker; an Outcome if that ends its task."""
        try:
            kind, what = worker.link.recv()
        except (EOFError, OSError):
            return self._lost(worker)
        worker.ready, self._unborn = True, 0
        if kind == "event" and self._listener is not None:
            name = worker.task.source.name if worker.task else ""
            self._listener(Event(**{**what, "facts": {"name": name, **what["facts"]}}))
        elif kind == "wanted":
            with suppress(OSError):  # if it died meanwhile, its end of the pipe says so
                worker.link.send(self._wanted(*what) if self._wanted is not None else True)
        elif kind == "done":
            worker.task = None
            outcome: Outcome = what
            return outcome
        return None

    def _lost(self, worker: _Worker) -> Outcome | None:
        """A worker died: its task goes to another one, or has failed."""
        task, attempt = worker.task, worker.attempt
        worker.link.close()
        worker.process.join()
        self._workers.remove(worker)
        code = worker.process.exitcode
        why = f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"
        if task is None:
            return None
        if not worker.ready:  # it never came to look at the recording
            self._unborn += 1
            if self._unborn >= STILLBORN:
                raise Defect(name="a worker process", what=f"none could be started: {why}")
            attempt -= 1
        if attempt < ATTEMPTS:
            self._again.append((task, attempt + 1))
            return None
        error = WorkerLost(name=task.source.name, why=why)
        if self._listener is not None:
            facts = {"name": task.source.name, **as_failure(error).model_dump()}
            self._listener(Event("failed", "dataset", task.recording_id or "", message=str(error), facts=facts))
        return Outcome(task, task.recording_id, failure=as_failure(error))

    def _end(self) -> None:
        for worker in self._workers:
            worker.link.close()  # whoever waits for work takes this for the end of it
            if worker.task is not None:
                worker.process.terminate()
        limit = time.monotonic() + GOODBYE_S
        for worker in self._workers:
            worker.process.join(max(limit - time.monotonic(), 0.1))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers.clear()


def _serve(link: Connection, job: Job) -> None:
    """What a worker process does all its life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches everybody at the terminal; the parent ends us
    _go_with_the_parent()
    from chasqui.metrics.threads import one_blas_thread

    say = _Telling(link)
    say.send("ready", None)

    def wanted(recording_id: str, place: str) -> bool:
        say.send("wanted", (recording_id, place))
        return bool(link.recv())

    with one_blas_thread():
        while True:
            try:
                task: Task = link.recv()
                (outcome,) = run_chunk([task], job, say, wanted)
                say.send("done", outcome)
            except (EOFError, ConnectionError):  # the parent is gone, or done
                return


class _Telling:
    """Sends events to the parent; of those that only say how far, a few per second. Stages may call from threads."""

    def __init__(self, link: Connection) -> None:
        self._link, self._lock, self._last = link, threading.Lock(), 0.0

    def __call__(self, event: Event) -> None:
        if event.kind == "advanced":
            if time.monotonic() - self._last < EVERY_S:
                return
            self._last = time.monotonic()
        self.send("event", {"kind": event.kind, "stage": event.stage, "recording_id": event.recording_id,
                            "done": event.done, "total": event.total, "unit": event.unit, "message": event.message,
                            "facts": event.facts})  # fmt: skip

    def send(self, kind: str, what: Any) -> None:
        with self._lock:
            self._link.send((kind, what))


def _go_with_the_parent() -> None:
    """A parent that is killed cannot end its workers; they notice, and leave the recording to the next run."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        sys.stderr.flush()
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent watch").start()
