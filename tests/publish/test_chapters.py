"""Chapters of a lesson: the file's own, else those that the words tell, and who made them is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
import webvtt
from captions.test_chapters import TOPICS, told

from chasqui.records import Chapter, Tongue

NAMES = {"chapters.json", "chapters.vtt"}
OWN = (Chapter(start_s=0.0, end_s=8.0, title="El <agua>"), Chapter(start_s=8.0, end_s=20.0, title="La nieve"))


def test_those_of_the_file_are_published(publish: Any, tmp_path: Any) -> None:
    made = publish(recording={"chapters": OWN})
    assert json.loads(made.files["chapters.json"]) == {
        "version": "1.2.0",
        "chapters": [
            {"startTime": 0.0, "title": "El <agua>", "endTime": 8.0},
            {"startTime": 8.0, "title": "La nieve", "endTime": 20.0},
        ],
    }
    (tmp_path / "chapters.vtt").write_bytes(made.files["chapters.vtt"])
    read = webvtt.read(str(tmp_path / "chapters.vtt"))
    assert [(cue.start, cue.end) for cue in read] == [
        ("00:00:00.000", "00:00:08.000"),
        ("00:00:08.000", "00:00:20.000"),
    ]
    manifest = json.loads(made.files["lesson.json"])
    assert manifest["chapters"]["source"] == "file"
    types = {file["name"]: file["media_type"] for file in manifest["files"]}
    assert types["chapters.json"] == "application/json+chapters"
    page = made.files["report.html"].decode()
    assert "El &lt;agua&gt;" in page
    assert "Estaban en la grabación" in page


def test_after_silences_were_cut_those_of_the_file_are_wrong(publish: Any, maker: Any) -> None:
    from chasqui.records import Treatment

    cut = (Treatment(name="silence", applied=True, effect={"removed_s": 3.0}, why="long silences were shortened"),)
    assert not NAMES & set(publish(recording={"chapters": OWN}, master={"treatments": cut}).files)


def test_without_words_and_without_chapters_nothing_is_made_up(publish: Any) -> None:
    made = publish()
    assert not NAMES & set(made.files)
    assert "chapters" not in json.loads(made.files["lesson.json"])
    assert 'class="chapters"' not in made.files["report.html"].decode()


def test_the_words_tell_them_and_the_page_says_so(publish: Any, maker: Any) -> None:
    words, borders = told(list(TOPICS.values()), 2.2)
    said = {
        "status": "given",
        "why": "a person brought them",
        "words": maker.lines("words.jsonl", words),
        "word_count": len(words),
        "languages": (Tongue(language="es", seconds=words[-1].end_s),),
    }
    made = publish(certificate={"duration_s": words[-1].end_s}, transcript=said)
    found = json.loads(made.files["chapters.json"])["chapters"]
    assert [chapter["startTime"] for chapter in found] == pytest.approx([0.0, *borders], abs=15)
    manifest = json.loads(made.files["lesson.json"])
    assert manifest["chapters"]["source"] == "topics"
    page = made.files["report.html"].decode()
    assert "Los encontró un programa" in page
    assert "puede haber errores" in page
