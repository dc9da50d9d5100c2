"""The one pass over the master: blocks are measured, labelled with their neighbours in view, cut, and summed up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from chasqui.analyze import blocks
from chasqui.analyze.blocks import Block, Floats
from chasqui.analyze.features import NAMES, Rows, summarize
from chasqui.analyze.frames import FRAMES_PER_PACKET, SECOND, Measures, measure
from chasqui.analyze.segments import Cut, Segmenter, Track
from chasqui.analyze.voice import MUSIC, Bytes, Flags, Sound, label, per_packet
from chasqui.metrics.silero import Silero, look

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
    pieces: Iterable[Floats],
    loudness_lufs: float | None,
    advanced: Callable[[float], None] = lambda _: None,
    threads: int = 1,
) -> Outcome:
    """Everything about a master that comes in pieces of 12 s (float32 mono, 48 kHz); `advanced` hears seconds done.

    More threads measure blocks ahead; the outcome is the same.
    """
    waiting: deque[tuple[Block, Measures]] = deque()
    chances: list[Bytes] = []
    classes: list[Bytes] = []
    segmenter, gatherer = Segmenter(), Gatherer()
    samples = 0
    for labels in label(_sounds(pieces, waiting, chances, threads), loudness_lufs):
        block, measures = waiting.popleft()
        samples += block.samples
        classes.append(labels.second)
        packets = -(-block.samples // PACKET)
        gatherer.add(rows(measures, labels.speech, labels.kind).part(0, packets))
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


class Heard(NamedTuple):
    """A block and all that can be said of it without knowing what came before."""

    block: Block
    measures: Measures
    voices: Floats  # what Silero makes of each chunk


def _hear(block: Block) -> Heard:
    bands = blocks.lower(block)
    margin = blocks.MARGIN // 3
    return Heard(block, measure(block, bands), look(bands.at_16k[margin:-margin]))


def _heard(pieces: Iterable[Floats], threads: int) -> Iterator[Heard]:
    """Blocks in their order, measured by a few threads ahead of whoever takes them. NumPy lets go of the lock."""
    if threads < 2:
        yield from map(_hear, blocks.blocks(pieces))
        return
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[Future[Heard]] = deque()
        for block in blocks.blocks(pieces):
            ahead.append(pool.submit(_hear, block))
            if len(ahead) > threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _sounds(
    pieces: Iterable[Floats], waiting: deque[tuple[Block, Measures]], chances: list[Bytes], threads: int
) -> Iterator[Sound]:
    silero = Silero()
    for block, measures, voices in _heard(pieces, threads):
        probability = silero.follow(voices)
        waiting.append((block, measures))
        chances.append(np.rint(probability * 255).astype(np.uint8))
        power = 10 ** (measures.frames[:, 0].reshape(-1, FRAMES_PER_PACKET) / 10)
        voiced = (measures.pitch[:, 0] > 0).reshape(blocks.SECONDS, -1).mean(axis=1)
        level = 10 * np.log10(power.mean(axis=1))
        yield Sound(probability, level, measures.seconds[:, STEADINESS], voiced.astype(np.float32))


def rows(measures: Measures, speech: Flags, kind: Bytes) -> Rows:
    """A whole block, measured and labelled, as `summarize` wants it."""
    return Rows(
        measures.frames,
        measures.pitch,
        measures.wide,
        np.stack([per_packet(column) for column in measures.seconds.T], axis=1),
        speech.astype(np.float32),
        (kind == MUSIC).astype(np.float32),
    )


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
