"""Which targets each segment of a decoded file reaches, by the metrics and thresholds that Chasqui promises with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from chasqui.metrics.targets import TARGETS
from scipy.signal import resample_poly

from bench.packing import Packed
from chasqui.codecs.opus import PACKET_SAMPLES
from chasqui.media.flac import read_master
from chasqui.metrics import estoi, visqol
from chasqui.records import Scores, Segment

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
        self._judges = [_Judge(segment, _cut(self.master, segment)) for segment in lesson.segments]

    def kept(self, pcm: Pcm) -> tuple[Kept, ...]:
        """One answer per segment. `pcm` is aligned with the master and as long."""
        return tuple(judge.kept(_cut(pcm, judge.segment)) for judge in self._judges)


class _Judge:
    """Speech by ESTOI and ViSQOL's speech mode, music by its audio mode, silence by nothing."""

    def __init__(self, segment: Segment, reference: Pcm) -> None:
        self.segment = segment
        speech, music = segment.kind == "speech", segment.kind == "music"
        self._estoi = estoi.prepare(_at_16k(reference)) if speech else None
        self._speech = visqol.prepare(_at_16k(reference), "speech") if speech else None
        self._music = visqol.prepare(reference, "audio") if music else None

    def kept(self, degraded: Pcm) -> Kept:
        scores = self._scores(degraded)
        return Kept(*(TARGETS[name].kept(scores, self.segment.kind) for name in Kept._fields))

    def _scores(self, degraded: Pcm) -> Scores:
        if self._music is not None:
            return Scores(visqol=visqol.score(self._music, degraded))
        low = _at_16k(degraded)
        return Scores(
            estoi=estoi.score(self._estoi, low) if self._estoi else None,
            visqol=visqol.score(self._speech, low) if self._speech else None,
        )


def _cut(pcm: Pcm, segment: Segment) -> Pcm:
    return pcm[segment.start_packet * PACKET_SAMPLES : segment.end_packet * PACKET_SAMPLES]


def _at_16k(pcm: Pcm) -> Pcm:
    return np.asarray(resample_poly(pcm, 1, 3), np.float32)
