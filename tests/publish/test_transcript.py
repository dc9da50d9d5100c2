"""The words of a lesson beside its sound, and the plain word where there are none."""

from __future__ import annotations

import json
from typing import Any

import pytest
import srt
import webvtt

from chasqui.records import Failure, Tongue, Word

TEXT = "Buenos días a todos. Hoy veremos cómo viaja el agua por los Andes, desde la nieve hasta el mar."
NAMES = {"transcript.vtt", "transcript.srt", "transcript.json", "transcript.txt"}


@pytest.fixture
def heard(maker: Any) -> dict[str, Any]:
    words = [
        Word(text=text, start_s=1 + n * 0.45, end_s=1.4 + n * 0.45, probability=0.9)
        for n, text in enumerate(TEXT.split())
    ]
    return {
        "status": "done",
        "why": "a recogniser listened to all speech",
        "words": maker.lines("words.jsonl", words),
        "word_count": len(words),
        "languages": (Tongue(language="es", seconds=9.0, probability=0.98),),
        "recogniser": "whisper-tiny-1",
        "dropped": {"silence": 2},
    }


def test_every_form_says_the_same_words(publish: Any, heard: dict[str, Any], tmp_path: Any) -> None:
    files = publish(transcript=heard).files
    assert set(files) >= NAMES
    (tmp_path / "t.vtt").write_bytes(files["transcript.vtt"])
    told = {
        "vtt": " ".join(cue.text for cue in webvtt.read(str(tmp_path / "t.vtt"))),
        "srt": " ".join(cue.content for cue in srt.parse(files["transcript.srt"].decode())),
        "json": " ".join(part["body"] for part in json.loads(files["transcript.json"])["segments"]),
        "txt": files["transcript.txt"].decode(),
    }
    assert {name: " ".join(text.split()) for name, text in told.items()} == dict.fromkeys(told, TEXT)


def test_the_manifest_names_the_files_and_the_source_of_the_words(publish: Any, heard: dict[str, Any]) -> None:
    manifest = json.loads(publish(transcript=heard).files["lesson.json"])
    assert {entry["name"] for entry in manifest["files"]} >= NAMES
    said = manifest["transcript"]
    assert (said["status"], said["words"], said["language"]) == ("done", 19, "es")
    assert (said["recogniser"], said["dropped"]) == ("whisper-tiny-1", {"silence": 2})


def test_the_page_offers_the_files_and_warns_of_mistakes(publish: Any, heard: dict[str, Any]) -> None:
    page = publish(transcript=heard).files["report.html"].decode()
    assert all(f'href="{name}"' in page for name in NAMES)
    assert "19 palabras, idioma es, escritas por un programa" in page


@pytest.mark.parametrize(
    ("fields", "es", "en"),
    [
        ({}, "No hay: no se pidió ningún reconocedor.", "None: no recogniser was asked for."),
        (
            {"status": "failed", "failure": Failure(error="ServiceDown", evidence={"url": "http://x", "why": "away"})},
            "No hay: el reconocedor falló (ServiceDown).",
            "None: the recogniser failed (ServiceDown).",
        ),
        ({"status": "done"}, "No hay: no se entendió ninguna palabra.", "None: no words were understood."),
    ],
)
def test_without_words_it_is_said_plainly(publish: Any, fields: dict[str, Any], es: str, en: str) -> None:
    made = publish(transcript=fields)
    page = made.files["report.html"].decode()
    assert es in page and en in page
    assert not NAMES & set(made.files)
    assert json.loads(made.files["lesson.json"])["transcript"]["status"] == fields.get("status", "none")
