"""Where to cut: segments of 4–15 s on the packet grid, at pauses, of one kind where that can be had.

The cuts are the cheapest path through all possible ones (dynamic programming), where a cut in a long quiet pause costs
least, and mixing kinds or an odd length costs too. Ninety seconds are looked at together and the cuts of the first half
are kept, so memory is flat and the outcome depends on the sound alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from chasqui.analyze.blocks import Floats
from chasqui.analyze.voice import MUSIC, NAMES, SILENCE, SPEECH, Bytes, Flags, runs
from chasqui.records import Segment

Ints = npt.NDArray[np.intp]

SHORTEST, LONGEST = 67, 250  # packets: 4.02 s and 15 s
USUAL = 133  # 8 s: long enough for a score to mean something, short enough to follow the sound
HORIZON = 1500  # 90 s; a cut is decided with at least 45 s after it in view

IN_SPEECH = 0.5  # on top of loudness (0–1), for a cut beside a packet with speech
NO_PAUSE = 0.6  # on top, less in proportion to the pause, nothing in one of a second or more
ODD_LENGTH = 0.15  # at 4 or 15 s, growing with the square of the distance from USUAL
MIX_MUSIC = 0.05  # per packet of the rarer kind, speech with music: 3 s cost more than the worst cut
MIX_SILENCE = 0.02  # per packet, sound with silence

SPEECH_PACKETS = 8  # 0.5 s, a word: from here on a segment must keep the promise made for speech
MUSIC_SHARE = 0.2  # from here on it holds something to hear


class Track(NamedTuple):
    """What is known of the packets, row by row."""

    speech: Flags
    kind: Bytes
    loudness: Floats

    def plus(self, other: Track) -> Track:
        """This track with more packets behind."""
        join = np.concatenate
        return Track(
            join([self.speech, other.speech]), join([self.kind, other.kind]), join([self.loudness, other.loudness])
        )

    def until(self, packets: int) -> Track:
        """The first packets."""
        return Track(self.speech[:packets], self.kind[:packets], self.loudness[:packets])

    def after(self, packets: int) -> Track:
        """What is left without the first packets."""
        return Track(self.speech[packets:], self.kind[packets:], self.loudness[packets:])


class Cut(NamedTuple):
    """One segment of the track."""

    start: int
    stop: int
    kind: int
    speech_share: float


def save(path: Path, cuts: list[Cut]) -> None:
    """Write JSON Lines of Segment."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for index, cut in enumerate(cuts):
            segment = Segment(
                index=index,
                start_packet=cut.start,
                packets=cut.stop - cut.start,
                kind=NAMES[cut.kind],
                speech_share=round(cut.speech_share, 4),
            )
            file.write(segment.model_dump_json() + "\n")


class Segmenter:
    """Takes packets as they come and gives segments as soon as they are decided."""

    def __init__(self) -> None:
        self._start = 0
        self._held = Track(np.zeros(0, np.bool_), np.zeros(0, np.uint8), np.zeros(0, np.float32))

    def feed(self, track: Track) -> Iterator[Cut]:
        """More packets; the segments that are decided by now."""
        self._held = self._held.plus(track)
        while len(self._held.kind) >= HORIZON:
            ends = cheapest(self._held.until(HORIZON), ends_here=False)
            yield from self._take([end for end in ends if end <= HORIZON // 2])

    def finish(self) -> Iterator[Cut]:
        """No more packets; the segments that were left."""
        if len(self._held.kind):
            yield from self._take(cheapest(self._held, ends_here=True))

    def _take(self, ends: list[int]) -> Iterator[Cut]:
        held, begin = self._held, self._start
        for start, stop in zip([0, *ends], ends, strict=False):
            speech = held.speech[start:stop]
            kind = kind_of(held.kind[start:stop], speech)
            yield Cut(begin + start, begin + stop, kind, float(speech.mean()))
        self._start += ends[-1]
        self._held = held.after(ends[-1])


def kind_of(kinds: Bytes, speech: Flags) -> int:
    """The kind of a segment. The more demanding one wins early: a promise must cover what little speech there is."""
    if speech.sum() >= min(SPEECH_PACKETS, len(speech) / 2):
        return SPEECH
    # Packets of pauses beside speech count as speech in `kinds` but hold little; they make no music.
    return MUSIC if np.mean(kinds == MUSIC) >= MUSIC_SHARE else SILENCE


def cheapest(track: Track, *, ends_here: bool) -> list[int]:
    """Ends of the cheapest sequence of segments from packet 0; to the last packet, or to wherever a cut is good.

    Shorter than SHORTEST only if the whole track is.
    """
    size = len(track.kind)
    if size < SHORTEST:
        return [size]
    cut = cut_costs(track)
    counts = np.zeros((3, size + 1), np.float32)
    for kind in (SILENCE, SPEECH, MUSIC):
        np.cumsum(track.kind == kind, out=counts[kind, 1:])
    cost = np.full(size + 1, np.inf)
    cost[0] = 0
    origin = np.zeros(size + 1, np.intp)
    lengths = np.arange(SHORTEST, LONGEST + 1)
    odd = ODD_LENGTH * ((lengths - USUAL) / np.where(lengths < USUAL, USUAL - SHORTEST, LONGEST - USUAL)) ** 2
    for first in range(SHORTEST, size + 1, SHORTEST):  # as no segment is shorter, so many ends never need each other
        ends = np.arange(first, min(first + SHORTEST, size + 1))
        starts = ends[:, None] - lengths
        legal = starts >= 0
        starts = np.where(legal, starts, 0)
        total = np.where(legal, cost[starts] + odd + _mixed(counts, starts, ends), np.inf)
        best = total.argmin(axis=1)
        rows = np.arange(len(ends))
        cost[ends] = total[rows, best] + cut[ends]
        origin[ends] = starts[rows, best]
    last = size if ends_here else size + 1 - LONGEST + int(cost[size + 1 - LONGEST :].argmin())
    return _trace(origin, last)


def cut_costs(track: Track) -> Floats:
    """Cost of a cut before each packet and after the last: [packets + 1]."""
    beside = np.maximum(track.loudness[1:], track.loudness[:-1])
    spoken = track.speech[1:] | track.speech[:-1]
    cost = beside + IN_SPEECH * spoken + NO_PAUSE
    for start, stop in runs(~track.speech):
        # Not at the pause's very edges: a word begins and ends more softly than Silero notices.
        cost[start : stop - 1] -= NO_PAUSE * min(1.0, (stop - start) / 17)
    return np.concatenate([[0], cost, [0]]).astype(np.float32)


def _mixed(counts: Floats, starts: Ints, ends: Ints) -> Floats:
    silence, speech, music = (row[ends][:, None] - row[starts] for row in counts)
    sound = np.maximum(speech, music)
    return np.asarray(MIX_MUSIC * np.minimum(speech, music) + MIX_SILENCE * np.minimum(sound, silence), np.float32)


def _trace(origin: Ints, last: int) -> list[int]:
    ends = []
    while last > 0:
        ends.append(last)
        last = int(origin[last])
    return ends[::-1]
