"""`chasqui models …` from outside."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from absent import missing
from asr.tiny_whisper import write
from click.testing import CliRunner

from chasqui.asr.catalog import CATALOG
from chasqui.asr_cli import models
from chasqui.errors import BadModel, ModelAbsent


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if find_spec("faster_whisper") is None:
        missing("the package faster_whisper")
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(models, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_the_list_has_every_model_in_both_languages() -> None:
    spanish, english = run("list"), run("list", "--lang", "en")
    assert all(f"  {name} " in spanish for name in CATALOG)
    assert "solo inglés" in spanish
    assert "English only" in english
    rows = json.loads(run("list", "--json"))
    assert [row["name"] for row in rows] == list(CATALOG)
    assert all(row["here"] is None for row in rows)


def test_a_model_in_a_folder_is_checked_by_listening_with_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "tiny")
    assert "y el modelo escucha" in run("check", str(folder))
    proofs = json.loads(run("check", "--json", str(folder)))["files"]
    assert sorted(proofs) == sorted(path.name for path in folder.iterdir())
    (folder / "model.bin").write_bytes((folder / "model.bin").read_bytes()[:100_000])
    with pytest.raises(BadModel):
        run("check", str(folder))


def test_offline_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelAbsent, match=r"HF_HUB_OFFLINE forbids.*chasqui models pull small.*copy its folder"):
        run("pull", "small")
    with pytest.raises(ModelAbsent, match="not pulled yet"):
        run("check", "small")
