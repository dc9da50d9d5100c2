"""Words that the encoded voice loses: heard, counted, brought back where bits can do it, and proved in the file.

The recogniser here knows beforehand what is said, and is as deaf as each test wants it; tests/stories has a real one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from absent import missing
from lesson import Packed

from chasqui.asr import Heard, Listening, Recogniser, Settings, Span, stretches
from chasqui.config import load
from chasqui.encode import Options
from chasqui.encode import words as room
from chasqui.errors import RecogniserLost
from chasqui.events import Event
from chasqui.records import Measured, Reheard, Renditions
from chasqui.run import run_stage
from chasqui.transcribe import words as transcribing
from chasqui.verify import words as verifying

#: A share of energy over 4.5 kHz that speech of full bandwidth has and narrowband speech has not.
WIDE = 1e-5


#: What this page does not look at costs no time.
FAST = {"encode__mp3": False, "encode__visqol_share": 0.0}


def written(seed: str, number: int) -> str:
    """A word of letters only, another for each number."""
    return seed + "".join("abcdefghij"[int(digit)] for digit in f"{number:03}")


class Ears:
    """How the recogniser of this test hears: what it loses of a sound, and what it was asked."""

    def __init__(self) -> None:
        self.deaf: Callable[[Span], bool] = lambda _: False
        self.asked: list[Span] = []
        self.fails = False

    def open(self, opened: Callable[..., Recogniser]) -> Callable[..., Recogniser]:
        def opening(name: str, settings: Settings) -> Recogniser:
            recogniser = opened(name, settings.model_copy(update={"apart": False}))
            hear = recogniser.hear

            def hearing(spans: Sequence[Span], language: str | None = None) -> list[Heard]:
                self.asked += spans
                if self.fails:
                    raise RecogniserLost(name=recogniser.name, why="it was killed")
                return [self._less(heard, span) for heard, span in zip(hear(spans, language), spans, strict=True)]

            recogniser.hear = hearing  # type: ignore[method-assign]
            return recogniser

        return opening

    def _less(self, heard: Heard, span: Span) -> Heard:
        if not self.deaf(span):
            return heard
        return Heard(tuple(word for n, word in enumerate(heard.words) if n % 3), heard.language, 1.0)


def narrowband(span: Span) -> bool:
    power = np.abs(np.fft.rfft(span.sound)) ** 2
    return bool(power[int(len(power) * 4500 / 8000) :].sum() < WIDE * power.sum())


@pytest.fixture
def ears(monkeypatch: pytest.MonkeyPatch) -> Ears:
    made = Ears()
    monkeypatch.setattr(stretches, "LONGEST_PACKETS", 1)  # each segment by itself
    for module in (transcribing, room, verifying):
        monkeypatch.setattr(module, "open_recogniser", made.open(module.open_recogniser))
    return made


@pytest.fixture
def twin(tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    """The settings of a recogniser that hears a word every half second; another seed hears other words."""
    if find_spec("jiwer") is None:
        missing("the package jiwer")

    def make(seed: str) -> dict[str, Any]:
        words = [
            {"text": written(seed, n), "start_s": n / 2, "end_s": n / 2 + 0.4, "probability": 0.9} for n in range(120)
        ]
        (tmp_path / "known.json").write_text(json.dumps({"words": words, "language": "es"}))
        return {**FAST, "transcribe__recogniser": f"memory:{tmp_path / 'known.json'}"}

    return make


@pytest.fixture(scope="module")
def plain(analyzed: Packed) -> tuple[str, list[str]]:
    """The voice that nobody listened to, and its rungs."""
    made = encoded(analyzed, **FAST)
    return voice(made), rungs(analyzed, made)


def encoded(lesson: Packed, **flags: Any) -> Any:
    for stage in ("transcribe", "choose"):
        lesson.run(stage, **flags)
    return lesson.run("encode", **flags)


def voice(made: Renditions) -> str:
    return next(rendition.blob.sha256 for rendition in made.renditions if rendition.name == "voice.opus")


def rungs(lesson: Packed, made: Renditions) -> list[str]:
    return [line.rung for line in lesson.lines(made.measured, Measured)]


def test_nothing_is_said_and_nothing_changes_without_a_recogniser(analyzed: Packed) -> None:
    made = encoded(analyzed, **FAST)
    assert made.words is None
    certificate = analyzed.run("verify")
    assert certificate.words is None
    assert "words" not in json.loads(analyzed.store.path(certificate.report).read_text())


def test_words_that_are_still_heard_cost_nothing(
    analyzed: Packed, twin: Callable[[str], dict[str, Any]], ears: Ears, plain: tuple[str, list[str]]
) -> None:
    made = encoded(analyzed, **twin("a"))
    found = made.words
    assert (found.status, found.errors, found.lost, found.raised) == ("done", 0, 0, 0)
    assert found.listened == found.segments > 0
    assert found.words == found.sure == analyzed.get("transcribe").word_count > 20
    assert found.why == "all speech was listened to again"
    assert found.spent_s <= found.budget_s
    assert voice(made) == plain[0]


def test_lost_words_are_brought_back_and_the_file_proves_it(
    analyzed: Packed, twin: Callable[[str], dict[str, Any]], ears: Ears, plain: tuple[str, list[str]]
) -> None:
    flags = twin("b")
    ears.deaf = narrowband
    made = encoded(analyzed, **flags)
    lines = analyzed.lines(made.words.lines, Reheard)
    lossy = [line for line in lines if line.first_lost]
    assert lossy, "no segment of this lesson was narrowband at first"
    assert all(line.raised and not line.lost for line in lossy)
    assert (made.words.raised, made.words.lost) == (len(lossy), 0)
    assert made.words.drawn_rate > 0.1, "the estimate forgot what it had heard before anything was raised"
    for line, before in zip(analyzed.lines(made.measured, Measured), plain[1], strict=True):
        raised = next((heard.raised for heard in lines if heard.segment == line.segment), 0)
        assert (line.rung != before) == (raised > 0)

    ears.asked.clear()
    certificate = analyzed.run("verify", **flags)
    assert ears.asked == [], "the published bytes are what encode listened to"
    told = json.loads(analyzed.store.path(certificate.report).read_text())["words"]
    assert (certificate.words.lost, certificate.words.raised, told["lost"]) == (0, len(lossy), 0)
    assert (told["rate"], len(told["segments_heard"])) == (0.0, len(lines))


def test_where_bits_do_not_help_they_are_saved_and_the_words_named(
    analyzed: Packed, twin: Callable[[str], dict[str, Any]], ears: Ears, plain: tuple[str, list[str]]
) -> None:
    flags = twin("c")
    analyzed.run("transcribe", **flags)
    ears.deaf = lambda _: True
    made = encoded(analyzed, **flags)
    assert voice(made) == plain[0]
    assert made.words.raised == 0
    assert made.words.lost > 5
    line = next(line for line in analyzed.lines(made.words.lines, Reheard) if line.lost)
    assert line.lost[0].text == written("c", round(line.lost[0].start_s * 2))
    assert analyzed.run("verify", **flags).words.lost == made.words.lost


def test_what_is_usual_in_a_recording_raises_nothing_where_that_is_asked(
    analyzed: Packed, twin: Callable[[str], dict[str, Any]], ears: Ears
) -> None:
    flags = {**twin("d"), "encode__words_against": "usual"}
    analyzed.run("transcribe", **flags)
    ears.deaf = lambda _: True
    made = encoded(analyzed, **flags)
    assert made.words.lost > 5
    assert made.words.spent_s == pytest.approx(analyzed.get("transcribe").heard_s, abs=0.1), "it was listened to twice"


def test_a_recogniser_that_fails_costs_the_proof_and_nothing_else(
    analyzed: Packed, twin: Callable[[str], dict[str, Any]], ears: Ears, plain: tuple[str, list[str]]
) -> None:
    flags = twin("e")
    analyzed.run("transcribe", **flags)
    ears.fails = True
    events: list[Event] = []
    settings = load(env={}, threads=2, choose__models=analyzed.models, **flags)
    made: Any = run_stage("encode", analyzed.recording_id, analyzed.store, settings, events.append)
    assert voice(made) == plain[0]
    assert (made.words.status, made.words.why) == ("failed", "the recogniser failed (RecogniserLost)")
    assert [set(event.facts) for event in events if event.kind == "warned"] == [{"error", "evidence"}]
    assert [event.facts["error"] for event in events if event.kind == "warned"] == ["RecogniserLost"]
    certificate = analyzed.run("verify", **flags)
    told = json.loads(analyzed.store.path(certificate.report).read_text())["words"]
    assert (certificate.words.status, told["status"], told["error"]) == ("failed", "failed", "RecogniserLost")
    assert not made.settled and not certificate.settled
    ears.fails = False
    assert analyzed.run("encode", **flags).words.status == "done", "it was not tried again"


def test_a_recogniser_that_fails_at_the_second_listening_leaves_a_whole_stream(
    analyzed: Packed, twin: Callable[[str], dict[str, Any]], ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = twin("f")
    analyzed.run("transcribe", **flags)
    ears.deaf = lambda _: True
    raise_ = room.Check._raise

    def failing(self: Any, *args: Any) -> None:
        ears.fails = True
        raise_(self, *args)

    monkeypatch.setattr(room.Check, "_raise", failing)
    made = encoded(analyzed, **flags)
    assert made.words.status == "failed"
    ears.fails = False
    assert analyzed.run("verify", **flags).kept is not None, "what was measured is what is published"


def test_a_byte_budget_is_not_broken_for_words(
    analyzed: Packed, twin: Callable[[str], dict[str, Any]], ears: Ears
) -> None:
    budget = analyzed.run("choose").expected_bytes
    flags = {**twin("g"), "choose__budget_bytes": budget}
    ears.deaf = narrowband
    made = encoded(analyzed, **flags)
    assert made.words.raised == 0
    assert "a byte budget leaves nothing to raise lost words with" in made.words.why
    assert next(r.blob.bytes for r in made.renditions if r.name == "voice.opus") <= budget


def test_when_the_time_ends_it_is_said(analyzed: Packed, twin: Callable[[str], dict[str, Any]], ears: Ears) -> None:
    flags = {**twin("h"), "encode__words_share": 0.9, "encode__words_least_s": 0}
    made = encoded(analyzed, **flags)
    assert 0 < made.words.listened < made.words.segments
    assert made.words.why == "the time for listening ended before all of it"
    assert any(line.drawn for line in analyzed.lines(made.words.lines, Reheard))
    ears.asked.clear()
    assert analyzed.run("verify", **flags).words.listened == made.words.listened
    assert ears.asked == []


@pytest.mark.parametrize(
    ("recogniser", "asked", "usual"),
    [
        ("pocketsphinx", "auto", True),
        ("memory:x", "auto", False),
        ("pocketsphinx", "floor", False),
        (None, "usual", True),
    ],
)
def test_who_cannot_hear_narrowband_is_not_paid_for(recogniser: str | None, asked: Any, usual: bool) -> None:
    options = Options(words_against=asked, listening=Listening(recogniser=recogniser))
    assert options.against_usual == usual
