"""A comparison is fair only if every decoded baseline lines up with what went in."""

from pathlib import Path

import numpy as np
import pytest

from bench.baselines import BASELINES, Baseline, Pcm, Setting, Shape, encode, measure
from bench.recordings import read

SECONDS = 5


@pytest.fixture(scope="module")
def voice(media: Path) -> Pcm:
    return read(media / "speech" / "speech-to-text-nodejs" / "en-US_Broadband_sample1.wav")[: SECONDS * 48_000]


def lag(one: Pcm, other: Pcm) -> int:
    """Samples by which `other` comes late, from the peak of the cross-correlation."""
    size = 1 << (2 * len(one) - 1).bit_length()
    crossed = np.fft.irfft(np.fft.rfft(one, size).conj() * np.fft.rfft(other, size), size)
    at = int(np.argmax(crossed))
    return at if at < size // 2 else at - size


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda baseline: baseline.name)
@pytest.mark.parametrize("shape", [Shape(44_100, 2), Shape(16_000, 1)], ids=str)
def test_decoded_sound_lines_up_with_the_input(baseline: Baseline, shape: Shape, voice: Pcm) -> None:
    made = measure(voice, baseline.setting(shape))
    assert len(made.pcm) == len(voice)
    assert abs(lag(voice, made.pcm)) <= 4  # Opus' high-pass moves the peak a little; a codec delay is hundreds


def kbps(voice: Pcm, setting: Setting) -> float:
    return len(encode(voice, setting)) * 8 / 1000 / SECONDS


def test_the_missing_k_gives_the_default_of_lame(voice: Pcm) -> None:
    shipped, meant = (baseline.setting(Shape(44_100, 2)) for baseline in BASELINES[:2])
    assert kbps(voice, shipped) == pytest.approx(128, rel=0.03)
    assert kbps(voice, meant) == pytest.approx(96, rel=0.03)


def test_a_rate_that_mp3_lacks_goes_up() -> None:
    assert BASELINES[0].setting(Shape(96_000, 6)) == BASELINES[0].setting(Shape(48_000, 2))
    assert BASELINES[0].setting(Shape(18_900, 1)).rate_hz == 22_050
