"""A teacher has captions of her classes: some fit, one belongs to another class, and one recording has none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import webvtt

SAID = (
    "Fue tanta la cantidad de gente que se concentró que no todos pudieron acceder al funeral en la plaza de San Pedro."
)


def chasqui(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chasqui", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def desk(tmp_path: Path, media: Path) -> Path:
    """Two classes in a folder; beside them captions in an old encoding, and some of minutes that do not exist."""
    speech, classes = media / "asr" / "cuttledoc", tmp_path / "clases"
    classes.mkdir()
    shutil.copyfile(speech / "fleurs-es-002.ogg", classes / "El funeral.ogg")
    shutil.copyfile(speech / "fleurs-es-003.ogg", classes / "La Tierra.ogg")
    first, second = SAID[: SAID.index("todos")].strip(), SAID[SAID.index("todos") :]
    srt = f"1\r\n00:00:01,200 --> 00:00:05,000\r\n{first}\r\n\r\n2\r\n00:00:05,000 --> 00:00:09,000\r\n{second}\r\n"
    (classes / "El funeral.es.srt").write_bytes(srt.encode("cp1252"))
    other = "WEBVTT\n\n10:00.000 --> 10:04.000\nEsto es de otra clase\n\n10:05.000 --> 10:09.000\nmucho más larga\n"
    (classes / "La Tierra.vtt").write_text(other)
    return tmp_path


def test_captions_are_used_kept_and_taken_away(desk: Path) -> None:
    said = chasqui("pack", "clases", "--captions", "clases", cwd=desk)
    assert said.returncode == 0, said.stderr
    assert "2 lista(s), 0 rechazada(s)" in said.stdout, "the files of captions are no recordings"
    assert "Los subtítulos La Tierra.vtt no se usan" in said.stderr
    lesson = desk / "lecciones" / "clases" / "el-funeral"
    manifest = json.loads((lesson / "lesson.json").read_text(encoding="utf-8"))
    assert manifest["transcript"]["status"] == "given"
    assert manifest["transcript"]["language"] == "es"
    assert manifest["transcript"]["captions"]["encoding"] == "cp1252"
    cues = webvtt.read(str(lesson / "transcript.vtt"))
    assert " ".join(" ".join(cue.lines) for cue in cues) == SAID
    assert "entregadas por una persona" in (lesson / "report.html").read_text(encoding="utf-8")

    refused = desk / "lecciones" / "clases" / "la-tierra"
    assert not list(refused.glob("transcript.*"))
    manifest = json.loads((refused / "lesson.json").read_text(encoding="utf-8"))
    assert manifest["transcript"]["refused"]["error"] == "CaptionsMisfit"
    assert "no corresponden a este sonido" in (refused / "report.html").read_text(encoding="utf-8")

    # Another day, without the flag: what was brought is still known.
    again = chasqui("transcribe", "clases/El funeral.ogg", "--out", "textos", cwd=desk)
    assert again.returncode == 0, again.stderr
    assert SAID in (desk / "textos" / "El funeral.transcript.txt").read_text(encoding="utf-8")
    story = chasqui("show", "El funeral", cwd=desk)
    assert "Subtítulos\n  El funeral.es.srt" in story.stdout
    assert "palabras de los subtítulos El funeral.es.srt (2 de 2)" in story.stdout

    gone = chasqui("pack", "clases/El funeral.ogg", "--captions", "none", cwd=desk)
    assert gone.returncode == 0, gone.stderr
    assert not list((desk / "lecciones" / "el-funeral").glob("transcript.*"))


def test_one_file_for_two_classes_and_one_that_is_none_are_told_before_any_work(desk: Path) -> None:
    (desk / "clases" / "La Tierra.vtt").unlink()
    (desk / "clases" / "El funeral.es.srt").rename(desk / "uno.srt")
    said = chasqui("pack", "clases", "--captions", "uno.srt", cwd=desk)
    assert said.returncode == 2
    assert "un archivo de subtítulos no puede ser de 2 grabaciones" in said.stderr
    (desk / "carta.vtt").write_text("Estimados padres")
    for name, why in (("carta.vtt", "nada en él tiene un tiempo y un texto"), ("no hay.vtt", "no existe")):
        said = chasqui("pack", "clases/El funeral.ogg", "--captions", name, cwd=desk)
        assert said.returncode == 57
        assert f"{name} no se puede leer como subtítulos: {why}." in said.stderr
    assert not (desk / ".chasqui").exists()


def test_a_recording_without_captions_in_the_folder_is_said(desk: Path) -> None:
    (desk / "clases" / "La Tierra.vtt").unlink()
    said = chasqui("transcribe", "clases/La Tierra.ogg", "--captions", "clases", cwd=desk)
    assert "Atención (Subtítulos): nada en clases se llama La Tierra" in said.stderr
    assert said.returncode == 2, "and nobody else knows the words"
