"""Where two speak at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from chasqui.diarize.course import Course
from chasqui.diarize.overlap import second_speakers
from chasqui.diarize.windows import Voices
from chasqui.models import voiceprint
from chasqui.train.overlap import moments, pairs


def test_it_hears_two_in_pairs_of_speakers_that_it_was_not_fitted_on(media: Path) -> None:
    """Held-out speakers: most of what it calls two are two, and most of the two are called so."""
    net = voiceprint.network()
    found = [moments(pair) for pair in pairs(media, 1, 8, seed=3)]
    held, two = (np.concatenate(column) for column in zip(*found, strict=True))
    said = held @ net.overlap + net.overlap_bias > 0.5
    precision, recall = np.mean(two[said]), np.mean(said[two])
    assert precision > 0.65 > 2 * np.mean(two), precision
    assert recall > 0.5


def made(odds: np.ndarray, nearness: np.ndarray, speaker: list[int]) -> np.ndarray:
    """One region of 1.6 s whose only window has these log odds; ticks are 0.1 s."""
    voices = Voices(np.array([1.0]), np.zeros(1, np.int64), np.zeros((1, 256)), odds[None].astype(np.float16))  # type: ignore[arg-type]
    course = Course(np.array([0, 16]), np.array(speaker), nearness.astype(np.float32))
    return second_speakers([(0.2, 1.8)], voices, course)


def test_the_second_speaker_is_the_nearest_other_one_and_rather_a_neighbour() -> None:
    odds = np.full(16, -4.0)
    odds[6:13] = 4  # told of moments 0.2 s earlier: from 0.5 to 1.0 s into the region
    nearness = np.tile([0.9, 0.6, 0.62], (16, 1))
    found = made(odds, nearness, [0] * 12 + [1] * 4)
    assert set(found[:3]) == {-1} and set(found[13:]) == {-1}
    assert set(found[6:10]) == {1}, "speaker 2 is a little nearer, but speaker 1 speaks next"
    nearness[:, 2] = 0.8
    assert set(made(odds, nearness, [0] * 12 + [1] * 4)[6:10]) == {2}


def test_moments_and_single_voices_have_no_second_speaker() -> None:
    odds = np.full(16, -4.0)
    odds[8] = 6
    nearness = np.tile([0.9, 0.6], (16, 1))
    assert set(made(odds, nearness, [0] * 16)) == {-1}
    assert set(made(np.full(16, 9.0), nearness[:, :1], [0] * 16)) == {-1}
