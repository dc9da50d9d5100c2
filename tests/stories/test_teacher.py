"""A teacher packs a folder of recordings made on a phone, some of which are no recordings at all."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chasqui.words import reason


def chasqui(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chasqui", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def desk(tmp_path: Path, media: Path) -> Path:
    """A folder with two classes in sub-folders, a letter called mp3, an empty file, and half a class."""
    speech = media / "asr" / "cuttledoc"
    (tmp_path / "clases" / "semana 1").mkdir(parents=True)
    shutil.copyfile(speech / "fleurs-es-000.ogg", tmp_path / "clases" / "semana 1" / "La célula.ogg")
    shutil.copyfile(speech / "fleurs-es-002.ogg", tmp_path / "clases" / "Sonido (2).mp3")  # its name lies; no matter
    half = (media / "speech" / "speech-to-text-nodejs" / "es-ES_Broadband_sample1.wav").read_bytes()
    (tmp_path / "clases" / "cortada.wav").write_bytes(half[: len(half) // 3])
    (tmp_path / "clases" / "carta.mp3").write_text("Estimados padres de familia:\n" * 50)
    (tmp_path / "clases" / "vacía.mp3").touch()
    return tmp_path


def whys(store: Path) -> Iterator[str]:
    """Every reason in the records of a store, and in the lines of their blobs."""
    for file in (*store.rglob("*.json"), *store.rglob("*.jsonl")):
        if file.name not in ("lesson.json", "certificate.json"):
            texts = file.read_text(encoding="utf-8")
            yield from (json.loads(f'"{why}"') for why in re.findall(r'"why": ?"((?:[^"\\]|\\.)+)"', texts))


def test_a_folder_of_classes_becomes_lessons(desk: Path) -> None:
    said = chasqui("pack", "clases", cwd=desk)
    assert said.returncode == 3, said.stderr
    assert "Traceback" not in said.stderr + said.stdout
    assert "carta.mp3 no es un archivo de sonido ni de video" in said.stderr
    assert "vacía.mp3 está vacío" in said.stderr
    assert "3 lista(s), 2 rechazada(s)" in said.stdout
    lessons = sorted(path.parent for path in (desk / "lecciones").rglob("lesson.json"))
    assert sorted(folder.name for folder in lessons) == ["cortada", "la-celula", "sonido-2"]
    assert next(folder for folder in lessons if folder.name == "la-celula").parent.name == "semana 1"
    for folder in lessons:
        names = {"voice.opus", "voice.mp3", "lesson.json", "certificate.json", "report.html"}
        assert {file.name for file in folder.iterdir()} == names
        manifest = json.loads((folder / "lesson.json").read_text(encoding="utf-8"))
        assert manifest["renditions"][0]["bytes"] == (folder / "voice.opus").stat().st_size

    before = {path: path.stat().st_mtime_ns for path in (desk / "lecciones").rglob("*")}
    again = chasqui("pack", "clases", "--json", cwd=desk)
    events = [json.loads(line) for line in again.stdout.splitlines()]
    assert again.returncode == 3
    done = [event["stage"] for event in events if event["kind"] == "started" and event["stage"] != "pack"]
    assert done == ["ingest"]  # only the letter is looked at again
    assert {path: path.stat().st_mtime_ns for path in (desk / "lecciones").rglob("*")} == before

    unsaid = {why for why in whys(desk / ".chasqui") if reason(why, "es") == why}
    assert not unsaid, "reasons.json lacks these in Spanish"

    story = chasqui("show", "La célula", cwd=desk)
    assert story.returncode == 0
    for heading in ("Leer", "Limpiar", "Analizar", "Elegir", "Codificar", "Comprobar", "Publicar"):
        assert f"\n{heading}\n" in story.stdout
    assert story.stdout.count("Por qué: ") >= 2


def test_a_place_that_cannot_be_written_is_said_at_once(desk: Path) -> None:
    said = chasqui("pack", "clases", "--out", desk / "clases" / "carta.mp3" / "out", cwd=desk)
    assert said.returncode == 33
    assert "No se puede escribir" in said.stderr
    assert not (desk / ".chasqui").exists()
