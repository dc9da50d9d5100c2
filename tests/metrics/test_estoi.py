"""ESTOI is the published measure: the same numbers as pystoi's, on speech, noise and what is no speech."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import SPEECH, Pcm, at_rate, excerpt, heard
from hypothesis import given, settings
from hypothesis import strategies as st
from pystoi import stoi

from chasqui.codecs.opus import RUNGS
from chasqui.metrics import estoi
from chasqui.metrics.estoi import RATE_HZ

RATES = ("voice-6", "voice-8", "voice-12", "voice-24")


def published(reference: Pcm, degraded: Pcm) -> float:
    score: Any = stoi(reference.astype(np.float64), degraded.astype(np.float64), RATE_HZ, extended=True)
    return float(score)


def ours(reference: Pcm, degraded: Pcm) -> float:
    prepared = estoi.prepare(reference)
    assert prepared is not None
    return estoi.score(prepared, degraded)


@cache
def modulated(seed: int = 0, seconds: float = 2.0) -> Pcm:
    """Noise that swells and fades four times a second, as speech does."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (rng.normal(size=t.size) * 0.1 * (1 + np.sin(2 * np.pi * 4 * t))).astype(np.float32)


@pytest.mark.parametrize("name", SPEECH, ids=lambda name: Path(name).stem)
def test_equals_pystoi_on_encoded_speech(media: Path, name: str) -> None:
    sound = excerpt(media / name, 0, 5)
    reference = at_rate(sound, RATE_HZ)
    for rung in RATES:
        degraded = at_rate(heard(sound, RUNGS[rung]), RATE_HZ)
        assert ours(reference, degraded) == pytest.approx(published(reference, degraded), abs=1e-3), rung


@pytest.mark.parametrize("snr_db", [-5, 5, 20])
def test_equals_pystoi_on_noisy_speech(media: Path, snr_db: int) -> None:
    reference = at_rate(excerpt(media / SPEECH[0], 0, 5), RATE_HZ)
    noise = np.random.default_rng(3).normal(size=len(reference)).astype(np.float32)
    degraded = reference + noise * np.float32(np.std(reference) * 10 ** (-snr_db / 20))
    assert ours(reference, degraded) == pytest.approx(published(reference, degraded), abs=1e-3)


def test_pauses_are_left_out_as_pystoi_does(media: Path) -> None:
    voice = at_rate(excerpt(media / SPEECH[1], 0, 3), RATE_HZ)
    reference = np.concatenate([voice, np.zeros(RATE_HZ, np.float32), voice])
    degraded = reference + np.random.default_rng(4).normal(size=len(reference)).astype(np.float32) * np.float32(0.01)
    assert ours(reference, degraded) == pytest.approx(published(reference, degraded), abs=1e-3)


def test_more_bits_are_understood_better(media: Path) -> None:
    sound = excerpt(media / SPEECH[0], 0, 6)
    reference = at_rate(sound, RATE_HZ)
    scores = [ours(reference, at_rate(heard(sound, RUNGS[rung]), RATE_HZ)) for rung in RATES]
    assert scores == sorted(scores)
    assert scores[0] < 0.9 < scores[-1]  # not all the same


def test_more_noise_is_understood_less(media: Path) -> None:
    reference = at_rate(excerpt(media / SPEECH[2], 0, 4), RATE_HZ)
    noise = np.random.default_rng(5).normal(size=len(reference)).astype(np.float32)
    scores = [ours(reference, reference + noise * np.float32(level)) for level in (0.001, 0.01, 0.1, 1.0)]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < 0.2


@pytest.mark.parametrize("samples", [0, 1, 255, 410, 411, 412, 4000, 6000])
def test_too_short_is_nothing_to_judge(samples: int) -> None:
    assert estoi.prepare(modulated()[:samples]) is None


def test_half_a_second_is_enough() -> None:
    reference = modulated()[: RATE_HZ // 2]
    assert ours(reference, reference) == pytest.approx(1, abs=1e-4)


def test_a_click_in_silence_is_nothing_to_judge() -> None:
    reference = np.zeros(RATE_HZ * 2, np.float32)
    reference[8000:8040] = 0.5
    assert estoi.prepare(reference) is None


def test_silence_is_understood_by_nobody() -> None:
    assert ours(modulated(), np.zeros(len(modulated()), np.float32)) == pytest.approx(0, abs=1e-6)


def test_digital_silence_is_nothing_to_judge() -> None:
    assert estoi.prepare(np.zeros(RATE_HZ * 2, np.float32)) is None


@pytest.mark.parametrize("difference", [-1, 1, -500])
def test_another_length_is_refused(difference: int) -> None:
    prepared = estoi.prepare(modulated())
    assert prepared is not None
    with pytest.raises(ValueError, match=r"degraded has \d+ samples"):
        estoi.score(prepared, np.resize(modulated(), len(modulated()) + difference))


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 99), level=st.floats(-60, 20), offset=st.integers(0, 2000))
def test_a_sound_is_understood_as_itself_at_any_level(seed: int, level: float, offset: int) -> None:
    reference = modulated(seed)[offset:]
    assert ours(reference, reference * np.float32(10 ** (level / 20))) == pytest.approx(1, abs=1e-3)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 99), level_db=st.floats(-40, 20))
def test_levels_do_not_move_the_score(seed: int, level_db: float) -> None:
    degraded = modulated(seed) + modulated(seed + 100)
    factor = np.float32(10 ** (level_db / 20))
    plain = ours(modulated(seed), degraded)
    assert -0.1 < plain < 1
    assert ours(modulated(seed) * factor, degraded) == pytest.approx(plain, abs=2e-3)
    assert ours(modulated(seed), degraded * factor) == pytest.approx(plain, abs=2e-3)
