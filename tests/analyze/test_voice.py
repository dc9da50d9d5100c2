"""Speech is speech, music is music, a pause is silence; on real recordings and at the edges."""

from __future__ import annotations

import numpy as np
import pytest

from chasqui.analyze import voice
from chasqui.analyze.voice import MUSIC, SILENCE, SPEECH

from .conftest import CALL, CINEMATIC, HUNGARIAN, LIBRI, PLUM_FAIRY, RAIN, Load, analyze, levelled, silence

MUSICIANS = (HUNGARIAN, PLUM_FAIRY, CINEMATIC, "noise_music/data/Kevin_MacLeod_-_Vibe_Ace.hq.ogg")
SPEAKERS = (CALL, "speech/speech-to-text-nodejs/en-US_Broadband_sample2.wav", "speech/aeneas/de.mp3", *LIBRI)


def shares(sound: np.ndarray) -> np.ndarray:
    """Share of seconds of silence, speech and music."""
    classes = analyze(sound).second_class
    return np.bincount(classes, minlength=3) / classes.size


@pytest.mark.parametrize("name", SPEAKERS)
def test_speech_is_never_music(load: Load, name: str) -> None:
    found = shares(load(name))
    assert found[SPEECH] > 0.6  # the rest is pauses
    assert found[MUSIC] <= 0.07  # one second of a short recording


@pytest.mark.parametrize("name", MUSICIANS)
def test_music_is_never_speech(load: Load, name: str) -> None:
    found = shares(load(name))
    assert found[SPEECH] == 0
    assert found[MUSIC] > 0.8  # the rest is fading out


@pytest.mark.parametrize("name", [CINEMATIC, HUNGARIAN, PLUM_FAIRY])
@pytest.mark.parametrize("below_db", [15, 5])
def test_speech_over_a_bed_is_speech(load: Load, name: str, below_db: float) -> None:
    talk = np.concatenate([load(name) for name in LIBRI[:3]])
    bed = np.resize(load(name), talk.size) * 10 ** (-below_db / 20)
    assert shares(talk + bed)[SPEECH] > 0.85
    assert {cut.kind for cut in analyze(talk + bed).cuts} == {SPEECH}


def test_rain_alone_is_kept_and_behind_speech_it_is_background(load: Load) -> None:
    rain, talk = load(RAIN), load(LIBRI[0])
    assert shares(rain)[MUSIC] > 0.95
    quiet = np.resize(rain, talk.size * 2 + 48_000 * 8) * 10 ** (-17 / 20)
    mixed = np.concatenate([talk, silence(8), talk]) + quiet
    start = talk.size // 48_000 + 2
    assert analyze(mixed).second_class[start : start + 5].tolist() == [SILENCE] * 5


def test_quiet_is_told_from_loudness_or_absolutely() -> None:
    hiss = np.random.default_rng(2).normal(size=48_000 * 12).astype(np.float32)
    for dbfs, loudness, kind in ((-48, -19.0, SILENCE), (-40, -19.0, MUSIC), (-48, None, MUSIC), (-55, None, SILENCE)):
        assert set(analyze(hiss * 10 ** (dbfs / 20), loudness).second_class) == {kind}


def test_a_word_alone_is_found(load: Load) -> None:
    word = levelled(load(LIBRI[0])[48_000:96_000])
    classes = analyze(np.concatenate([silence(10), word, silence(10)])).second_class
    assert classes[10] == SPEECH
    assert set(classes[:9]) == set(classes[12:]) == {SILENCE}


def test_hysteresis_holds_on() -> None:
    chances = np.array([0.4, 0.5, 0.36, 0.4, 0.34, 0.4, 0.9], np.float32)
    assert voice.hysteresis(chances).tolist() == [False, True, True, True, False, False, True]


def test_short_bursts_and_held_notes_are_not_speech() -> None:
    sure, unsure = np.zeros(375, np.float32), np.zeros(375, np.float32)
    sure[100:150] = 0.95  # 1.6 s
    sure[300:304] = 0.95  # 128 ms
    unsure[100:150] = 0.7
    moving, still = np.full(12, 0.7, np.float32), np.full(12, 0.95, np.float32)
    assert voice.runs(voice.find_speech(sure, moving)) == [(53, 80)]
    assert voice.runs(voice.find_speech(sure, still)) == [(53, 80)]
    assert voice.runs(voice.find_speech(unsure, moving)) == [(53, 80)]
    assert voice.runs(voice.find_speech(unsure, still)) == []


def test_bridges_span_short_gaps_only() -> None:
    flags = np.array([0, 1, 0, 0, 1, 0, 0, 0, 1, 0], np.bool_)
    assert voice.bridge(flags, 2).astype(int).tolist() == [0, 1, 1, 1, 1, 0, 0, 0, 1, 0]


def test_smoothing_takes_the_majority() -> None:
    flags = np.zeros(100, np.bool_)
    flags[10:15] = flags[40:70] = True
    assert voice.runs(voice.smooth(flags)) == [(40, 70)]
