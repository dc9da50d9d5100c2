"""The one place that draws what stages report: bars on a terminal, JSON lines for programmes, warnings elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, TextIO

from chasqui.events import Event, Listener
from chasqui.records import Failure
from chasqui.words import explain, reason, say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

#: Work that takes less than this is not worth a line.
QUIET_S = 1.0


@contextmanager
def drawn(lang: str, stream: TextIO | None = None) -> Iterator[Listener]:
    """A listener that draws on a terminal, and elsewhere prints warnings only."""
    stream = stream or sys.stderr
    if not stream.isatty():
        yield _Warnings(lang, stream)
        return
    from rich.console import Console

    console = Console(file=stream, highlight=False)
    bars = _bars(console)
    with bars:
        yield _Drawing(bars, lang)


@contextmanager
def listening(as_json: bool, lang: str) -> Iterator[Listener]:
    """What a command tells while it works: lines of JSON on standard output, or bars and warnings beside it."""
    if as_json:
        yield json_lines()
    else:
        with drawn(lang) as listener:
            yield listener


def json_lines() -> JsonLines:
    """Events and a result for programmes, on standard output."""
    return JsonLines(sys.stdout)


class JsonLines:
    """A listener that writes each event as one line of JSON; of `advanced` one per whole percent."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = Lock()
        self._percent: dict[tuple[str, str], int] = {}

    def __call__(self, event: Event) -> None:
        with self._lock:
            if event.kind != "advanced" or self._moved(event):
                self._write(event.as_json())

    def result(self, facts: dict[str, Any]) -> None:
        """The last line."""
        with self._lock:
            self._write({"kind": "result", **facts})

    def _moved(self, event: Event) -> bool:
        percent = int(100 * (event.done or 0) / event.total) if event.total else -1
        place = (event.recording_id, event.stage)
        if percent >= 0 and self._percent.get(place) == percent:
            return False
        self._percent[place] = percent
        return True

    def _write(self, facts: dict[str, Any]) -> None:
        # ASCII with escapes: a file name that is not valid text must not break the line, whatever the terminal speaks.
        self._stream.write(json.dumps(facts, default=str) + "\n")
        self._stream.flush()


class _Warnings:
    def __init__(self, lang: str, stream: TextIO) -> None:
        self._lang = lang
        self._stream = stream

    def __call__(self, event: Event) -> None:
        if event.kind == "warned":
            self._stream.write(_warning(event, self._lang) + "\n")


class _Drawing:
    """One line per stage of the lesson at work; they go when the lesson is done."""

    def __init__(self, bars: Progress, lang: str) -> None:
        self._bars = bars
        self._lang = lang
        self._lock = Lock()
        self._lines: dict[tuple[str, str], TaskID] = {}

    def __call__(self, event: Event) -> None:
        with self._lock:
            if event.stage == "pack":
                self._lesson(event)
            elif event.kind == "warned":
                self._bars.console.print(_warning(event, self._lang), style="yellow", markup=False)
            else:
                self._stage(event)

    def _lesson(self, event: Event) -> None:
        for line in self._lines.values():
            self._bars.remove_task(line)
        self._lines.clear()
        self._bars.refresh()
        if event.kind == "started":
            self._bars.console.print(f"▸ {event.facts.get('name')}", style="bold", markup=False)

    def _stage(self, event: Event) -> None:
        place = (event.recording_id, event.stage)
        if event.kind == "started":
            name = say(f"cli.stage.{event.stage}", self._lang)
            self._lines[place] = self._bars.add_task(name, total=None, visible=False)
        elif (line := self._lines.get(place)) is None:
            return
        elif event.kind == "advanced":
            self._bars.update(line, completed=event.done, total=event.total)
        elif event.kind == "finished":
            total = self._bars.tasks[self._bars.task_ids.index(line)].total or 1
            self._bars.update(line, completed=total, total=total)


def _warning(event: Event, lang: str) -> str:
    message = reason(event.message or "", lang)
    if "evidence" in event.facts:  # an error that did not end the run: as errors are told
        message = explain(Failure(error=event.facts["error"], evidence=event.facts["evidence"]).as_error(), lang)
    return say("cli.warned", lang, stage=say(f"cli.stage.{event.stage}", lang), message=message)


def _bars(console: Console) -> Progress:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    class Bars(Progress):
        def get_renderables(self) -> Any:
            for task in self.tasks:
                took = task.finished_time if task.finished else task.elapsed
                task.visible = task.visible or (took or 0) > QUIET_S
            return super().get_renderables()

    columns = (
        TextColumn("  {task.description:<12}"),
        BarColumn(bar_width=32),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    return Bars(*columns, console=console)
