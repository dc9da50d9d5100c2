"""What was cut out of a recording, so that times in its master can be traced back to it."""

from __future__ import annotations

from bisect import bisect_right
from typing import Annotated

from pydantic import Field

from chasqui.records.base import Record

#: (first sample in the recording, samples): a part of it that is in the master.
Part = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(gt=0)]]


class Cuts(Record):
    """The parts of a recording that its master holds, in order, counted in samples of the master's rate."""

    rate_hz: int
    kept: tuple[Part, ...]

    def source_s(self, master_s: float) -> float:
        """The second of the recording that is heard at `master_s` of the master; beyond its end, on from there."""
        if not self.kept:
            return master_s
        at = master_s * self.rate_hz
        begins = self._begins()
        index = max(bisect_right(begins, at) - 1, 0)
        return (self.kept[index][0] + at - begins[index]) / self.rate_hz

    def master_s(self, source_s: float) -> float | None:
        """The second of the master in which `source_s` of the recording is heard; None: it was cut out."""
        at = source_s * self.rate_hz
        for (first, samples), begin in zip(self.kept, self._begins(), strict=True):
            if first <= at < first + samples:
                return (begin + at - first) / self.rate_hz
        return None

    def within(self, start: int, stop: int) -> Cuts:
        """What is left when only samples `start` to `stop` of the master are kept."""
        kept = []
        for (first, samples), begin in zip(self.kept, self._begins(), strict=True):
            low, high = max(start, begin), min(stop, begin + samples)
            if low < high:
                kept.append((first + low - begin, high - low))
        return Cuts(rate_hz=self.rate_hz, kept=tuple(kept))

    def _begins(self) -> list[int]:
        """Where each part begins in the master."""
        begins, at = [], 0
        for _, samples in self.kept:
            begins.append(at)
            at += samples
        return begins
