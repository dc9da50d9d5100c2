"""Which targets each segment of a decoded file reaches, by the metrics and thresholds that Chasqui promises with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.packing import Packed
from chasqui.codecs.opus import PACKET_SAMPLES
from chasqui.media.flac import read_master
from chasqui.media.ogg import PRE_SKIP
from chasqui.metrics.judge import Judge
from chasqui.metrics.targets import TARGETS, keeps
from chasqui.records import Segment, TargetName

Pcm = npt.NDArray[np.float32]


class Kept(NamedTuple):
    """Is the segment at this target?"""

    understood: bool
    comfortable: bool
    clear: bool


class Yardstick:
    """The reference side of one recording, prepared once for any number of encodings."""

    def __init__(self, lesson: Packed) -> None:
        self.master: Pcm = np.concatenate(list(read_master(lesson.master, lesson.gain_db)))
        self.samples = len(self.master)
        self._segments = lesson.segments
        self._judges = [Judge(segment.kind, _cut(self.master, segment)) for segment in lesson.segments]

    def kept(self, pcm: Pcm) -> tuple[Kept, ...]:
        """One answer per segment. `pcm` is aligned with the master and as long."""
        return tuple(
            _kept(segment, judge, _cut(pcm, segment))
            for segment, judge in zip(self._segments, self._judges, strict=True)
        )


def _kept(segment: Segment, judge: Judge, degraded: Pcm) -> Kept:
    scores = judge.scores(degraded)
    names: tuple[TargetName, ...] = ("understood", "comfortable", "clear")
    return Kept(*(keeps(TARGETS[name], segment.kind, scores) for name in names))


def _cut(pcm: Pcm, segment: Segment) -> Pcm:
    """A segment's sound, less the last milliseconds that a lone segment cannot be decoded to: as Chasqui scores it."""
    return pcm[segment.start_packet * PACKET_SAMPLES : segment.end_packet * PACKET_SAMPLES][:-PRE_SKIP]
