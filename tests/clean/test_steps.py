"""Each step alone: what it is for, what it leaves alone, and that no sample is lost or moved."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from chasqui.clean.denoise import Denoise
from chasqui.clean.level import HOP, Level, _lines
from chasqui.clean.limit import Limit
from chasqui.clean.loudness import TruePeak
from chasqui.clean.repair import Repair
from chasqui.clean.rumble import Rumble
from chasqui.clean.silence import Silence
from chasqui.clean.spectral import Afftdn
from chasqui.clean.step import Step

from .conftest import RATE_HZ, babble, through, tone

STEPS: dict[str, Callable[[], Step]] = {
    "rumble": Rumble,
    "repair": Repair,
    "denoise": lambda: Denoise("rnnoise"),
    "afftdn": Afftdn,
    "level": Level,
    "limit": lambda: Limit(-6.0),
    "silence": lambda: Silence(5.0),
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("samples", [1, 479, 48_000, 480_000, 480_001, 960_000 + 4_321])
def test_as_many_samples_come_out_as_went_in(name: str, samples: int) -> None:
    sound = babble(samples / RATE_HZ + 0.01)[:samples]
    assert through(sound, STEPS[name]()).size == samples


@pytest.mark.parametrize("name", ["rumble", "repair", "level", "limit"])
def test_how_the_sound_arrives_changes_nothing(name: str) -> None:
    sound = babble(21.5)
    np.testing.assert_array_equal(through(sound, STEPS[name]()), through(sound, STEPS[name](), cut=33_333))


@pytest.mark.parametrize("name", ["rumble", "repair", "denoise", "afftdn", "level", "limit"])
def test_nothing_is_delayed(name: str) -> None:
    sound = babble(11) + tone(700, 11, 0.02)
    out = through(sound, STEPS[name]())
    lags = range(-300, 301)
    likeness = [float(np.dot(sound[5000:400_000], out[5000 + lag : 400_000 + lag])) for lag in lags]
    assert abs(lags[int(np.argmax(likeness))]) <= 1


def test_rumble_and_offset_go_speech_stays() -> None:
    voice = babble(20)
    out = through(voice + tone(25, 20, 0.2) + np.float32(0.1), step := Rumble())
    assert step.treatments()[0].effect["rumble_s"] == 20.0
    wrong = out[RATE_HZ:-RATE_HZ] - through(voice, Rumble())[RATE_HZ:-RATE_HZ]
    assert np.sqrt(np.mean(wrong**2)) < 0.002


def test_clicks_are_mended_where_they_are() -> None:
    rng = np.random.default_rng(5)
    voice = through(babble(10) + tone(200, 10, 0.05), Rumble())
    clicked = voice.copy()
    places = np.arange(20_000, 460_000, 40_000)
    for at in places:
        clicked[at : at + 2] += rng.choice([-0.4, 0.4])
    out = through(clicked, step := Repair())
    assert step.treatments()[0].effect["clicks"] == places.size
    near = np.zeros(voice.size, bool)
    for at in places:
        near[at - 40 : at + 42] = True
    np.testing.assert_array_equal(out[~near], voice[~near])
    assert np.mean((out - voice)[near] ** 2) < 0.02 * np.mean((clicked - voice)[near] ** 2)


def test_clipped_tops_are_rounded_up() -> None:
    voice = tone(220, 10, 0.8) * (0.6 + 0.4 * tone(2, 10, 1.0))
    out = through(np.clip(voice, -0.4, 0.4), step := Repair())
    assert step.treatments()[1].applied
    assert np.mean((out - voice) ** 2) < 0.5 * np.mean((np.clip(voice, -0.4, 0.4) - voice) ** 2)


def test_what_is_whole_is_not_mended() -> None:
    voice = babble(10) + tone(300, 10, 0.1)
    np.testing.assert_array_equal(through(voice, Repair()), voice)


def test_two_speakers_end_closer_and_pauses_stay_quiet() -> None:
    near, far = babble(8, level=0.1), babble(8, seed=1, level=0.1 * 10 ** (-12 / 20))
    pause = babble(4, seed=2, level=0.0002)
    out = through(np.concatenate([near, far, pause, near, far]), Level())

    def level(start_s: float, stop_s: float) -> float:
        return float(10 * np.log10(np.mean(out[int(start_s * RATE_HZ) : int(stop_s * RATE_HZ)] ** 2)))

    assert 3.0 < level(1, 7) - level(10, 15) < 8.0
    assert level(17, 19.5) < level(10, 15) - 35


@pytest.mark.parametrize("samples", [1, 100, HOP, HOP + 1, 480_000 - 1, 480_000])
def test_lines_are_those_of_interp(samples: int) -> None:
    knots = 10 ** (np.random.default_rng(samples).normal(0, 5, max(samples // HOP, 1) + 1) / 20)
    expected = np.interp(np.arange(samples), np.arange(knots.size) * HOP, knots).astype(np.float32)
    np.testing.assert_array_equal(_lines(knots, samples), expected)


def test_peaks_stay_under_the_ceiling_and_the_rest_untouched() -> None:
    sound = tone(440, 12, 0.2)
    for at in (100_000, 300_000, 479_990, 480_020):
        sound[at : at + 60] += np.float32(0.9)
    out = through(sound, Limit(-3.0))
    peak = TruePeak()
    peak.add(out)
    assert peak.dbtp <= -3.0
    np.testing.assert_array_equal(out[110_000:290_000], sound[110_000:290_000])


def test_long_silences_are_cut_to_length() -> None:
    voice, quiet = babble(4, level=0.2), np.zeros(RATE_HZ * 15, np.float32)
    sound = np.concatenate([voice, quiet, voice, quiet[: RATE_HZ // 2], voice])
    out = through(sound, step := Silence(2.0))
    effect = step.treatments()[0].effect
    assert effect["places"] == 1
    assert effect["removed_s"] == pytest.approx(13.0, abs=0.3)  # the voice itself ends in a pause
    assert out.size == sound.size - round(effect["removed_s"] * RATE_HZ)
    np.testing.assert_array_equal(out[: voice.size], voice)
    np.testing.assert_array_equal(out[-voice.size :], voice)


def test_silence_at_the_end_is_cut_too() -> None:
    sound = np.concatenate([babble(4, level=0.2), np.zeros(RATE_HZ * 30, np.float32)])
    assert through(sound, Silence(3.0)).size == pytest.approx(RATE_HZ * 7, abs=RATE_HZ // 5)
