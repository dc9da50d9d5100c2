"""The voice stream: every segment encoded at its rung, heard in the joined stream, scored, and moved up or down until
it keeps its target at the least bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from chasqui.codecs.opus import PACKET_SAMPLES, PRIMING_PACKETS, RATE_HZ, RUNGS, Rung, ladder
from chasqui.encode.course import Course
from chasqui.encode.shelf import Shelf
from chasqui.events import Report
from chasqui.media import segment as sound
from chasqui.media.memory import EVERY, give_back
from chasqui.media.opus import Array
from chasqui.metrics.judge import Judge
from chasqui.models.budget import Point
from chasqui.records import Master, Scores, Segment

#: Segments in flight between the threads: enough to keep them busy, few enough to keep memory flat.
IN_FLIGHT = 12
#: A decoder that comes from so many packets (30 s) before mostly gives the very samples of one that comes from the
#: beginning, after `PRIMING_PACKETS` only nearly so. Then what was heard of them is found again under the same sound.
LONG_PAST = 500


@dataclass(frozen=True)
class Part:
    """One segment in the stream."""

    segment: Segment
    planned: Rung
    rung: Rung
    bytes: int
    scores: Scores
    reachable: bool
    encodes: int = 1

    @property
    def climbed(self) -> int:
        """Rungs above the plan, below it if negative."""
        rungs = ladder(self.planned.application)
        return rungs.index(self.rung) - rungs.index(self.planned)


class Voice:
    """Encodes one master segment by segment onto a shelf."""

    def __init__(
        self, path: Path, master: Master, shelf: Shelf, pool: ThreadPoolExecutor, sampled: frozenset[int] = frozenset()
    ) -> None:
        """`sampled`: segments whose ViSQOL is measured although their target does not need it."""
        self._path, self._master, self._shelf, self._pool = path, master, shelf, pool
        self._sampled = sampled
        self._spare: dict[tuple[int, str], list[bytes]] = {}

    def encode(self, courses: list[Course], report: Report) -> list[Part]:
        """Every segment at the rung its course comes to.

        Encodes run ahead in the pool; decisions are made here, in order, because what a decoder hears of a segment
        begins with what it heard before. So they depend on no timing.
        """
        parts: list[Part] = []
        for bench in self._benches(courses):
            parts.append(self._settled(bench))
            report.advanced(parts[-1].segment.end_packet * PACKET_SAMPLES / RATE_HZ, self._master.duration_s)
            if len(parts) % EVERY == 0:
                give_back()
        return parts

    def offer(self, wanted: Mapping[int, str], courses: list[Course]) -> dict[int, Point]:
        """What segments cost and score at other rungs than those they are at. Packets are kept for `move`."""
        jobs = {
            index: self._pool.submit(self._offered, courses[index], rung, self._shelf.tail(index, PRIMING_PACKETS))
            for index, rung in wanted.items()
        }
        found = {}
        for index, job in jobs.items():
            self._spare[index, wanted[index]], scores = job.result()
            found[index] = Point(sound.payload(self._spare[index, wanted[index]]), scores)
        return found

    def move(self, parts: list[Part], rungs: Mapping[int, str], courses: list[Course]) -> list[Part]:
        """Put segments at rungs that were offered. They and the ones behind them, whose past has changed, are heard
        again.
        """
        parts = list(parts)
        for index, rung in rungs.items():
            packets = self._spare[index, rung]
            self._spare[index, parts[index].rung.name] = self._shelf.get(index)
            self._shelf.put(index, packets)
            parts[index] = replace(parts[index], rung=RUNGS[rung], bytes=sound.payload(packets))
        heard = sorted({near for index in rungs for near in (index, index + 1) if near < len(parts)})
        asked = [(courses[i], self._shelf.tail(i, PRIMING_PACKETS), self._shelf.get(i)) for i in heard]
        for index, scores in zip(heard, self._pool.map(lambda one: self._again(*one), asked), strict=True):
            parts[index] = replace(parts[index], scores=scores)
        return parts

    def sound(self, first: int, last: int, samples: int) -> Array:
        """What a player hears of the segments `first` to `last`: [samples] at 48 kHz."""
        packets = [packet for index in range(first, last + 1) for packet in self._shelf.get(index)]
        return sound.decode(self._shelf.tail(first, LONG_PAST), [*packets, *self._shelf.next(last)], samples)

    def _offered(self, course: Course, rung: str, past: list[bytes]) -> tuple[list[bytes], Scores]:
        bench = Bench(self._path, self._master, replace(course, first=rung), self._quality(course))
        return bench.packets[rung], bench.hear(past, rung)

    def _again(self, course: Course, past: list[bytes], packets: list[bytes]) -> Scores:
        if course.segment.kind == "silence":
            return Scores()
        reference = sound.read(self._path, self._master, course.segment).reference
        heard = sound.decode(past, packets, len(reference))
        return Judge(course.segment.kind, reference).scores(heard, quality=self._quality(course))

    def _quality(self, course: Course) -> bool:
        return course.quality or course.segment.index in self._sampled

    def _benches(self, courses: list[Course]) -> Iterator[Bench]:
        waiting: deque[Future[Bench]] = deque()
        for course in courses:
            waiting.append(self._pool.submit(Bench, self._path, self._master, course, self._quality(course)))
            if len(waiting) >= IN_FLIGHT:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _settled(self, bench: Bench) -> Part:
        """The segment at its final rung, on the shelf."""
        course, index = bench.course, bench.course.segment.index
        past = self._shelf.tail(index, PRIMING_PACKETS)
        seen = {course.first: bench.hear(past, course.first)}
        while (rung := course.after(seen)) is not None:
            seen[rung] = bench.hear(past, rung)
        rung, reachable = course.settle(seen)
        packets = bench.packets[rung]
        self._shelf.put(index, packets)
        return Part(
            course.segment, RUNGS[course.first], RUNGS[rung], sound.payload(packets), seen[rung], reachable, len(seen)
        )


class Bench:
    """The sound of one segment, and its encodes so far. Comes with the first one made and the reference prepared."""

    def __init__(self, path: Path, master: Master, course: Course, quality: bool) -> None:
        self.course = course
        self._span = sound.read(path, master, course.segment)
        self._count = sound.packets_of(master, course.segment)
        self._quality = quality
        self._judge = Judge(course.segment.kind, self._span.reference)
        self._judge.prepare(quality=quality)
        self.packets: dict[str, list[bytes]] = {}
        self.encode(course.first)

    def encode(self, rung: str) -> list[bytes]:
        """The packets at a rung."""
        if rung not in self.packets:
            self.packets[rung] = sound.encode(self._span, RUNGS[rung], self._count)[1]
        return self.packets[rung]

    def hear(self, past: list[bytes], rung: str) -> Scores:
        """Scores of this segment at a rung, as a decoder hears it that comes from the packets of the past."""
        packets = self.encode(rung)
        if self.course.segment.kind == "silence":
            return Scores()
        heard = sound.decode(past, packets, self._judge.samples)
        return self._judge.scores(heard, quality=self._quality)
