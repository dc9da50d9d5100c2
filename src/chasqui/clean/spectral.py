"""Spectral subtraction by FFmpeg's afftdn, for those who ask for it by name: in noise it gains next to nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chasqui.clean.step import RATE_HZ, Samples
from chasqui.media.filters import Filter
from chasqui.records import Treatment

#: 12 dB less noise, whose floor is followed (tn); more eats consonants.
OPTIONS = "nr=12:tn=1"
#: Its output comes this late at 48 kHz (measured by cross-correlation), and its end is never given.
DELAY = 1200


class Afftdn:
    """As many samples out as in."""

    def __init__(self) -> None:
        self._filter = Filter("afftdn", OPTIONS)
        self._skip = DELAY
        self._samples = 0

    def process(self, block: Samples) -> Iterator[Samples]:
        self._samples += block.size
        yield from self._in_line(self._filter.process(block))

    def flush(self) -> Iterator[Samples]:
        yield from self._in_line(self._filter.process(np.zeros(DELAY, np.float32)))
        yield from self._in_line(self._filter.flush())

    def _in_line(self, pieces: Iterator[Samples]) -> Iterator[Samples]:
        """The pieces (12 ms each) of one block in one piece, without what came before the first sample."""
        joined = np.concatenate([np.zeros(0, np.float32), *pieces])
        out = joined[self._skip :]
        self._skip -= joined.size - out.size
        if out.size:
            yield out

    def treatments(self) -> list[Treatment]:
        effect = {"treated_s": round(self._samples / RATE_HZ, 1)}
        return [Treatment(name="denoise", applied=True, effect=effect, why=f"afftdn ({OPTIONS}), asked for by name")]
