"""How many voices, from points on a sphere that are known to be so many."""

from __future__ import annotations

import numpy as np
import pytest

from chasqui.diarize import clusters
from chasqui.diarize.clusters import centres, unit


def voices(sizes: list[int], seed: int = 1, spread: float = 0.35) -> tuple[np.ndarray, np.ndarray]:
    """Noisy points around orthogonal directions, non-negative as voiceprints are; and whose each is."""
    dice = np.random.default_rng(seed)
    whose = np.repeat(np.arange(len(sizes)), sizes)
    dice.shuffle(whose)
    base = np.zeros((len(sizes), 256), np.float32)
    for number, row in enumerate(base):
        row[number * 40 : number * 40 + 40] = 1
    noisy = unit(base[whose]) + np.abs(dice.normal(0, spread / 16, (len(whose), 256)))
    return unit(noisy), whose


@pytest.mark.parametrize("sizes", [[40], [30, 20], [50, 40, 30, 20, 10]])
def test_as_many_centres_as_voices_the_most_heard_first(sizes: list[int]) -> None:
    points, whose = voices(sizes)
    found = centres(points, 0.8)
    assert len(found) == len(sizes)
    nearest = (points @ found.T).argmax(axis=1)
    assert np.array_equal(nearest, whose)


def test_a_cough_is_nobody_of_its_own_unless_so_many_were_asked_for() -> None:
    points, _ = voices([40, 30, 1])
    assert len(centres(points, 0.8)) == 2
    assert len(centres(points, 0.8, count=3)) == 3


def test_never_more_than_most() -> None:
    points, _ = voices([9] * 6)
    assert len(centres(points, 0.8, most=4)) == 4


def test_of_ten_hours_only_some_points_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "SAMPLED", 50)
    points, whose = voices([300, 300])
    found = centres(points, 0.8)
    assert len(found) == 2
    assert len(set((points @ found.T).argmax(axis=1)[whose == 0])) == 1


@pytest.mark.parametrize("points", [np.zeros((5, 256)), np.ones((1, 256)), np.zeros((1, 256))])
def test_no_voice_at_all_is_one_speaker(points: np.ndarray) -> None:
    found = centres(points, 0.8)
    assert found.shape == (1, 256) and np.isfinite(found).all()
