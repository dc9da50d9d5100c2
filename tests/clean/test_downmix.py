"""The sum of the channels must not lose what is in them."""

from __future__ import annotations

import numpy as np

from chasqui.clean.downmix import Downmix

from .conftest import babble


def level_db(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(sound**2) + 1e-12))


def test_opposite_phase_does_not_cancel() -> None:
    voice = babble(10)
    mono = Downmix().mono(np.stack([voice, -voice]))
    assert abs(level_db(mono) - level_db(voice)) < 0.1


def test_a_dead_channel_is_left_out() -> None:
    voice = babble(10, level=0.2)
    hum = 0.0001 * np.sin(np.arange(voice.size) * 0.0065).astype(np.float32)
    downmix = Downmix()
    mono = downmix.mono(np.stack([hum, voice]))
    np.testing.assert_allclose(mono, voice, atol=1e-6)
    assert downmix.treatment().effect["dead_s"] == 10.0


def test_ordinary_stereo_is_averaged() -> None:
    left, right = babble(10, seed=1), babble(10, seed=2)
    np.testing.assert_allclose(Downmix().mono(np.stack([left, right])), (left + right) / 2, atol=1e-6)


def test_a_change_is_faded_not_cut() -> None:
    voice = babble(20)
    downmix = Downmix()
    first = downmix.mono(np.stack([voice, voice])[:, :480_000])
    second = downmix.mono(np.stack([voice, -voice])[:, 480_000:])
    steps = np.abs(np.diff(np.concatenate([first, second])))
    assert steps[479_000:481_000].max() <= np.abs(np.diff(voice)).max() * 1.2
    assert abs(level_db(second[4800:]) - level_db(voice[484_800:])) < 0.1


def test_silence_decides_nothing() -> None:
    downmix = Downmix()
    voice = babble(10)
    downmix.mono(np.stack([voice, -voice]))
    quiet = np.zeros((2, 480_000), np.float32)
    assert not downmix.mono(quiet).any()
    after = downmix.mono(np.stack([voice, -voice]))
    np.testing.assert_allclose(np.abs(after), np.abs(voice), atol=1e-6)


def test_six_channels_keep_the_centre() -> None:
    voice = babble(10)
    channels = np.zeros((6, voice.size), np.float32)
    channels[2] = voice
    channels[3] = babble(10, seed=3) * 2  # the LFE thunders
    mono = Downmix().mono(channels)
    assert np.corrcoef(mono, voice)[0, 1] > 0.99
