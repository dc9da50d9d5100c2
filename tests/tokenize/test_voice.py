"""How it is spoken: pauses, pace and pitch of made-up and of real speech."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lesson import Packed

from chasqui.tokenize import told
from chasqui.tokenize.listen import FRAMES_PER_S, Block, Frames
from chasqui.tokenize.voice import Voice, pauses_s


def speech(*parts: tuple[float, bool]) -> np.ndarray:
    return np.concatenate([np.full(round(seconds / 0.032), spoken) for seconds, spoken in parts])


def test_pauses_are_silences_between_speech_neither_too_short_nor_too_long() -> None:
    track = speech(
        (2, False), (3, True), (0.128, False), (1, True), (0.96, False), (1, True), (8, False), (1, True), (2, False)
    )
    assert pauses_s(track).tolist() == pytest.approx([0.96])


@given(st.lists(st.booleans(), max_size=400))
def test_pauses_never_cover_speech_or_the_ends(track: list[bool]) -> None:
    found = pauses_s(np.array(track, bool))
    silent = len(track) - sum(track)
    assert found.sum() <= silent * 0.032 + 1e-9
    assert all(0.25 <= pause <= 5 for pause in found)


def told_of(seconds: float) -> told.Told:
    return told.Told({"level_p95_dbfs": np.array([-20.0])}, np.array([1.0]), np.ones(round(seconds / 0.032) + 1, bool))


@pytest.mark.parametrize("rate_hz", [2.0, 4.0, 6.0])
@pytest.mark.parametrize("gain_db", [-3.0, 0.0])
def test_syllables_are_counted_whatever_the_blocks(rate_hz: float, gain_db: float) -> None:
    seconds, block = 24, 12
    times = np.arange(-30, block * FRAMES_PER_S + 30) / FRAMES_PER_S
    voice = Voice(told_of(seconds))
    for start in range(0, seconds, block):
        swing = (-20 + gain_db + 6 * np.cos(2 * np.pi * rate_hz * (times + start))).astype(np.float32)
        frames = Frames(np.zeros((len(times), 20), np.float32), swing, swing, 30, block * FRAMES_PER_S)
        voice.hear(Block(np.zeros(1, np.float32), 0, block * 48_000, start * 48_000), frames)
    assert voice._syllables == pytest.approx(rate_hz * seconds, abs=2)


def test_what_is_told_of_a_real_lesson_is_what_people_speak_like(analyzed: Packed) -> None:
    voice = analyzed.run("tokenize").voice
    assert 15 < voice["speech_s"] < 25
    assert 2 < voice["syllables_per_s"] < 8
    assert 80 < voice["pitch_median_hz"] < 260
    assert 0 < voice["pause_share"] < 0.5
    assert "words_per_min" not in voice  # nobody listened
    assert set(voice) == set(analyzed.run("tokenize", tokenize__audio="").voice)


def test_without_speech_nothing_is_claimed() -> None:
    silent = told.Told({}, np.zeros(0), np.zeros(100, bool))
    assert Voice(silent).tell(None) == {"speech_s": 0.0}
