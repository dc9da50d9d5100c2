"""`chasqui train` as people type it."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import pytest
from absent import missing

from chasqui import cli
from chasqui.errors import OneSpeaker
from chasqui.train.cli import train
from chasqui.words import LANGUAGES, say

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def chasqui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command line in an empty folder: (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    for name in ("CHASQUI_LANG", "CHASQUI_MEDIA"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> tuple[Any, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main(list(arguments))
        said = capsys.readouterr()
        return left.value.code, said.out, said.err

    return run


@pytest.fixture
def own(media: Path, tmp_path: Path) -> Path:
    """Two people, without noises or music, and a file that is no sound."""
    for person, name in (
        ("ana", "speech/speechbrain/example6.wav"),
        ("luis", "speech/leopard/test_it.wav"),
    ):
        (tmp_path / "own" / person).mkdir(parents=True)
        shutil.copy(media / name, tmp_path / "own" / person / "clase.wav")
    (tmp_path / "own" / "notas.txt").write_text("hola", encoding="utf-8")
    return tmp_path / "own"


def test_a_sweep_says_what_it_did_and_what_it_lacked(chasqui: Any, own: Path) -> None:
    if find_spec("pyarrow") is None:
        missing("pyarrow (pip install 'chasqui[train]')")
    wanted = ("train", "sweep", "--media", str(own), "--rungs", "voice-6", "--limit", "2", "--jobs", "1")
    code, out, err = chasqui(*wanted)
    assert code == 0
    assert "2 de " in out
    assert "por segmento" in out
    assert "Tablas en sweep" in out
    assert "notas.txt" in err
    assert "No se hallaron ruidos" in err
    assert "No se halló música" in err
    assert {path.name for path in Path("sweep").glob("*.parquet")} == {
        "rows.parquet",
        "segments.parquet",
        "frames.parquet",
    }
    code, out, _ = chasqui(*wanted, "--collect", "--json")
    facts = json.loads(out.splitlines()[-1])
    assert facts["kind"] == "result"
    assert facts["takes"]["done"] == 2
    assert facts["segments"]["speech"] >= 2


def test_one_person_cannot_be_learnt_from(chasqui: Any, own: Path) -> None:
    shutil.rmtree(own / "luis")
    code, _, err = chasqui("train", "sweep", "--media", str(own))
    assert code == OneSpeaker.exit_code
    assert "una sola persona (ana)" in err
    code, _, err = chasqui("train", "sweep", "--media", str(own), "--lang", "en")
    assert "one speaker (ana)" in err


def test_a_folder_must_be_named(chasqui: Any) -> None:
    code, _, err = chasqui("train", "sweep")
    assert code == cli.USAGE
    assert "--media" in err


def test_every_command_of_train_has_help_and_a_place_in_the_docs() -> None:
    page = (DOCS / "train.md").read_text(encoding="utf-8")
    assert train.commands
    for name, command in train.commands.items():
        assert f"`{name}`" in page
        assert all(say(f"cli.help.{name}", lang) for lang in LANGUAGES)
        for option in command.params:
            if isinstance(option, click.Option):
                assert all(say(f"cli.help.option.{option.name}", lang) for lang in LANGUAGES), option
