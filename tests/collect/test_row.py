"""The row of a real lesson: what the stages found stands in it, each time the same."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import Any

import pytest
from lesson import Packed

from chasqui.collect.columns import COLUMNS
from chasqui.collect.row import _sound, failed
from chasqui.collect.schema import problems
from chasqui.collect.spoken import said
from chasqui.errors import TooShort
from chasqui.media.flac import read_master
from chasqui.records import Failure, Provenance, Transcript, Turns, Word
from chasqui.records.cuts import Cuts
from chasqui.store import open_store

PLACES = {"source": "clases", "names": ("a/uno.flac", "b/copia.flac"), "etag": "e"}
FACTS = {"language": "es", "speaker": "Ana; Luz", "licence": "CC BY 4.0", "consent": "yes", "grade": "5"}


def collect(lesson: Packed, **flags: Any) -> tuple[dict[str, Any], Any]:
    row = lesson.run("collect", **flags)
    return json.loads(lesson.store.path(row.line).read_bytes()), row


@pytest.fixture(scope="module")
def lesson(analyzed: Packed, tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """In a store of its own: what is told of it here is no news for other tests."""
    own = shutil.copytree(analyzed.store.url.removeprefix("file:"), tmp_path_factory.mktemp("own") / "store")
    analyzed = replace(analyzed, store=open_store(f"file:{own}"))
    told = Provenance(recording_id=analyzed.recording_id, **PLACES, text="hola a todos", facts=FACTS)
    analyzed.store.put(analyzed.recording_id, "provenance", told, "given")
    return analyzed


def test_everything_that_is_there_is_told(lesson: Packed) -> None:
    row, record = collect(lesson)
    assert list(problems(row, COLUMNS)) == []
    master = lesson.get("clean")
    assert (row["path"], row["other_names"], row["etag"]) == ("a/uno.flac", ["b/copia.flac"], "e")
    assert (row["duration_s"], row["snr_db"]) == (master.duration_s, master.snr_db)
    assert row["segment_count"] == len(row["segments"]) > 2
    assert row["segments"][-1]["end_s"] == pytest.approx(master.duration_s, abs=0.06)
    assert {"level_dbfs", "snr_db", "mfcc_00_mean"} <= {feature["name"] for feature in row["features"]}
    assert row["stages"] == ["ingest", "clean", "analyze"]
    assert {one["name"] for one in row["missing"]} == {"transcribe", "tokenize", "diarize", "verify"}
    assert record.present == ("ingest", "clean", "analyze")


def test_what_people_say_goes_before_what_was_found(lesson: Packed) -> None:
    row, _ = collect(lesson)
    assert (row["transcription"], row["transcription_from"], row["word_count"]) == ("hola a todos", "given", 3)
    assert (row["language"], row["language_from"], row["speakers"]) == ("es", "given", ["Ana", "Luz"])
    assert (row["licence"], row["consent"], row["given"]) == (
        "CC BY 4.0",
        "yes",
        [{"name": "grade", "value": "5"}],
    )
    assert row["speaking_rate_wpm"] == pytest.approx(180 / row["speech_s"], abs=0.01)


def test_the_sound_is_what_the_row_says(lesson: Packed) -> None:
    row, record = collect(lesson)
    path = lesson.store.path(record.audio)
    assert (row["audio_sha256"], row["audio_bytes"]) == (record.audio.sha256, path.stat().st_size)
    assert row["audio_path"] == f"audio/{lesson.recording_id}.flac"
    assert sum(block.size for block in read_master(path)) == -(-lesson.get("clean").samples // 3)


def test_no_sound_where_none_was_asked_for(lesson: Packed) -> None:
    row, record = collect(lesson, collect__audio="none")
    assert record.audio is None and row["audio_path"] is None
    assert {"name": "audio", "value": "none was asked for"} in row["missing"]


def test_the_same_again_is_the_same_bytes(lesson: Packed) -> None:
    first = collect(lesson)[1]
    collect(lesson, collect__audio="none")
    assert collect(lesson)[1] == first


def test_a_transcript_that_failed_is_told(lesson: Packed) -> None:
    failure = Failure(error="ServiceDown", evidence={"url": "http://asr", "why": "busy"})
    store, name = lesson.store, lesson.recording_id
    collected = collect(lesson)[0]
    assert (collected["status"], collected["message"]) == ("done", None)
    from chasqui.collect.row import Outcomes, _status

    lost = Transcript(recording_id=name, status="failed", why="x", failure=failure)
    got = Outcomes(lesson.get("request"), lesson.get("ingest"), None, lesson.get("clean"), None, lost, None, None, None)
    assert _status(got) == {"status": "degraded", "message": "no transcript: http://asr cannot be used now: busy."}
    with store.workspace(name, "looking") as work:
        path = work.folder / "words.jsonl"
        path.write_text(Word(text=" Hola", start_s=0, end_s=1).model_dump_json() + "\n")
        heard = Transcript(recording_id=name, status="done", why="x", words=work.keep(path), word_count=1)
        told = said(heard, None, None, work)
    assert (told["transcription"], told["transcription_from"], told["recognised"]) == ("Hola", "recogniser", "Hola")


def test_speakers_are_there_where_they_were_asked_for(lesson: Packed) -> None:
    found = lesson.run("diarize", diarize__speakers="auto")
    row, record = collect(lesson, diarize__speakers="auto")
    assert list(problems(row, COLUMNS)) == []
    assert "diarize" in record.present and row["speaker_count"] == found.speakers == 2
    assert row["speakers"] == ["Ana", "Luz"], "as people say, and nobody knows which voice is whose"
    assert {turn["speaker"] for turn in row["turns"]} == {"1", "2"}
    assert row["overlap_s"] == found.overlap_s and row["diarizer"] == found.method
    assert "diarize" in collect(lesson)[1].absent, "with other settings they are nobody's answer"


def test_a_lesson_in_which_nobody_asked_who_speaks_has_the_row_of_one_without_that_stage(lesson: Packed) -> None:
    without = collect(lesson)[0]
    assert lesson.run("diarize").status == "none"
    assert collect(lesson)[0] == without


def test_speakers_that_could_not_be_found_are_told(lesson: Packed) -> None:
    from chasqui.collect.row import Outcomes, _status

    lost = Turns(recording_id=lesson.recording_id, status="failed", why="the voices could not be told apart")
    got = Outcomes(lesson.get("request"), lesson.get("ingest"), None, None, None, None, None, lost, None)
    told = {"status": "degraded", "message": "no speakers: the voices could not be told apart"}
    assert _status(got) == told


def test_what_was_cut_out_is_told(lesson: Packed) -> None:
    master, cuts = lesson.get("clean"), Cuts(rate_hz=48_000, kept=((9_600, 48_000), (96_000, 24_000)))
    with lesson.store.workspace(lesson.recording_id, "looking") as work:
        path = work.folder / "cuts.json"
        path.write_text(cuts.model_dump_json())
        row = _sound(master.model_copy(update={"cuts": work.keep(path)}), work)
        assert _sound(master, work)["cuts"] == []
    assert row["cuts"] == [
        {"start_s": 0.0, "end_s": 1.0, "source_start_s": 0.2},
        {"start_s": 1.0, "end_s": 1.5, "source_start_s": 2.0},
    ]
    for part in row["cuts"]:
        assert cuts.source_s(part["start_s"]) == part["source_start_s"]


def test_a_failure_is_a_row_of_the_same_kind() -> None:
    row = json.loads(failed("a" * 16, "x.mp3", TooShort(name="x.mp3", duration_s=0.5, minimum_s=1), stage="ingest"))
    assert list(problems(row, COLUMNS)) == []
    assert (row["error"], row["failed_stage"]) == ("TooShort", "ingest")
