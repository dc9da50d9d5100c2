"""Whether somebody speaks in a stretch: Silero's voice detector on its three loudest seconds.

It keeps music from being taken for noise. Used only where noise was measured.
"""

from __future__ import annotations

import numpy as np

from chasqui.clean.step import RATE_HZ, Samples
from chasqui.metrics.resample import third
from chasqui.metrics.silero import CHUNK_SAMPLES, Silero

PART = 3 * RATE_HZ
#: Share of 32 ms chunks with voice: speech in noise at 5 dB had 0.7 and more, music with a voice-like lead up to 0.44.
SURELY, HARDLY = 0.6, 0.2
#: In between the whole stretch is asked: that music then had 0.1, speech in noise at 0 dB 0.5.
MOSTLY = 0.3


def speaks(block: Samples) -> bool:
    """True if voice fills most of the loudest three seconds, or enough of the whole stretch."""
    share = _share(_loudest(block))
    return share >= SURELY or (share >= HARDLY and _share(block) >= MOSTLY)


def _share(sound: Samples) -> float:
    low = third()(sound)
    voiced = Silero().probabilities(low[: low.size // CHUNK_SAMPLES * CHUNK_SAMPLES]) > 0.5
    return float(np.mean(voiced)) if voiced.size else 0.0


def _loudest(block: Samples) -> Samples:
    if block.size <= PART:
        return block
    power = np.add.reduceat(block**2, np.arange(0, block.size, RATE_HZ // 2))
    sums = np.convolve(power, np.ones(6), "valid")
    start = int(np.argmax(sums)) * (RATE_HZ // 2)
    return block[start : start + PART]
