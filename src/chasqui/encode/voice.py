"""The voice stream: every segment encoded at its rung, heard in the joined stream, scored, and stepped up where it
misses.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from chasqui.codecs.opus import PACKET_SAMPLES, PRIMING_PACKETS, RATE_HZ, RUNGS, Rung, ladder
from chasqui.encode.shelf import Shelf
from chasqui.events import Report
from chasqui.media import opus
from chasqui.media import segment as sound
from chasqui.media.memory import EVERY, give_back
from chasqui.media.ogg import PRE_SKIP
from chasqui.metrics.judge import Judge
from chasqui.metrics.targets import TARGETS, Target, keeps
from chasqui.records import Choice, Master, Scores, Segment

#: Segments in flight between the threads: enough to keep them busy, few enough to keep memory flat.
IN_FLIGHT = 12


@dataclass(frozen=True)
class Part:
    """One segment in the stream."""

    segment: Segment
    rung: Rung
    bytes: int
    scores: Scores
    reachable: bool
    stepped_up: int = 0


class Voice:
    """Encodes one master segment by segment onto a shelf."""

    def __init__(self, path: Path, master: Master, shelf: Shelf, pool: ThreadPoolExecutor) -> None:
        self._path, self._master, self._shelf, self._pool = path, master, shelf, pool

    def encode(self, segments: list[Segment], choices: list[Choice], report: Report) -> list[Part]:
        """Encode and score everything once, as planned."""
        scoring: deque[tuple[Segment, Choice, Future[Scores]]] = deque()
        parts: list[Part] = []
        for segment, choice, span, heard in self._heard(segments, choices):
            scoring.append((segment, choice, self._pool.submit(_score, segment, span.reference, heard)))
            if len(scoring) >= IN_FLIGHT:
                parts.append(self._part(*scoring.popleft()))
                if len(parts) % EVERY == 0:
                    give_back()
                report.advanced(parts[-1].segment.end_packet * PACKET_SAMPLES / RATE_HZ, self._master.duration_s)
        return parts + [self._part(*waiting) for waiting in scoring]

    def step_up(self, parts: list[Part], target: Target, room: int | None) -> list[Part]:
        """Raise the segments that miss the target, rung by rung, while there is room for it.

        `room` is in bytes, None as much as it takes. Where even the dearest rung misses, the segment is unreachable.
        """
        parts = list(parts)
        suspects: Iterable[int] = range(len(parts))
        while missed := [i for i in suspects if parts[i].reachable and not self._kept(parts[i], target)]:
            raised: list[int] = []
            for index, (rung, packets) in zip(
                missed, self._pool.map(lambda i: self._dearer(parts[i]), missed), strict=True
            ):
                cost = sound.payload(packets) - parts[index].bytes
                if rung == parts[index].rung:
                    parts[index] = replace(parts[index], reachable=False)
                    continue
                if room is not None and (room := room - max(cost, 0)) < 0:
                    room += max(cost, 0)
                    continue  # verify will see that it misses, and say so
                self._shelf.put(index, packets)
                up = parts[index].stepped_up + 1
                parts[index] = replace(parts[index], rung=rung, bytes=sound.payload(packets), stepped_up=up)
                raised.append(index)
            # A changed segment is a changed past for the next one's decoder.
            suspects = sorted({i for index in raised for i in (index, index + 1) if i < len(parts)})
            for index, scores in zip(
                suspects, self._pool.map(self._again, [self._ask(parts[i]) for i in suspects]), strict=True
            ):
                parts[index] = replace(parts[index], scores=scores)
        return parts

    def _heard(
        self, segments: list[Segment], choices: list[Choice]
    ) -> Iterator[tuple[Segment, Choice, sound.Span, opus.Array]]:
        """Segments as planned with what one decoder hears of them in the joined stream."""
        ear = _Ear()
        for segment, choice, span, packets in self._encoded(segments, choices):
            self._shelf.put(segment.index, packets)
            yield segment, choice, span, ear.hear(packets)[: len(span.reference)]

    def _encoded(
        self, segments: list[Segment], choices: list[Choice]
    ) -> Iterator[tuple[Segment, Choice, sound.Span, list[bytes]]]:
        waiting: deque[tuple[Segment, Choice, Future[tuple[sound.Span, list[bytes]]]]] = deque()
        for segment, choice in zip(segments, choices, strict=True):
            waiting.append((segment, choice, self._pool.submit(self._encode_one, segment, RUNGS[choice.rung])))
            if len(waiting) >= IN_FLIGHT:
                first, its_choice, future = waiting.popleft()
                yield first, its_choice, *future.result()
        for first, its_choice, future in waiting:
            yield first, its_choice, *future.result()

    def _encode_one(self, segment: Segment, rung: Rung) -> tuple[sound.Span, list[bytes]]:
        span = sound.read(self._path, self._master, segment)
        return span, sound.encode(span, rung, sound.packets_of(self._master, segment))[1]

    def _part(self, segment: Segment, choice: Choice, scores: Future[Scores]) -> Part:
        size = sound.payload(self._shelf.get(segment.index))
        return Part(segment, RUNGS[choice.rung], size, scores.result(), choice.reachable)

    def _kept(self, part: Part, target: Target) -> bool:
        return keeps(target, part.segment.kind, part.scores)

    def _dearer(self, part: Part) -> tuple[Rung, list[bytes]]:
        """The next rung of the same ladder and the segment at it; the same rung where there is none."""
        rungs = ladder(part.rung.application)
        rung = rungs[min(rungs.index(part.rung) + 1, len(rungs) - 1)]
        return rung, self._encode_one(part.segment, rung)[1]

    def _ask(self, part: Part) -> tuple[Segment, list[bytes], list[bytes]]:
        index = part.segment.index
        return part.segment, self._shelf.tail(index, PRIMING_PACKETS), self._shelf.get(index)

    def _again(self, asked: tuple[Segment, list[bytes], list[bytes]]) -> Scores:
        segment, before, packets = asked
        reference = sound.read(self._path, self._master, segment).reference
        return _score(segment, reference, sound.decode(before, packets, len(reference)))


class _Ear:
    """One decoder that hears the whole stream, segment by segment."""

    def __init__(self) -> None:
        self._packets: deque[bytes] = deque()
        self._sound = opus.decode(iter(self._packets.popleft, None))
        self._late = 0

    def hear(self, packets: list[bytes]) -> opus.Array:
        """The samples of the next segment, but for its last PRE_SKIP ones, which come out with the next packet."""
        self._packets.extend(packets)
        heard = np.concatenate([next(self._sound) for _ in packets])[self._late :]
        self._late = PRE_SKIP  # from now on each first packet begins with the end of the segment before
        return heard


def _score(segment: Segment, reference: opus.Array, heard: opus.Array) -> Scores:
    return Judge(segment.kind, reference).scores(heard)


def promised(name: str | None) -> Target | None:
    """The target behind a promise, if there is one."""
    return TARGETS[name] if name else None  # type: ignore[index]
