"""A true-peak limiter that looks ahead: peaks, also between samples, stay under the ceiling, the rest is untouched."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.ndimage import minimum_filter1d

from chasqui.clean.loudness import oversampled_peaks
from chasqui.clean.step import RATE_HZ, Samples
from chasqui.records import Treatment

HOP = 48  # 1 ms
#: The gain moves along a raised cosine of this many steps to either side of a peak: gentle enough not to distort.
REACH = 8
#: Samples held back so that the gain is known before its peak comes.
HOLD = HOP * 3 * REACH
_BELL = np.hanning(2 * REACH + 1)[1:-1] / np.hanning(2 * REACH + 1).sum()


class Limit:
    """Keeps |true peak| ≤ `ceiling` (linear). Holds 24 ms back; delays nothing in the end."""

    def __init__(self, ceiling_dbtp: float) -> None:
        # The gain's own movement may lift a peak between samples by a few hundredths of a dB.
        self._ceiling = 10.0 ** ((ceiling_dbtp - 0.05) / 20.0)
        self._ceiling_dbtp = ceiling_dbtp
        self._before = np.zeros(HOLD, np.float32)  # given already; its peaks still shape the gain
        self._held = np.zeros(0, np.float32)
        self._limited = 0
        self._deepest = 1.0

    def process(self, block: Samples) -> Iterator[Samples]:
        self._held = np.concatenate([self._held, block])
        ready = (self._held.size - HOLD) // HOP * HOP
        if ready > 0:
            yield self._give(ready)

    def flush(self) -> Iterator[Samples]:
        if self._held.size:
            yield self._give(self._held.size)

    def _give(self, ready: int) -> Samples:
        sound = np.concatenate([self._before, self._held])
        out = self._held[:ready]
        peaks = oversampled_peaks(sound, HOP, self._ceiling)
        if peaks.max() > self._ceiling:
            gain = _gain(np.minimum(1.0, self._ceiling / np.maximum(peaks, 1e-9)))
            first = HOLD // HOP
            centres = (np.arange(gain.size) + 0.5) * HOP - HOLD
            steps = gain[first : first + -(-ready // HOP)]
            self._limited += int(np.count_nonzero(steps < 0.999))
            self._deepest = min(self._deepest, float(steps.min(initial=1.0)))
            if steps.min(initial=1.0) < 1.0 or gain.min() < 1.0:
                out = out * np.interp(np.arange(ready), centres, gain).astype(np.float32)
        self._before = sound[ready : ready + HOLD]
        self._held = self._held[ready:]
        return out

    def treatments(self) -> list[Treatment]:
        seconds = self._limited * HOP / RATE_HZ
        deepest = -20.0 * float(np.log10(self._deepest))
        why = (
            f"peaks over {self._ceiling_dbtp:.1f} dBTP were lowered for {seconds:.1f} s"
            if self._limited
            else "no peak was too high"
        )
        effect = {"limited_s": round(seconds, 2), "most_db": round(deepest, 1)}
        return [Treatment(name="limit", applied=self._limited > 0, effect=effect, why=why)]


def _gain(wanted: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """A smooth gain that is nowhere above what is wanted within a step of it."""
    held = minimum_filter1d(wanted.astype(np.float64), 2 * REACH + 3, mode="nearest")
    return np.convolve(np.pad(held, REACH - 1, mode="edge"), _BELL, "valid")
