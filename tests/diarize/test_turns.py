"""The whole stage on real voices: who speaks when, and what happens where that cannot be told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from chasqui.config import load
from chasqui.diarize.course import Course
from chasqui.diarize.turns import in_turn
from chasqui.errors import BadConfig
from chasqui.metrics.der import errors
from chasqui.models import voiceprint
from chasqui.records import PhraseEnd, Turn
from chasqui.store import lines

from .conftest import Analyzed, Talk


def test_two_voices_are_told_apart(conversation: Analyzed, talk: Talk) -> None:
    turns = conversation.diarize(speakers="auto")
    assert (turns.status, turns.speakers) == ("done", 2)
    found = lines.read(conversation.store.path(turns.turns), Turn)  # type: ignore[arg-type]
    told = errors(talk.turns, [(turn.start_s, turn.end_s, turn.speaker) for turn in found])
    alone = errors(talk.turns, [(turn.start_s, turn.end_s, "1") for turn in found])
    assert told.rate < 0.25 < alone.rate
    assert told.confused_s / told.speech_s < 0.05
    assert [turn.speaker for turn in found][:2] == ["1", "2"]
    assert turns.spoken_s == pytest.approx(
        {name: sum(turn.end_s - turn.start_s for turn in found if turn.speaker == name) for name in "12"}, abs=0.01
    )
    assert turns.windows >= 15


def test_the_same_voices_come_out_twice_the_same(conversation: Analyzed, talk: Talk) -> None:
    first = conversation.diarize(speakers="auto", threads=1)
    again = conversation.diarize(speakers="2")
    assert again.turns is not None and first.turns is not None
    assert again.turns.sha256 == first.turns.sha256, "it was told what it had found by itself"


def test_one_voice_is_one_speaker(analyzed: Callable[..., Analyzed], talk: Talk) -> None:
    alone = analyzed(talk.sound[: 5 * 48_000 - 12_000]).diarize(speakers="auto")
    assert (alone.speakers, list(alone.spoken_s), alone.overlap_s) == (1, ["1"], 0.0)


def test_phrase_ends_lie_where_a_voice_stops(conversation: Analyzed, talk: Talk) -> None:
    turns = conversation.diarize(speakers="auto")
    ends = lines.read(conversation.store.path(turns.phrases), PhraseEnd)  # type: ignore[arg-type]
    assert all(0 <= end.strength <= 1 for end in ends)
    assert [end.at_s for end in ends] == sorted(end.at_s for end in ends)
    assert any(abs(end.at_s - talk.turns[0][1]) < 0.3 for end in ends)


def test_nobody_looks_unless_asked(conversation: Analyzed) -> None:
    turns = conversation.diarize()
    assert (turns.status, turns.turns, turns.why) == ("none", None, "nobody asked who speaks")


def test_who_wants_words_wants_speakers() -> None:
    assert load(transcribe__recogniser="pocketsphinx").options("diarize").speakers == "auto"
    assert load(transcribe__recogniser="pocketsphinx", diarize__speakers="none").options("diarize").speakers == "none"
    assert load().options("diarize").speakers == "none"


def test_silence_has_no_speakers(analyzed: Callable[..., Analyzed]) -> None:
    hum = (0.05 * np.sin(np.arange(48_000 * 6) * 2 * np.pi * 220 / 48_000)).astype(np.float32)
    turns = analyzed(hum).diarize(speakers="auto")
    assert (turns.status, turns.speakers, turns.why) == ("done", 0, "nobody speaks")


def test_damaged_weights_cost_the_speakers_and_say_so(
    conversation: Analyzed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(voiceprint.FOLDER, tmp_path / "speaker")
    (tmp_path / "speaker" / "weights.npz").write_bytes(b"not weights")
    real = voiceprint.network
    monkeypatch.setattr(voiceprint, "network", lambda: real(tmp_path / "speaker"))
    turns = conversation.diarize(speakers="3")
    assert (turns.status, turns.settled) == ("failed", False)
    assert turns.failure is not None and turns.failure.error == "BadModel"


@pytest.mark.parametrize("wrong", ["0", "21", "-1", "many", "2.5", ""])
def test_numbers_that_make_no_sense(wrong: str) -> None:
    with pytest.raises(BadConfig, match=r"diarize\.speakers"):
        load(diarize__speakers=wrong)


def test_a_number_in_a_settings_file_is_a_number() -> None:
    assert load(diarize__speakers=3).options("diarize").count == 3


def test_overlapping_and_touching_pieces_become_turns() -> None:
    speaker = np.array([4, 4, 4, 7, 7, 4])
    seconds = [-1, -1, 7, -1, -1, -1]
    course = Course(np.array([0, 5, 6]), speaker, np.zeros((6, 8), np.float32))
    turns = in_turn([(1.0, 1.5), (1.7, 1.8)], course, seconds)
    told = [(turn.start_s, turn.end_s, turn.speaker) for turn in turns]
    assert told == [(1.0, 1.3, "1"), (1.2, 1.5, "2"), (1.7, 1.8, "1")]
