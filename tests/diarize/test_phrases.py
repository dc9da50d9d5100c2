"""Pauses, and what the voice does before them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.diarize.phrases import Ends, melody, pauses, strength

RATE_HZ = 48_000


def voice(hertz: np.ndarray, on: np.ndarray) -> np.ndarray:
    """A buzz that follows a course of pitch [10 ms], where it is on [10 ms]."""
    smooth = np.repeat(hertz, 480)
    phase = 2 * np.pi * np.cumsum(smooth) / RATE_HZ
    buzz = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 8))
    return (0.1 * buzz * np.repeat(on, 480)).astype(np.float32)


def test_pauses_are_where_speech_stops_for_a_while() -> None:
    likely = np.zeros(100, np.uint8)
    likely[10:30] = likely[32:50] = likely[60:100] = 250
    assert pauses(likely) == [(pytest.approx(1.6), pytest.approx(0.32)), (pytest.approx(3.2), pytest.approx(1.984))]


def test_a_falling_voice_and_a_long_last_syllable_are_measured() -> None:
    on = np.tile(np.repeat([1.0, 0.0], [12, 6]), 9)[:150]
    level = np.full(150, 200.0)
    flat = melody(voice(level, on))
    falling = level.copy()
    falling[-25:] = 150
    assert abs(flat[0]) < 0.5
    assert melody(voice(falling, on))[0] == pytest.approx(12 * np.log2(200 / 150), abs=1)
    long = on.copy()
    long[-40:] = 1
    assert melody(voice(level, long))[1] > melody(voice(level, on))[1] + 0.8


def test_noise_and_silence_have_no_melody() -> None:
    assert melody(np.zeros(72_000, np.float32)) == (0.0, 0.0)
    assert melody(np.zeros(10, np.float32)) == (0.0, 0.0)
    hiss = np.random.default_rng(1).normal(0, 0.1, 72_000).astype(np.float32)
    assert melody(hiss)[0] == 0.0


@given(st.floats(0.12, 10), st.floats(-7, 7), st.floats(-2, 2))
def test_longer_pauses_deeper_falls_longer_syllables_are_stronger(pause: float, fall: float, long: float) -> None:
    value = strength(pause, fall, long)
    assert 0 < value < 1
    assert strength(pause * 1.5, fall, long) >= value
    assert strength(pause, fall + 1, long) > value < strength(pause, fall, long + 1)


def test_the_sound_passes_by_unchanged_and_blocks_do_not_matter() -> None:
    on = np.tile(np.repeat([1.0, 0.0], [60, 40]), 6)
    sound = voice(np.linspace(220, 140, on.size), on)
    likely = np.repeat(on, 10)[::32].astype(np.uint8) * 250
    told = []
    for size in (RATE_HZ, 24 * RATE_HZ, 7 * 4800):
        ends = Ends(likely)
        pieces = [sound[at : at + size] for at in range(0, len(sound), size)]
        assert np.array_equal(np.concatenate(list(ends.passing(pieces))), sound)
        told.append(ends.found())
    assert len(told[0]) == 6
    assert told[0] == told[1] == told[2]
