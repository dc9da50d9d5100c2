"""`chasqui dataset` at the command line: what it prints, in two languages, and with which code it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sounds import babble, write

from chasqui.cli import main
from chasqui.dataset_cli import FORMATS, FORMS
from chasqui.errors import EmptyFile, Unreadable


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """We stand beside a folder with one recording and an empty file."""
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "a.wav", babble(1.2, 16000), 16000)
    (tmp_path / "in" / "vacía.mp3").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def go(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["dataset", *arguments])
    return int(ended.value.code or 0)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


SMALL = ("--stages", "ingest", "--format", "jsonl", "--out", "data")


def test_a_run_tells_rows_sound_and_reasons_in_spanish_and_english(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert go("in", *SMALL, "--workers", "1", "--verbose") == 3
    said = capsys.readouterr()
    assert "✗ vacía.mp3: vacía.mp3 está vacío (0 bytes)." in said.err and "✓ a.wav" in said.err
    assert "data: 1 grabaciones, 1 nuevas" in said.out and "EmptyFile" in said.out
    assert (desk / "data" / "summary.html").exists()
    assert go("in", *SMALL, "--lang", "en") == 3
    assert "data: 1 recordings, 0 of them new" in capsys.readouterr().out

    assert go("check", "data", "--lang", "en") == 0
    assert capsys.readouterr().out == "data is whole: every row, every sound and every number.\n"
    (desk / "data" / "README.md").unlink()
    assert go("check", "data", "--json") == 82
    assert lines(capsys)[-1]["findings"]
    assert go("summary", "data") == 0
    assert go("export", "data", "--to", "sqlite") == 0
    assert (desk / "data-sqlite").is_dir()


def test_one_place_at_a_time(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert go("list", "in", "--json") == 0
    assert [place["name"] for place in lines(capsys)] == ["a.wav", "vacía.mp3"]
    assert go("list", "in", "--limit", "1") == 0
    assert capsys.readouterr().out == "a.wav\n"
    assert go("take", "in", "a.wav", "--json") == 0
    recording_id = lines(capsys)[-1]["recording_id"]
    assert go("take", "in", "vacía.mp3", "--json") == EmptyFile.exit_code
    assert lines(capsys)[-1]["action"] == "reject"
    assert go("take", "in", "nada.mp3") == Unreadable.exit_code
    capsys.readouterr()
    assert go("add", "data", recording_id, "--lang", "en") == 0
    assert "1 row(s) in data" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("in", "--limit", "0"), 2, "con un límite de 0 no queda nada por hacer"),
        (("gone",), Unreadable.exit_code, "no existe"),
        (("in", "--stages", "analyse"), 2, "no existe la etapa 'analyse'"),
        (("in", "--store", "memory:"), 2, "no pueden compartir un almacén en memoria"),
        ((), 2, "SOURCE"),
    ],
)
def test_what_cannot_be_done_is_told_at_once(
    desk: Path, arguments: tuple[str, ...], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert go(*arguments) == code
    assert told in capsys.readouterr().err
    assert not (desk / "dataset").exists()


def test_the_help_of_a_run_names_the_other_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert go("--help") == 0
    said = capsys.readouterr().out
    assert "--skip-ingest" in said and "check, summary, export" in " ".join(said.split())


def test_the_forms_are_those_that_are_made() -> None:
    from chasqui.collect import export
    from chasqui.collect.shards import FORMATS as OURS

    assert set(FORMS) == set(export.FORMS)
    assert set(FORMATS) == set(OURS)
