"""The outline of a sound: lowest, highest and rms sample per column, read in one pass with flat memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

#: Two columns per pixel of a phone, one per pixel of a report on paper; more only makes the page heavier.
COLUMNS = 720


@dataclass(frozen=True)
class Outline:
    """Arrays of shape [columns], full scale ±1.0; `rms` is never negative."""

    low: Floats
    high: Floats
    rms: Floats

    @property
    def peak(self) -> float:
        """The largest distance from zero; 0.0 for digital silence."""
        return float(max(self.high.max(initial=0.0), -self.low.min(initial=0.0)))


def outline(blocks: Iterable[Floats], samples: int, columns: int = COLUMNS) -> Outline:
    """The Outline of a stream of float32 blocks that hold `samples` samples in all (more are ignored).

    A stream shorter than `columns` samples gives one column per sample.
    """
    columns = max(1, min(columns, samples))
    low, high = np.zeros(columns, np.float32), np.zeros(columns, np.float32)
    energy, counted = np.zeros(columns), np.zeros(columns, np.int64)
    at = 0
    for block in blocks:
        part = block[: samples - at]
        if not part.size:
            break
        where, starts = _columns(at, at + part.size, samples, columns)
        low[where] = np.minimum(low[where], np.minimum.reduceat(part, starts))
        high[where] = np.maximum(high[where], np.maximum.reduceat(part, starts))
        energy[where] += np.add.reduceat(part * part, starts, dtype=np.float64)
        counted[where] += np.diff(starts, append=part.size)
        at += part.size
    rms = np.sqrt(energy / np.maximum(counted, 1)).astype(np.float32)
    return Outline(low, high, rms)


def _columns(at: int, end: int, samples: int, columns: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The columns that samples `at` to `end` fall into, and where in that stretch each begins.

    Sample n is in column n × columns ÷ samples, rounded down; so column c begins at c × samples ÷ columns, rounded up.
    """
    where = np.arange(at * columns // samples, (end - 1) * columns // samples + 1, dtype=np.int64)
    return where, np.maximum(-(-where * samples // columns) - at, 0)
