"""Captions that a person brought, as the transcript of a real recording: used, held by what was heard, or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from lesson import Packed

from chasqui.captions import Cue
from chasqui.config import load
from chasqui.errors import BadCaptions
from chasqui.events import Event
from chasqui.records import Given, Transcript, Word
from chasqui.run import run_stage
from chasqui.run.captions import Brought, bring
from transcribe.conftest import foreign, moved, webvtt

Lay = Callable[..., Transcript]


@pytest.fixture
def lay(spoken: Packed, tmp_path: Path) -> Any:
    """Brings a file of captions to the recording, and gives the transcript and the warnings."""
    warned: list[Event] = []

    def run(data: bytes, name: str = "clase.vtt", **settings: Any) -> Any:
        (tmp_path / name).write_bytes(data)
        bring(Brought(file=tmp_path / name), spoken.recording_id, spoken.store)
        warned.clear()

        def listen(event: Event) -> None:
            if event.kind == "warned":
                warned.append(event)

        return run_stage("transcribe", spoken.recording_id, spoken.store, load(env={}, **settings), listen)

    run.warned = warned  # type: ignore[attr-defined]
    yield run
    bring(Brought(away=True), spoken.recording_id, spoken.store)


def off(spoken: Packed, made: Transcript, truth: list[Word]) -> np.ndarray:
    """By how much each word begins elsewhere than it was heard; both have the same words."""
    laid = spoken.lines(made.words, Word)
    assert [word.text for word in laid] == [word.text for word in truth]
    return np.array([abs(here.start_s - there.start_s) for here, there in zip(laid, truth, strict=True)])


def test_captions_become_the_transcript(lay: Lay, spoken: Packed, captions: list[Cue], words: list[Word]) -> None:
    made = lay(webvtt(moved(captions, -3.0, 24 / 25)), "clase.en.vtt")
    assert (made.status, made.failure, made.refused, made.word_count) == ("given", None, None, len(words))
    assert made.language == "en"
    laid = made.captions
    assert laid and (laid.name, laid.format, laid.cues, laid.used, laid.checked) == (
        "clase.en.vtt", "webvtt", len(captions), len(captions), True,
    )  # fmt: skip
    assert (laid.rate, laid.offset_s) == (pytest.approx(24 / 25), pytest.approx(-3.0, abs=0.4))
    errors_s = off(spoken, made, words)
    assert np.median(errors_s) < 0.25
    assert np.percentile(errors_s, 95) < 0.7


def test_what_a_recogniser_heard_as_well_holds_the_words(
    lay: Lay, spoken: Packed, captions: list[Cue], words: list[Word], tmp_path: Path
) -> None:
    """Two words of five are heard wrong, and the captions are 40 s off in the first half and 55 s in the second."""
    random = Random(4)
    heard = [word.model_dump() | ({"text": "mumble"} if random.random() < 0.4 else {}) for word in words]
    (tmp_path / "known.json").write_text(json.dumps({"words": heard, "language": "en", "languages": ["en"]}))
    half = len(captions) // 2
    far = [replace(c, start_s=c.start_s + 40 + 15 * (n >= half), end_s=c.end_s + 40 + 15 * (n >= half))
           for n, c in enumerate(captions)]  # fmt: skip
    made = lay(webvtt(far), transcribe__recogniser=f"memory:{tmp_path / 'known.json'}")
    assert made.status == "given"
    assert made.captions and made.captions.anchors > 0.3 * len(words)
    assert made.recogniser
    errors_s = off(spoken, made, words)
    assert np.median(errors_s) < 0.05
    assert np.percentile(errors_s, 95) < 0.5


def test_a_recogniser_of_another_language_does_no_harm(lay: Lay, captions: list[Cue], tmp_path: Path) -> None:
    heard = [{"text": f"ñ{n}", "start_s": n / 2, "end_s": n / 2 + 0.4} for n in range(380)]
    (tmp_path / "known.json").write_text(json.dumps({"words": heard, "language": "qu", "languages": ["qu"]}))
    made = lay(webvtt(captions), transcribe__recogniser=f"memory:{tmp_path / 'known.json'}")
    assert (made.status, made.captions and made.captions.anchors) == ("given", 0)


def test_captions_of_another_recording_are_refused_and_said(lay: Any, captions: list[Cue], words: list[Word]) -> None:
    made = lay(webvtt(foreign(captions)))
    assert (made.status, made.words, made.captions) == ("none", None, None)
    assert made.refused and made.refused.error == "CaptionsMisfit"
    assert made.why == "the captions that were brought were not used"
    assert made.settled, "the same captions do not fit any better tomorrow"
    assert [event.facts["error"] for event in lay.warned] == ["CaptionsMisfit"]


def test_with_a_recogniser_its_words_stand_in_for_captions_that_do_not_fit(
    lay: Lay, captions: list[Cue], tmp_path: Path
) -> None:
    heard = [{"text": f"palabra{n}", "start_s": n / 2, "end_s": n / 2 + 0.4} for n in range(380)]
    (tmp_path / "known.json").write_text(json.dumps({"words": heard, "language": "es", "languages": ["es"]}))
    made = lay(webvtt(foreign(captions)), transcribe__recogniser=f"memory:{tmp_path / 'known.json'}")
    assert made.status == "done"
    assert made.word_count > 100
    assert made.why.endswith("the captions that were brought were not used")
    assert made.refused


def test_sounds_are_no_words(lay: Lay, captions: list[Cue], words: list[Word]) -> None:
    loud = [*captions, Cue(captions[-1].end_s + 0.1, captions[-1].end_s + 1, ("[APLAUSOS]",))]
    loud.append(Cue(loud[-1].end_s + 0.1, loud[-1].end_s + 1, ("♪ la la ♪",)))
    made = lay(webvtt(loud))
    assert made.captions and made.captions.dropped == {"sound": 2}
    assert made.word_count == len(words)
    only = lay(b"WEBVTT\n\n00:01.000 --> 00:02.000\n(risas)\n")
    assert only.refused and only.refused.evidence["why"] == "no words are in it, only sounds"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_encodings_and_negative_times_are_put_right_and_said(lay: Lay, captions: list[Cue], encoding: str) -> None:
    text = webvtt(captions).decode().replace("WEBVTT\n", "WEBVTT\n\n-00:05.000 --> 00:01.500\n¿Qué año?\n", 1)
    made = lay(text.encode(encoding))
    assert made.status == "given"
    assert made.captions and "1 cues that began before the beginning begin with it" in made.captions.mended
    assert made.captions.encoding == encoding


def test_times_beyond_the_end_are_left_out(lay: Lay, captions: list[Cue]) -> None:
    late = [*captions, Cue(4000.0, 4004.0, ("después del final",))]
    made = lay(webvtt(late))
    assert made.captions and made.captions.dropped == {"outside": 1}
    assert made.why.endswith("what does not fit was left out")


@pytest.mark.parametrize("data", [b"", b"WEBVTT\n\n", b'{"segments": [{"body": "sin tiempos"}]}', b"x" * 20_000_001])
def test_what_cannot_be_read_costs_the_transcript_only(lay: Lay, data: bytes) -> None:
    made = lay(data, "rota.json")
    assert (made.status, made.words) == ("none", None)
    assert made.refused and made.refused.error == BadCaptions.__name__
    assert made.refused.evidence["name"] == "rota.json"


def test_captions_that_were_taken_away_are_gone(lay: Lay, spoken: Packed, captions: list[Cue]) -> None:
    assert lay(webvtt(captions)).status == "given"
    bring(Brought(away=True), spoken.recording_id, spoken.store)
    made: Any = run_stage("transcribe", spoken.recording_id, spoken.store, load(env={}))
    assert (made.status, made.why) == ("none", "no recogniser was asked for")
    given: Any = spoken.store.get(spoken.recording_id, "captions", Given)
    assert given.source is None


def test_without_punctuation_cues_end_where_the_person_ended_theirs(
    lay: Lay, spoken: Packed, captions: list[Cue]
) -> None:
    from chasqui.captions.cues import cues
    from chasqui.records import PhraseEnd

    made = lay(webvtt(captions))
    words, ends = spoken.lines(made.words, Word), spoken.lines(made.phrases, PhraseEnd)
    assert len(ends) == len(captions)

    def kept(found: list[Cue]) -> int:
        """Cues of theirs that end with the same word."""
        starts = {cue.text.split()[-1] + " " + (after.text.split()[0]) for cue, after in pairwise(found)}
        return sum(f"{one.text.split()[-1]} {after.text.split()[0]}" in starts for one, after in pairwise(captions))

    assert kept(cues(words, ends=ends)) > kept(cues(words))
