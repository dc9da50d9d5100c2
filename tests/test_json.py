"""docs/json.md is the contract: every field that is printed stands in it, and every field in it is printed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from fakes import Rooms

from chasqui import cli, errors, events

DOCS = (Path(__file__).parents[1] / "docs" / "json.md").read_text(encoding="utf-8")


def documented(section: str, until: str) -> set[str]:
    """The names in the first column of the tables between two marks."""
    part = DOCS.split(section, 1)[1].split(until, 1)[0]
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


@pytest.fixture
def printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fake_rooms: Rooms
) -> list[dict[str, Any]]:
    """The lines of a pack with everything in it: packed, refused, found again."""
    monkeypatch.chdir(tmp_path)
    Path("clase.mp3").write_text("uno")
    Path("notas.mp3").write_text("TEXT")
    for _ in range(2):
        with pytest.raises(SystemExit):
            cli.main(["pack", "clase.mp3", "notas.mp3", "gone.mp3", "--json"])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_events_are_documented(printed: list[dict[str, Any]]) -> None:
    told = [line for line in printed if line["kind"] != "result"]
    assert {name for event in told for name in event} == documented("## Events", "| event | facts |")
    kinds = set(get_args(events.Kind))
    assert {event["kind"] for event in told} == kinds
    row = next(line for line in DOCS.splitlines() if line.startswith("| `kind` | `started`"))
    assert kinds <= set(re.findall(r"`(\w+)`", row))


def test_facts_of_events_are_documented(printed: list[dict[str, Any]]) -> None:
    part = DOCS.split("| event | facts |")[1].split("## The result")[0]
    for event in printed:
        if event["stage" if "stage" in event else "kind"] == "pack":
            row = next(line for line in part.splitlines() if line.startswith(f"| `pack` `{event['kind']}`"))
            assert set(event["facts"]) <= set(re.findall(r"`(\w+)`", row.split("|")[2]))


def test_the_result_is_documented(printed: list[dict[str, Any]]) -> None:
    result = printed[-1]
    assert set(result) == documented("## The result of `pack`", "Each of `lessons`")
    (lesson,) = result["lessons"]
    assert set(lesson) == documented("Each of `lessons`", "Each of `refused`")
    files = next(line for line in DOCS.splitlines() if line.startswith("| `files`"))
    assert set(lesson["files"][0]) == set(re.findall(r"`(\w+)`", files.split("|")[2]))
    refused = DOCS.split("Each of `refused`")[1].split("## Other")[0]
    assert [entry["error"] for entry in result["refused"]] == ["NotMedia", "Unreadable"]
    for entry in result["refused"]:
        assert set(entry) == set(re.findall(r"`(\w+)`", refused))


def test_exit_codes_are_documented() -> None:
    cli_docs = (Path(__file__).parents[1] / "docs" / "cli.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| (.*?) \|", cli_docs, re.MULTILINE))
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.ChasquiError) and kind is not errors.ChasquiError:
            assert f"`{name}`" in rows[str(kind.exit_code)], name
    assert {"130", str(errors.SOME_REFUSED)} <= rows.keys()
