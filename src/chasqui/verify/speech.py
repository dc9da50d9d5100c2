"""Scores of the published bytes: decoded through the container, segment by segment, without ever holding the whole
recording.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from chasqui.codecs.opus import PACKET_SAMPLES, RATE_HZ
from chasqui.errors import PromiseBroken
from chasqui.events import Report
from chasqui.media import segment as sound
from chasqui.media.ogg import PRE_SKIP
from chasqui.media.opus import Array, decode_file
from chasqui.metrics.judge import Judge
from chasqui.records import Master, Scores, Segment

IN_FLIGHT = 8


def scores(
    published: Path,
    master_path: Path,
    master: Master,
    segments: list[Segment],
    quality: Set[int],
    pool: ThreadPoolExecutor,
    report: Report,
) -> dict[int, Scores]:
    """Scores by index of the given segments (ascending), from the published file; ViSQOL of those in `quality`.

    Raises:
        PromiseBroken: the file does not decode to exactly the master's length.
    """
    waiting: deque[tuple[int, Future[Scores]]] = deque()
    found: dict[int, Scores] = {}
    ranges = [(segment.start_packet * PACKET_SAMPLES, _end(segment, master)) for segment in segments]
    for segment, heard in zip(segments, cut(decode_file(published), ranges, master.samples), strict=True):
        job = pool.submit(_score, master_path, master, segment, heard, segment.index in quality)
        waiting.append((segment.index, job))
        if len(waiting) >= IN_FLIGHT:
            index, future = waiting.popleft()
            found[index] = future.result()
            report.advanced(segment.end_packet * PACKET_SAMPLES / RATE_HZ, master.duration_s)
    return found | {index: future.result() for index, future in waiting}


def _score(path: Path, master: Master, segment: Segment, heard: Array, quality: bool) -> Scores:
    return Judge(segment.kind, sound.read(path, master, segment).reference).scores(heard, quality=quality)


def cut(blocks: Iterable[Array], ranges: Sequence[tuple[int, int]], samples: int) -> Iterator[Array]:
    """The sound from a first sample to behind a last one, for each of `ranges` (ascending, apart). Reads to the end,
    whatever comes after the last of them.

    Raises:
        PromiseBroken: the sound is not exactly `samples` long.
    """
    at, kept, wanted = 0, np.zeros(0, np.float32), deque(ranges)
    for block in blocks:
        kept, at = np.concatenate([kept, block]), at + len(block)
        while wanted and at >= wanted[0][1]:
            start, stop = wanted.popleft()
            first = start - (at - len(kept))
            yield kept[first : first + stop - start].copy()
        keep_from = wanted[0][0] if wanted else at
        kept = kept[max(0, keep_from - (at - len(kept))) :]
    if at != samples or wanted:
        raise PromiseBroken(why=f"it decodes to {at} samples instead of {samples}")


def _end(segment: Segment, master: Master) -> int:
    """First sample after what is scored of a segment."""
    return min(segment.end_packet * PACKET_SAMPLES, master.samples) - PRE_SKIP
