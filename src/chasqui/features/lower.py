"""Sound at 48 kHz at lower rates: 16 kHz, where speech lives, and 8 kHz, where pitch does."""

from __future__ import annotations

from typing import Any

import numpy as np

from chasqui.features.arrays import Array, frames, irfft, namespace, padded, rfft, table

HOP = 7_200  # 150 ms come out of each transform …
MARGIN = 720  # … of 180 ms: what the filter rings (below −98 dB after 15 ms) is cut off on both sides
SIZE = HOP + 2 * MARGIN  # 2⁶·3³·5, small enough for the second-level cache


def lower(sound: Array, factors: tuple[int, ...] = (3, 6)) -> list[Array]:
    """`sound` [..., samples] at each rate divided by a factor (3 or 6), zeros beyond both ends; [..., ⌈samples/f⌉].

    Low-passed in the frequency domain with a raised-cosine edge over the highest eighth of what is left. All rates
    come out of one forward transform.
    """
    xp = namespace(sound)
    samples = sound.shape[-1]
    rows = -(-samples // HOP)
    wide = padded(sound, MARGIN, rows * HOP - samples + MARGIN)
    spectrum = rfft(frames(wide, SIZE, HOP, rows))
    out = []
    for factor in factors:
        size, margin = SIZE // factor, MARGIN // factor
        part = spectrum[..., : size // 2 + 1] * table(sound, _edge, factor)
        inner = irfft(part, size)[..., margin : size - margin]
        out.append(xp.reshape(inner, (*sound.shape[:-1], -1))[..., : -(-samples // factor)])
    return out


def _edge(factor: int) -> np.ndarray[Any, Any]:
    """Gain per bin, the division by the factor included."""
    bins = SIZE // factor // 2 + 1
    edge = bins // 8
    gain = np.ones(bins)
    gain[bins - edge :] = 0.5 + 0.5 * np.cos(np.pi * np.arange(1, edge + 1) / edge)
    return (gain / factor).astype(np.float32)
