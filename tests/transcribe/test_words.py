"""Words of real lessons: found where they are, remembered, and missing only with a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asr.conftest import SAID, needs
from asr.tiny_whisper import write
from clips import excerpt
from lesson import Packed

from chasqui import config, ingest
from chasqui.asr import stretches
from chasqui.config import load
from chasqui.errors import BadConfig, DiskFull
from chasqui.events import Event
from chasqui.media.flac import FlacWriter
from chasqui.metrics import wer
from chasqui.records import Listened, Word
from chasqui.run import run_stage
from chasqui.store import open_store
from chasqui.transcribe import words as room


@pytest.fixture
def twin(tmp_path: Path) -> Callable[..., str]:
    """The name of a recogniser that hears a word every half second."""

    def make(**more: Any) -> str:
        words = [{"text": f"w{n}", "start_s": n / 2, "end_s": n / 2 + 0.4, "probability": 0.9} for n in range(120)]
        file = tmp_path / "known.json"
        file.write_text(json.dumps({"words": words, "language": "es", "languages": ["en", "es"], **more}))
        return f"memory:{file}"

    return make


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many stretches each question held."""
    asked: list[int] = []
    opened = room.open_recogniser

    def open_counting(*args: Any) -> Any:
        recogniser = opened(*args)
        hear = recogniser.hear

        def counting(spans: Any, language: Any = None) -> Any:
            asked.append(len(spans))
            return hear(spans, language)

        recogniser.hear = counting  # type: ignore[method-assign]
        return recogniser

    monkeypatch.setattr(room, "open_recogniser", open_counting)
    return asked


def test_without_a_recogniser_there_is_a_transcript_that_says_so(analyzed: Packed) -> None:
    made = analyzed.run("transcribe")
    assert (made.status, made.words, made.why) == ("none", None, "no recogniser was asked for")


def test_words_stand_in_the_time_of_the_recording_and_only_in_speech(
    analyzed: Packed, twin: Callable[..., str]
) -> None:
    made = analyzed.run("transcribe", transcribe__recogniser=twin())
    words, listened = analyzed.lines(made.words, Word), analyzed.lines(made.listened, Listened)
    assert made.status == "done"
    assert len(words) == made.word_count > 30
    for word in words:
        assert word.text == f"w{round(word.start_s * 2)}"
        middle = (word.start_s + word.end_s) / 2
        assert any(part.start_s <= middle < part.end_s for part in listened)
    analysis = analyzed.get("analyze")
    assert made.heard_s == pytest.approx(sum(part.end_s - part.start_s for part in listened), abs=0.05)
    assert made.heard_s < analysis.packets * 0.06 - 4, "the cello was listened to"
    assert [(tongue.language, tongue.probability) for tongue in made.languages] == [("es", 1.0)]


def test_nothing_is_listened_to_twice(analyzed: Packed, twin: Callable[..., str], counted: list[int]) -> None:
    first = analyzed.run("transcribe", transcribe__recogniser=twin(languages=["es"]), transcribe__language="es")
    once = list(counted)
    assert sum(once) > 0
    # Another name of the same words is the same recogniser.
    again = analyzed.run(
        "transcribe",
        transcribe__recogniser=twin(languages=["es"]).replace("known", "./known"),
        transcribe__language="es",
    )
    assert counted == once
    assert analyzed.lines(again.words, Word) == analyzed.lines(first.words, Word)
    assert again.recogniser == first.recogniser


def test_another_model_in_the_same_place_is_listened_to_anew(analyzed: Packed, twin: Callable[..., str]) -> None:
    name = twin(languages=["es"])
    first = analyzed.run("transcribe", transcribe__recogniser=name)
    assert analyzed.run("transcribe", transcribe__recogniser=name) == first
    assert twin(languages=["es"], words=[{"text": "Otra", "start_s": 2.0, "end_s": 2.4}]) == name
    other = analyzed.run("transcribe", transcribe__recogniser=name)
    assert (other.word_count, other.recogniser == first.recogniser) == (1, False)


def test_a_language_that_is_not_known_is_said_and_the_run_goes_on(analyzed: Packed, twin: Callable[..., str]) -> None:
    events: list[Event] = []
    settings = load(env={}, transcribe__recogniser=twin(), transcribe__language="qu")
    made: Any = run_stage("transcribe", analyzed.recording_id, analyzed.store, settings, events.append)
    assert (made.status, made.word_count, made.words) == ("failed", 0, None)
    assert made.why == "the recogniser failed (WrongLanguage)"
    assert made.failure.evidence["language"] == "qu"
    assert [set(event.facts) for event in events if event.kind == "warned"] == [{"error", "evidence"}]
    assert [event.facts["error"] for event in events if event.kind == "warned"] == ["WrongLanguage"]


def test_a_failed_transcript_is_tried_again(analyzed: Packed, tmp_path: Path) -> None:
    file = tmp_path / "later.json"
    made = analyzed.run("transcribe", transcribe__recogniser=f"memory:{file}")
    assert made.status == "failed"
    file.write_text(json.dumps({"words": [{"text": "Hola", "start_s": 2.0, "end_s": 2.4}], "language": "es"}))
    made = analyzed.run("transcribe", transcribe__recogniser=f"memory:{file}")
    assert (made.status, made.word_count) == ("done", 1)


def test_what_was_heard_before_a_failure_is_kept(
    analyzed: Packed, twin: Callable[..., str], counted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from chasqui.errors import ServiceDown

    monkeypatch.setattr(room, "TOGETHER", 1)
    monkeypatch.setattr(stretches, "LONGEST_PACKETS", 1)
    opened = room.open_recogniser
    calls: list[int] = []

    def open_failing(*args: Any) -> Any:
        recogniser = opened(*args)
        hear = recogniser.hear

        def failing(spans: Any, language: Any = None) -> Any:
            calls.append(1)
            if len(calls) == 2:
                raise ServiceDown(url="http://localhost", why="it does not answer")
            return hear(spans, language)

        recogniser.hear = failing  # type: ignore[method-assign]
        return recogniser

    monkeypatch.setattr(room, "open_recogniser", open_failing)
    name = twin(language="en")
    assert analyzed.run("transcribe", transcribe__recogniser=name).status == "failed"
    made = analyzed.run("transcribe", transcribe__recogniser=name)
    assert made.status == "done"
    count = len(analyzed.lines(made.listened, Listened))
    assert count > 1
    assert len(calls) == count + 1, "only the stretch that failed was asked about again"


def test_a_full_disk_is_not_the_recognisers_fault(
    analyzed: Packed, twin: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise DiskFull(path="/")

    monkeypatch.setattr(room, "open_recogniser", full)
    with pytest.raises(DiskFull):
        analyzed.run("transcribe", transcribe__recogniser=twin(), transcribe__beam=2)


def test_a_slip_in_the_name_is_told_before_any_work() -> None:
    with pytest.raises(BadConfig, match="no recogniser of that kind"):
        load(env={}, transcribe__recogniser="wisper:small")
    assert load(env={}, transcribe__recogniser="").options("transcribe").recogniser is None


def test_a_language_that_was_guessed_is_not_named() -> None:
    from chasqui.asr import Heard, Span

    heard = Heard((Word(text="Allin", start_s=0.1, end_s=0.5),), "tl", 0.31)
    line = room._line(Span(np.zeros(16000, np.float32)), heard, 1, room.Counter())
    assert (line.language, line.language_probability) == (None, 0.31)
    tally = room._Tally()
    tally.add(line)
    assert [(t.language, t.probability) for t in tally.languages()] == [(None, 0.31)]


def test_whisper_says_its_sentence_of_each_stretch(analyzed: Packed, tmp_path: Path) -> None:
    needs("faster_whisper")
    folder = write(tmp_path / "tiny", " " + SAID)
    made = analyzed.run("transcribe", transcribe__recogniser=f"whisper:{folder}", transcribe__beam=1)
    assert (made.status, made.failure) == ("done", None)
    listened = analyzed.lines(made.listened, Listened)
    assert made.word_count + sum(made.dropped.values()) == len(SAID.split()) * len(listened)
    assert str(tmp_path) not in made.model_dump_json()


def test_pocketsphinx_understands_recorded_english(media: Path, tmp_path: Path) -> None:
    needs("pocketsphinx")
    needs("jiwer")
    folder = media / "asr" / "cuttledoc"
    names = ("fleurs-en-000", "fleurs-en-003")
    with FlacWriter(tmp_path / "english.flac") as flac:
        for name in names:
            flac.write(np.asarray(excerpt(folder / f"{name}.ogg", 0, 20), np.float32))
            flac.write(np.zeros(36_000, np.float32))
    store = open_store(f"file:{tmp_path / 'store'}")
    recording_id = ingest.accept(tmp_path / "english.flac", store).recording_id
    settings = config.load(env={}, threads=2, transcribe__recogniser="pocketsphinx")
    for stage in ("ingest", "clean", "analyze", "transcribe"):
        made: Any = run_stage(stage, recording_id, store, settings)
    said = " ".join((folder / f"{name}.txt").read_text(encoding="utf-8") for name in names).split()
    heard = [json.loads(line)["text"] for line in store.path(made.words).read_text().splitlines()]
    found = wer.compare(said, heard, "en")
    assert made.language == "en"
    assert found.rate < 0.7, found
