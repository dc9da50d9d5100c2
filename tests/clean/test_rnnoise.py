"""Many sounds side by side, the network outside the library: RNNoise says and gives the same, but for rounding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chasqui.clean import gains, rnnoise

from .conftest import NOISES, RATE_HZ, load, mixed, speech


@pytest.fixture(scope="module")
def noisy(media: Path) -> list[np.ndarray]:
    """Speech in noise of several lengths; one of them with digital silence in it, one all silence."""
    voices = [load(path)[: round(3.3 * RATE_HZ) + 100 * at] for at, path in enumerate(speech(media, 4, first=2))]
    sounds = [
        mixed(voice, load(media / noise), snr_db)
        for voice, noise, snr_db in zip(voices, NOISES.values(), (0, 5, 10, 15), strict=True)
    ]
    sounds[1][RATE_HZ : 2 * RATE_HZ] = 0.0
    return [*sounds, np.zeros(RATE_HZ, np.float32), sounds[0][: RATE_HZ // 2 + 7]]


def level_db(sound: np.ndarray) -> float:
    return 20 * float(np.log10(np.sqrt(np.mean(sound.astype(np.float64) ** 2)) + 1e-9))


def test_the_library_lets_us_in() -> None:
    assert rnnoise._opened()


def test_side_by_side_is_frame_by_frame(noisy: list[np.ndarray]) -> None:
    apart = [rnnoise._frame_by_frame(sound) for sound in noisy]
    for (sound, chance), (expected, their_chance) in zip(rnnoise.denoised(noisy), apart, strict=True):
        assert sound.shape == expected.shape and chance.shape == their_chance.shape
        np.testing.assert_allclose(sound, expected, atol=rnnoise.ALIKE)
        np.testing.assert_allclose(chance, their_chance, atol=0.02)
        assert level_db(sound - expected) < max(level_db(expected) - 65, -120)
    assert max(chance.max() for _, chance in apart) > 0.9  # the comparison saw both
    assert max(level_db(sound - got) - level_db(sound) for sound, (got, _) in zip(noisy[:4], apart, strict=False)) > -10


def test_listening_hears_what_cleaning_hears(noisy: list[np.ndarray]) -> None:
    for chance, (_, expected) in zip(rnnoise.speech(noisy), rnnoise.denoised(noisy), strict=True):
        np.testing.assert_array_equal(chance, expected)


def test_more_than_fit_together(noisy: list[np.ndarray]) -> None:
    many = [noisy[0][: RATE_HZ // 4]] * (rnnoise.TOGETHER + 3)
    got = rnnoise.denoised(many)
    assert len(got) == len(many)
    np.testing.assert_allclose(got[-1][0], got[0][0], atol=1e-3)


def test_nothing_gives_nothing() -> None:
    assert rnnoise.denoised([]) == [] and rnnoise.speech([]) == []


def test_a_library_that_shows_nothing_is_asked_frame_by_frame(
    noisy: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(library: object) -> None:
        raise LookupError("rnnoise_arrays")

    monkeypatch.setattr(rnnoise, "weights", refuse)
    rnnoise._opened.cache_clear()
    try:
        assert not rnnoise._opened()
        (got, chance), (expected, their_chance) = rnnoise.denoised(noisy[:1])[0], rnnoise._frame_by_frame(noisy[0])
        np.testing.assert_array_equal(got, expected)
        np.testing.assert_array_equal(chance, their_chance)
        np.testing.assert_array_equal(rnnoise.speech(noisy[:1])[0], their_chance)
    finally:
        rnnoise._opened.cache_clear()


def test_a_library_with_other_weights_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    true = gains.weights(rnnoise._library())
    other = true._replace(out=(true.out[0] * np.float32(0.5), true.out[1]))
    monkeypatch.setattr(gains, "weights", lambda library: other)
    rnnoise._opened.cache_clear()
    try:
        assert not rnnoise._opened()
    finally:
        rnnoise._opened.cache_clear()
