"""What is told while a dataset is made, and what at its end."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from chasqui.events import Event
from chasqui.pipeline import PIPELINE
from chasqui.records import Failure
from chasqui.run.dataset_progress import Picture, listening
from chasqui.run.dataset_tell import MOST_LINES, result, told
from chasqui.run.order import Made
from chasqui.words import LANGUAGES


def event(kind: Any, stage: str, name: str, **more: Any) -> Event:
    facts = {"name": name, **more.pop("facts", {})}
    return Event(kind, stage, "0" * 16, facts=facts, **more)


REFUSED = event("failed", "dataset", "carta.mp3", facts={"error": "EmptyFile", "evidence": {"name": "carta.mp3"}})


@pytest.mark.parametrize(("verbose", "lines"), [(False, 2), (True, 3)])
def test_away_from_a_terminal_refusals_and_warnings_are_lines(verbose: bool, lines: int) -> None:
    stream = io.StringIO()
    with listening(False, "es", verbose, stream) as listener:
        listener(event("started", "dataset", "a.wav"))
        listener(event("warned", "clean", "a.wav", message="no clicks found"))
        listener(event("finished", "dataset", "a.wav", facts={"seconds": 1.25}))
        listener(REFUSED)
    said = stream.getvalue().splitlines()
    assert len(said) == lines
    assert said[0] == "Atención (Limpiar): a.wav: sin chasquidos"
    assert said[-1] == "✗ carta.mp3: carta.mp3 está vacío (0 bytes)."
    assert not verbose or said[1].startswith("✓ a.wav (1.2")


def test_the_picture_shows_who_is_at_work_and_forgets_who_is_done() -> None:
    lines: list[str] = []
    picture = Picture("en", False, lines.append)

    def drawn() -> list[str]:
        console = Console(file=io.StringIO(), width=80)
        with console.capture() as capture:
            console.print(picture.draw())
        return capture.get().splitlines()

    picture(event("started", "dataset", "a.wav"))
    picture(event("started", "dataset", "b.wav"))
    picture(event("advanced", "clean", "b.wav", done=30.0, total=120.0))
    assert drawn()[1:] == ["  a.wav  ", "  b.wav  Clean 25%"]
    picture(event("finished", "dataset", "b.wav"))
    picture(REFUSED)
    assert drawn()[0].startswith("1 done, 1 refused") and drawn()[1:] == ["  a.wav  "]
    assert lines == ["✗ carta.mp3: carta.mp3 is empty (0 bytes)."]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_stage_has_a_word(lang: str) -> None:
    picture = Picture(lang, False, print)
    for stage in (*PIPELINE, "dataset"):
        picture(event("started", stage, "a.wav"))
        picture(event("warned", stage, "a.wav", message="no clicks found"))


MADE = Made(
    folder=Path("data"),
    recordings=2,
    new=1,
    refused=30,
    reasons={"EmptyFile": 30},
    failures=tuple((f"{n}.mp3", Failure(error="EmptyFile", evidence={"name": f"{n}.mp3"})) for n in range(30)),
    duration_s=7200.0,
    text_tokens=1234,
    audio_tokens=5_000_000,
    worked_s=72.0,
    wall_s=40.0,
)


def test_the_end_tells_files_hours_tokens_time_and_the_first_refusals() -> None:
    said = list(told(MADE, "en"))
    assert said[0] == "data: 2 recordings, 1 of them new or made anew in this run"
    assert said[1] == "Sound: 2:00:00; text tokens: 1,234; audio tokens: 5,000,000"
    assert said[2].endswith("in all processes together, 1:12")
    assert said[3:5] == ["Refused: 30", "     30  EmptyFile"]
    assert len(said) == 5 + MOST_LINES + 1 and "10 more" in said[-1]


def test_the_result_has_a_code_as_pack_has_it() -> None:
    assert result(MADE, "en")["exit_code"] == 3
    assert result(MADE, "es")["failures"][0]["message"] == "0.mp3 está vacío (0 bytes)."
    assert replace(MADE, recordings=0).exit_code == 12
    assert replace(MADE, refused=0, failures=()).exit_code == 0
