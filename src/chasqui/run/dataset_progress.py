"""Draws the making of a dataset: a line for all of it, one for each recording at work; elsewhere only what matters."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, TextIO

from chasqui.events import Event, Listener
from chasqui.records import Failure
from chasqui.run.progress import json_lines
from chasqui.run.size import show_time
from chasqui.words import explain, reason, say

if TYPE_CHECKING:
    from rich.console import RenderableType

#: Pictures per second: enough to see that it lives.
PER_SECOND = 4


@contextmanager
def listening(as_json: bool, lang: str, verbose: bool, stream: TextIO | None = None) -> Iterator[Listener]:
    """A listener that tells what happens: lines of JSON, a picture on a terminal, or lines of text elsewhere."""
    stream = stream or sys.stderr
    if as_json:
        yield json_lines()
    elif not stream.isatty():
        yield _Lines(lang, verbose, lambda line: print(line, file=stream, flush=True))
    else:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=stream, highlight=False)
        picture = Picture(lang, verbose, lambda line: console.print(line, markup=False))
        with Live(get_renderable=picture.draw, console=console, refresh_per_second=PER_SECOND, transient=True):
            yield picture


class _Lines:
    """Refusals and warnings; with `verbose` also every recording that is done."""

    def __init__(self, lang: str, verbose: bool, write: Any) -> None:
        self._lang, self._verbose, self._write = lang, verbose, write

    def __call__(self, event: Event) -> None:
        name = event.facts.get("name", "")
        if event.kind == "failed" and event.stage == "dataset":
            message = explain(_failure(event).as_error(), self._lang)
            self._write(say("cli.refused", self._lang, name=name, message=message))
        elif event.kind == "warned":
            message = reason(event.message or "", self._lang)
            if "evidence" in event.facts:  # an error that did not end the work: as errors are told
                message = explain(_failure(event).as_error(), self._lang)
            where = f"{name}: " if name else ""
            stage = say(f"cli.stage.{event.stage}", self._lang)
            self._write(say("cli.warned", self._lang, stage=stage, message=where + message))
        elif event.kind == "finished" and event.stage == "dataset" and self._verbose:
            self._write(say("dataset.one done", self._lang, name=name, seconds=f"{event.facts.get('seconds', 0):.1f}"))


class Picture(_Lines):
    """What is at work now, and how much is done. Called from one thread, drawn from another."""

    def __init__(self, lang: str, verbose: bool, write: Any) -> None:
        super().__init__(lang, verbose, write)
        self._lock = Lock()
        self._started = time.monotonic()
        self._at_work: dict[str, str] = {}
        self._done = self._failed = 0

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        name = str(event.facts.get("name", ""))
        with self._lock:
            if event.stage != "dataset":
                if event.kind in ("started", "advanced"):
                    self._at_work[name] = self._stage(event)
            elif event.kind == "started":
                self._at_work[name] = ""
            elif name:
                self._at_work.pop(name, None)
                self._done += event.kind == "finished"
                self._failed += event.kind == "failed"

    def _stage(self, event: Event) -> str:
        part = f" {event.done / event.total:.0%}" if event.done and event.total else ""
        return say(f"cli.stage.{event.stage}", self._lang) + part

    def draw(self) -> RenderableType:
        """As it stands now."""
        from rich.text import Text

        with self._lock:
            took = time.monotonic() - self._started
            first = say("dataset.so far", self._lang, done=self._done, failed=self._failed, time=show_time(took))
            lines = [first, *(f"  {name}  {stage}" for name, stage in self._at_work.items())]
        return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")


def _failure(event: Event) -> Failure:
    return Failure(error=event.facts["error"], evidence=event.facts.get("evidence", {}))
