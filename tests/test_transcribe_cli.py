"""`chasqui transcribe`: recordings in, words out, and what is said when there are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import webvtt

from chasqui.cli import main


@pytest.fixture
def known(tmp_path: Path) -> str:
    words = [{"text": f"palabra{n}.", "start_s": n / 2, "end_s": n / 2 + 0.4} for n in range(20)]
    (tmp_path / "known.json").write_text(json.dumps({"words": words, "language": "es", "languages": ["es"]}))
    return f"memory:{tmp_path / 'known.json'}"


@pytest.fixture
def recording(media: Path) -> Path:
    return media / "asr" / "cuttledoc" / "fleurs-es-002.ogg"


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CHASQUI_LANG", raising=False)


def test_a_file_becomes_four_files(
    recording: Path, known: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("transcribe", recording, "--recogniser", known, "--out", "textos") == 0
    made = {path.name for path in (tmp_path / "textos").iterdir()}
    assert made == {f"fleurs-es-002.transcript.{ending}" for ending in ("vtt", "srt", "json", "txt")}
    assert "palabras" in capsys.readouterr().out
    cues = webvtt.read(str(tmp_path / "textos" / "fleurs-es-002.transcript.vtt"))
    assert "palabra3." in " ".join(cue.text for cue in cues)
    # The lesson is known now, by its name.
    assert run("transcribe", "fleurs-es-002", "--recogniser", known, "--json") == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["record"]["status"] == "done"
    assert all(Path(file).exists() for file in result["files"])


def test_without_a_recogniser_it_says_how_to_name_one(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("transcribe", recording) == 2
    assert "nombre uno con --recogniser" in capsys.readouterr().err


def test_a_recogniser_that_fails_says_why(recording: Path, known: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("transcribe", recording, "--recogniser", known, "--set", "transcribe.language=qu") == 52
    assert "no conoce el idioma qu" in capsys.readouterr().err


def test_one_that_is_no_recording_does_not_stop_the_others(
    recording: Path, known: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "carta.mp3").write_text("Estimados padres:\n" * 40)
    assert run("transcribe", "carta.mp3", recording, "--recogniser", known) == 3
    assert "carta.mp3 no es un archivo de sonido" in capsys.readouterr().err
    assert (tmp_path / "fleurs-es-002.transcript.txt").exists()
