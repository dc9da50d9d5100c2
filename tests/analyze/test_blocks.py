"""Blocks overlap exactly, and the lower rates keep what they can hold."""

from __future__ import annotations

import numpy as np
import pytest

from chasqui.analyze import blocks


def pieces(sound: np.ndarray) -> list[np.ndarray]:
    return [sound[start : start + blocks.SAMPLES] for start in range(0, sound.size, blocks.SAMPLES)]


def tone(hertz: float, samples: int) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(samples) / 48_000).astype(np.float32)


@pytest.mark.parametrize("samples", [1, 100, blocks.SAMPLES, blocks.SAMPLES + 1, 2 * blocks.SAMPLES + 5000])
def test_each_block_knows_its_neighbours(samples: int) -> None:
    sound = np.random.default_rng(1).normal(size=samples).astype(np.float32)
    found = list(blocks.blocks(pieces(sound)))
    padded = np.concatenate([np.zeros(blocks.MARGIN), sound, np.zeros(blocks.SAMPLES + blocks.MARGIN)])
    for index, block in enumerate(found):
        start = index * blocks.SAMPLES
        np.testing.assert_array_equal(block.full, padded[start : start + block.full.size].astype(np.float32))
    assert sum(block.samples for block in found) == samples


@pytest.mark.parametrize("hertz", [100.0, 1000.0, 3300.0])
def test_tones_pass_seams_untouched(hertz: float) -> None:
    sound = tone(hertz, 3 * blocks.SAMPLES)
    _, middle, _ = blocks.blocks(pieces(sound))
    bands = blocks.lower(middle)
    inner = slice(blocks.MARGIN // 3, -blocks.MARGIN // 3)
    np.testing.assert_allclose(bands.at_16k[inner], middle.inner[::3], atol=1e-3)
    inner = slice(blocks.MARGIN // 6, -blocks.MARGIN // 6)
    np.testing.assert_allclose(bands.at_8k[inner], middle.inner[::6], atol=1e-3)


def test_what_does_not_fit_is_gone() -> None:
    _, middle, _ = blocks.blocks(pieces(tone(9000.0, 3 * blocks.SAMPLES)))
    inner = blocks.lower(middle).at_16k[blocks.MARGIN // 3 : -blocks.MARGIN // 3]
    assert np.abs(inner).max() < 1e-3
