"""What is drawn on a terminal, and what is written where there is none."""

from __future__ import annotations

import io
import json
import re

import pytest

from chasqui.events import Event
from chasqui.run import progress
from chasqui.run.progress import JsonLines, drawn

ID = "0123456789abcdef"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())


def a_lesson(*done: float) -> list[Event]:
    return [
        Event("started", "pack", ID, facts={"name": "Clase [1].mp3"}),
        Event("started", "clean", ID),
        *(Event("advanced", "clean", ID, done=seconds, total=100.0, unit="s") for seconds in done),
        Event("warned", "clean", ID, message="it was [noisy]"),
        Event("finished", "clean", ID),
        Event("reused", "analyze", ID),
    ]


def test_long_work_is_a_line_with_a_bar_and_percent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "QUIET_S", -1.0)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with drawn("es", terminal) as listener:
        for event in a_lesson(25.0, 50.0):
            listener(event)
    assert "▸ Clase [1].mp3" in terminal.text  # brackets are text, not styles
    assert "Atención (Limpiar): it was [noisy]" in terminal.text
    assert re.search(r"Limpiar\s+━+.*100%", terminal.text)
    assert "Analizar" not in terminal.text


def test_short_work_has_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "QUIET_S", 3600.0)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with drawn("es", terminal) as listener:
        for event in a_lesson(50.0):
            listener(event)
    assert "━" not in terminal.text


def test_the_lines_go_when_the_lesson_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "QUIET_S", -1.0)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with drawn("en", terminal) as listener:
        for event in (
            *a_lesson(50.0),
            Event("finished", "pack", ID),
            Event("started", "pack", ID, facts={"name": "2"}),
        ):
            listener(event)
    before, after = terminal.getvalue().rsplit("▸ 2", 1)
    assert "Clean" in before
    assert "Clean" not in after


def test_away_from_a_terminal_only_warnings_are_written() -> None:
    stream = io.StringIO()
    with drawn("en", stream) as listener:
        for event in a_lesson(1.0, 2.0):
            listener(event)
    assert stream.getvalue() == "Warning (Clean): it was [noisy]\n"


def test_json_has_one_line_per_percent_and_all_else() -> None:
    stream = io.StringIO()
    listener = JsonLines(stream)
    for event in a_lesson(1.0, 1.1, 1.9, 2.0, 1.5):
        listener(event)
    listener(Event("advanced", "clean", ID, done=3.0, total=None, unit="s"))
    listener(Event("advanced", "clean", ID, done=4.0, total=None, unit="s"))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["done"] for line in lines if line["kind"] == "advanced"] == [1.0, 2.0, 1.5, 3.0, 4.0]
    assert [line["kind"] for line in lines if line["kind"] != "advanced"] == [
        "started",
        "started",
        "warned",
        "finished",
        "reused",
    ]


def test_json_survives_names_that_are_not_text() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    JsonLines(stream)(Event("started", "pack", ID, facts={"name": "mañana \udcff.mp3"}))
    stream.flush()
    stream.seek(0)
    assert json.loads(stream.read())["facts"]["name"] == "mañana \udcff.mp3"
