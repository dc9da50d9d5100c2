"""`chasqui train fit | evaluate | export` as people type them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chasqui import cli
from chasqui.models.load import load


@pytest.fixture
def chasqui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command line in an empty folder: (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CHASQUI_LANG", raising=False)

    def run(*arguments: str) -> tuple[Any, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main(["train", *arguments])
        said = capsys.readouterr()
        return left.value.code, said.out, said.err

    return run


def test_from_tables_to_shipped_models(chasqui: Any, small_sweep: Path, tmp_path: Path) -> None:
    code, out, _ = chasqui("fit", "--sweep", str(small_sweep), "--algorithms", "kernel")
    assert code == 0
    assert "Voz, kernel:" in out
    assert "Música, kernel:" in out
    code, out, _ = chasqui("evaluate", "--sweep", str(small_sweep))
    assert code == 0
    assert "Voz: gana kernel" in out
    assert "codificaciones por segmento" in out
    assert (tmp_path / "models" / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    code, out, _ = chasqui("export", "--to", "shipped", "--model-version", "2.0.1", "--json")
    assert code == 0
    assert [title.partition("+")[0] for title in json.loads(out)["models"]] == ["speech-2.0.1", "music-2.0.1"]
    assert load("speech", tmp_path / "shipped").card.version == "2.0.1"


def test_a_folder_without_music_gives_models_for_speech(chasqui: Any, small_sweep: Path, tmp_path: Path) -> None:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    for name in ("rows.parquet", "segments.parquet", "sweep.json"):
        (tmp_path / name).write_bytes((small_sweep / name).read_bytes())
    table = pq.read_table(tmp_path / "segments.parquet")
    pq.write_table(table.filter(pc.equal(table["kind"], "speech")), tmp_path / "segments.parquet")
    code, out, err = chasqui("fit", "--sweep", str(tmp_path), "--algorithms", "kernel")
    assert code == 0
    assert "Voz, kernel:" in out
    assert "Sin modelos para música" in err
    code, out, _ = chasqui("evaluate", "--sweep", str(tmp_path), "--lang", "en")
    assert code == 0
    assert "Music" not in out


def test_what_is_lacking_is_said_in_the_users_language(chasqui: Any, tmp_path: Path) -> None:
    code, _, err = chasqui("fit", "--sweep", "nada")
    assert code == 37
    assert "No se puede aprender nada de nada/segments.parquet" in err
    code, _, err = chasqui("export", "--to", "x", "--model-version", "1.0.0")
    assert code == 37
    assert "evalúe antes los modelos" in err
    code, _, err = chasqui("export", "--to", "x", "--model-version", "uno")
    assert code == 2
    assert "'uno' no es una versión como 1.2.0" in err
