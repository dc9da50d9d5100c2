"""A judge gives each kind of segment the scores that its promises ask for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import SPEECH, at_rate, excerpt, heard

from chasqui.codecs.opus import RUNGS
from chasqui.metrics import estoi, visqol
from chasqui.metrics.judge import VERSIONS, Judge
from chasqui.records import Kind, Scores


def test_speech_is_judged_by_both_metrics_at_16_khz(media: Path) -> None:
    sound = excerpt(media / SPEECH[0], 0, 5)
    degraded = heard(sound, RUNGS["voice-10"])
    scores = Judge("speech", sound).scores(degraded)
    low, low_degraded = at_rate(sound, 16_000), at_rate(degraded, 16_000)
    one, other = estoi.prepare(low), visqol.prepare(low, "speech")
    assert one is not None
    assert other is not None
    assert scores.estoi == pytest.approx(estoi.score(one, low_degraded), abs=1e-4)
    assert scores.visqol == pytest.approx(visqol.score(other, low_degraded), abs=1e-3)


def test_music_is_judged_by_ear_alone_at_48_khz(media: Path) -> None:
    sound = excerpt(media / "noise_music/max-audio-classifier/piano.wav", 1, 3)
    degraded = heard(sound, RUNGS["audio-16"])
    prepared = visqol.prepare(sound, "audio")
    assert prepared is not None
    for quality in (True, False):
        scores = Judge("music", sound).scores(degraded, quality=quality)
        assert scores.estoi is None
        assert scores.visqol == pytest.approx(visqol.score(prepared, degraded), abs=1e-3)


def test_silence_is_not_judged() -> None:
    noise = np.random.default_rng(0).normal(size=96_000).astype(np.float32)
    assert Judge("silence", noise).scores(noise) == Scores()


def test_quality_is_left_out_when_nobody_asks() -> None:
    noise = np.random.default_rng(0).normal(size=96_000).astype(np.float32) * np.float32(0.1)
    judge = Judge("speech", noise)
    assert judge.scores(noise, quality=False) == Scores(estoi=1.0, visqol_skipped=True)
    assert judge.scores(noise).visqol is not None  # and can still be had later


@pytest.mark.parametrize("kind", ["speech", "music"])
@pytest.mark.parametrize("samples", [100, 10_000])
def test_what_is_too_short_has_no_scores(kind: Kind, samples: int) -> None:
    noise = np.random.default_rng(0).normal(size=samples).astype(np.float32)
    assert Judge(kind, noise).scores(noise) == Scores()


@pytest.mark.parametrize("kind", ["speech", "music"])
def test_a_silent_reference_has_no_scores(kind: Kind) -> None:
    nothing = np.zeros(96_000, np.float32)
    assert Judge(kind, nothing).scores(nothing) == Scores()


def test_a_judge_can_be_asked_again() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(size=96_000).astype(np.float32) * np.float32(0.1)
    worse = noise + rng.normal(size=96_000).astype(np.float32) * np.float32(0.05)
    judge = Judge("speech", noise)
    first = judge.scores(worse)
    assert judge.scores(noise) != first
    assert judge.scores(worse) == first


def test_versions_are_those_of_the_metrics() -> None:
    assert VERSIONS == {"estoi": estoi.VERSION, "visqol": visqol.VERSION}
