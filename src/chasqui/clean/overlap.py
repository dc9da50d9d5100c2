"""Treatments that have to look around: stretches with what lies before and behind them, joined without a seam."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from chasqui.clean.step import RATE_HZ, STRETCH, Samples, fade

#: What a stretch sees besides itself. Three seconds steady the statistics of short ones; more costs time.
BEFORE = 3 * RATE_HZ
AFTER = RATE_HZ // 2
#: Two stretches are treated a little differently where they meet: they are blended over this long.
SEAM = RATE_HZ // 10

#: Sound [..., n] in, treated sound [n] out; the number says where in it the stretch begins.
Treat = Callable[[Samples, int], Samples]


class Overlapped:
    """Sound [n] or [channels, n] in blocks of any size; out comes mono, as many samples, whatever the blocks were."""

    def __init__(self, treat: Treat) -> None:
        self._treat = treat
        self._sound: Samples | None = None  # from up to BEFORE before the next stretch on
        self._lead = 0  # how much of it was given already
        self._beyond = np.zeros(0, np.float32)  # what the last stretch made of the first samples of the next

    def process(self, block: Samples) -> Iterator[Samples]:
        self._sound = block if self._sound is None else np.concatenate([self._sound, block], axis=-1)
        while self._sound.shape[-1] >= self._lead + STRETCH + AFTER:
            yield self._stretch(STRETCH)

    def flush(self) -> Iterator[Samples]:
        while self._sound is not None and (rest := self._sound.shape[-1] - self._lead):
            yield self._stretch(min(STRETCH, rest))

    def _stretch(self, size: int) -> Samples:
        assert self._sound is not None  # noqa: S101 - both callers have looked
        end = self._lead + size
        treated = self._treat(self._sound[..., : end + AFTER], self._lead)
        out = treated[self._lead : end].copy()
        if seam := min(self._beyond.size, size):
            out[:seam] += fade(1.0, 0.0, seam, seam) * (self._beyond[:seam] - out[:seam])
        self._beyond = treated[end : end + SEAM]
        keep = min(BEFORE, end)
        self._sound, self._lead = self._sound[..., end - keep :], keep
        return out
