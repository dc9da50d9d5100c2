"""Silence before the first sound and after the last one cut to a short breath. Off unless asked for.

The end of the last sound is known only when the recording is over, so the pass listens and the master is cut
afterwards: holding silence back until somebody speaks again would take memory without bound.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chasqui.clean.silence import HOP, SILENT
from chasqui.clean.step import RATE_HZ, Samples
from chasqui.records import Treatment

#: What stays on each side: soft beginnings and endings of words lie under the level that counts as sound.
EDGE = RATE_HZ // 5


class Trim:
    """Passes everything on and remembers where the first and the last frame of 20 ms lie that are no silence."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._frames = self._samples = 0
        self._first: int | None = None
        self._last = 0

    def process(self, block: Samples) -> Iterator[Samples]:
        self._samples += block.size
        sound = np.concatenate([self._rest, block])
        whole = sound.size // HOP
        self._rest = sound[whole * HOP :]
        frames = sound[: whole * HOP].reshape(whole, HOP)
        loud = np.flatnonzero(np.einsum("ij,ij->i", frames, frames) >= SILENT**2 * HOP)
        if loud.size:
            if self._first is None:
                self._first = self._frames + int(loud[0])
            self._last = self._frames + int(loud[-1]) + 1
        self._frames += whole
        yield block

    def flush(self) -> Iterator[Samples]:
        yield from ()

    def span(self) -> tuple[int, int]:
        """(first sample, behind the last) to keep; everything where nothing is louder than silence."""
        if self._first is None:
            return 0, self._samples
        return max(self._first * HOP - EDGE, 0), min(self._last * HOP + EDGE, self._samples)

    def treatments(self) -> list[Treatment]:
        start, stop = self.span()
        before, behind = start / RATE_HZ, (self._samples - stop) / RATE_HZ
        effect = {"start_s": round(before, 3), "end_s": round(behind, 3)}
        applied = before + behind > 0
        why = (
            f"{before:.1f} s of silence at the start and {behind:.1f} s at the end were cut off"
            if applied
            else "it begins and ends with sound"
        )
        return [Treatment(name="trim", applied=applied, effect=effect, why=why)]
