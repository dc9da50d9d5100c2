"""A creator with a script, a bad link, and no idea of how any of this works: upload, follow, fetch."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from absent import missing
from clips import excerpt
from cuts import Cuts

ROOT = Path(__file__).parents[2]


@pytest.fixture
def serving(surroundings: dict[str, str], tmp_path: Path) -> Iterator[Any]:
    try:
        import cheroot  # noqa: F401
        import flask_openapi3  # noqa: F401
    except ImportError:
        missing("chasqui[serve]")
    from serving import Serving

    made = Serving(tmp_path / "data", surroundings)
    yield made
    made.end()


def five_lines() -> str:
    """The script as the page of the client shows it."""
    page = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
    shown = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert shown is not None
    return shown[1]


def test_five_lines_bring_a_lesson_over_a_link_that_breaks(serving: Any, media: Path, tmp_path: Path) -> None:
    from serving import creator_of

    administrator, token = creator_of(serving)
    recording = media / "asr" / "cuttledoc" / "fleurs-es-002.ogg"
    desk = tmp_path / "desk"
    desk.mkdir()
    (desk / "clase.mp3").write_bytes(recording.read_bytes())
    (desk / "carta.mp3").write_text("Estimados padres de familia:")

    chance = random.Random(11)
    link = Cuts(serving.url, lambda: chance.randrange(3_000, 60_000))
    script = five_lines().replace("https://chasqui.example.pe", link.url)
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "CHASQUI_TOKEN": token, "CHASQUI_LANG": "es"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(arguments, cwd=desk, env=env, capture_output=True, text=True, timeout=120, check=False)

    done = run(sys.executable, "-P", "-c", f"token = {token!r}\n{script}")
    assert done.returncode == 0, done.stderr + serving.said()
    assert link.broken >= 2
    *steps, home = done.stdout.splitlines()
    assert steps[-1].startswith("publish ")
    lesson = desk / home
    assert {"voice.opus", "voice.mp3", "lesson.json", "certificate.json", "report.html"} <= {
        path.name for path in lesson.iterdir()
    }
    assert json.loads((lesson / "lesson.json").read_text())["title"] == "La papa"

    # What the service makes is what `pack` makes, but for the title in its tags.
    packed = run(sys.executable, "-P", "-m", "chasqui", "pack", "clase.mp3", "--out", "aqui", "--threads", "1")
    assert packed.returncode == 0, packed.stderr
    (here,) = (desk / "aqui").rglob("voice.opus")
    assert np.array_equal(excerpt(here, 0, 60), excerpt(lesson / "voice.opus", 0, 60))

    # The same in a terminal; what pack refuses is refused in the same words.
    link.allowed = lambda: None
    wanted = ("--server", link.url, "--publish", "--fetch", "lecciones")
    told = run(sys.executable, "-P", "-m", "chasqui", "push", "clase.mp3", "carta.mp3", *wanted)
    link.close()
    refused = run(sys.executable, "-P", "-m", "chasqui", "pack", "carta.mp3")
    assert told.returncode == 3, told.stderr
    words = refused.stderr.partition(": ")[2].strip()
    assert words
    assert words in told.stderr
    assert "✓ La papa" in told.stdout
    status, lessons = administrator("GET", "lessons?state=published")
    assert (status, [one["title"] for one in lessons["items"]]) == (200, ["La papa"])
    assert list((tmp_path / "state").rglob("*.json")) == []
