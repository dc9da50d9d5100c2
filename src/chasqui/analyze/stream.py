"""The one pass over the master: blocks are measured, labelled with their neighbours in view, cut, and summed up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from chasqui.analyze import blocks
from chasqui.analyze.blocks import Block, Floats
from chasqui.analyze.features import NAMES, Rows, summarize
from chasqui.analyze.frames import FRAMES_PER_PACKET, SECOND, Measures, measure
from chasqui.analyze.segments import Cut, Segmenter, Track
from chasqui.analyze.voice import MUSIC, Bytes, Labels, Sound, label, per_packet
from chasqui.metrics.silero import Silero

PACKET = blocks.SAMPLES // blocks.PACKETS
STEADINESS = SECOND.index("steadiness")


class Outcome(NamedTuple):
    """What there is to say about a whole recording."""

    samples: int
    packets: int
    cuts: list[Cut]
    values: Floats  # [segments, NAMES]
    speech_probability: Bytes  # per 32 ms, 255 = certain
    second_class: Bytes

    def seconds(self, kind: int) -> float:
        """How much of one kind; the last second counts as far as it goes."""
        rest = self.samples / blocks.RATE_HZ - (len(self.second_class) - 1)
        last = rest if self.second_class[-1] == kind else 0.0
        return float(np.sum(self.second_class[:-1] == kind) + last)


def analyze(
    pieces: Iterable[Floats], loudness_lufs: float | None, advanced: Callable[[float], None] = lambda _: None
) -> Outcome:
    """Everything about a master that comes in pieces of 12 s (float32 mono, 48 kHz); `advanced` hears seconds done."""
    waiting: deque[tuple[Block, Measures]] = deque()
    chances: list[Bytes] = []
    classes: list[Bytes] = []
    segmenter, gatherer = Segmenter(), Gatherer()
    samples = 0
    for labels in label(_sounds(pieces, waiting, chances), loudness_lufs):
        block, measures = waiting.popleft()
        samples += block.samples
        classes.append(labels.second)
        packets = -(-block.samples // PACKET)
        gatherer.add(_rows(measures, labels, packets))
        track = Track(labels.speech[:packets], labels.kind[:packets], labels.loudness[:packets])
        gatherer.take(segmenter.feed(track))
        advanced(samples / blocks.RATE_HZ)
    gatherer.take(segmenter.finish())
    return Outcome(
        samples,
        -(-samples // PACKET),
        gatherer.cuts,
        np.array(gatherer.values, np.float32).reshape(-1, len(NAMES)),
        _until(chances, samples, 1536),
        _until(classes, samples, blocks.RATE_HZ),
    )


def _sounds(pieces: Iterable[Floats], waiting: deque[tuple[Block, Measures]], chances: list[Bytes]) -> Iterator[Sound]:
    silero = Silero()
    for block in blocks.blocks(pieces):
        bands = blocks.lower(block)
        margin = blocks.MARGIN // 3
        probability = silero.probabilities(bands.at_16k[margin:-margin])
        measures = measure(block, bands)
        waiting.append((block, measures))
        chances.append(np.rint(probability * 255).astype(np.uint8))
        power = 10 ** (measures.frames[:, 0].reshape(-1, FRAMES_PER_PACKET) / 10)
        voiced = (measures.pitch[:, 0] > 0).reshape(blocks.SECONDS, -1).mean(axis=1)
        level = 10 * np.log10(power.mean(axis=1))
        yield Sound(probability, level, measures.seconds[:, STEADINESS], voiced.astype(np.float32))


def _rows(measures: Measures, labels: Labels, packets: int) -> Rows:
    return Rows(
        measures.frames,
        measures.pitch,
        measures.wide,
        np.stack([per_packet(column) for column in measures.seconds.T], axis=1),
        labels.speech.astype(np.float32),
        (labels.kind == MUSIC).astype(np.float32),
    ).part(0, packets)


class Gatherer:
    """Holds the rows of packets whose segment is not decided yet."""

    def __init__(self) -> None:
        self.cuts: list[Cut] = []
        self.values: list[Floats] = []
        self._parts: list[Rows] = []
        self._start = 0

    def add(self, rows: Rows) -> None:
        self._parts.append(rows)

    def take(self, cuts: Iterable[Cut]) -> None:
        """Sum up the rows of these segments and let go of them."""
        for cut in cuts:
            if len(self._parts) > 1:
                self._parts = [Rows.join(self._parts)]
            rows = self._parts[0]
            self.values.append(summarize(rows.part(cut.start - self._start, cut.stop - self._start)))
            self.cuts.append(cut)
            self._parts = [rows.part(cut.stop - self._start, len(rows.speech))]
            self._start = cut.stop


def _until(parts: list[Bytes], samples: int, step: int) -> npt.NDArray[np.uint8]:
    """Joined, without what lies past the end of the recording."""
    return np.concatenate([*parts, np.zeros(0, np.uint8)])[: -(-samples // step)]
