"""Where two speak at once, and who the second one is.

Found are the longer and clearer overlaps: on meetings of speakers that nothing was fitted on, and far from microphones
much less (docs/diarize.md has the numbers). What is not found belongs to the one who is heard better.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from chasqui.diarize.course import TICK_S, Course
from chasqui.diarize.windows import WINDOW_S, Voices
from chasqui.models.voiceprint import LATE_S, MOMENTS

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

#: Log odds, mean over SMOOTH_TICKS, from which two are said to speak; down to `OFF` one that was begun goes on. The
#: least diarization error on the meetings for tuning; a claim that is wrong costs as much as an overlap missed.
ON, OFF = 0.5, -0.5
SMOOTH_TICKS = 3
SHORTEST_TICKS = 3
#: Who spoke just before or speaks just after is likelier to be the second, by so much of a cosine.
NEIGHBOUR = 0.05


def second_speakers(regions: list[tuple[float, float]], voices: Voices, found: Course) -> Indices:
    """[ticks] the second speaker of each tenth of a second of the regions, −1 where there is one or none."""
    seconds = np.full(len(found.speaker), -1, np.int64)
    if found.nearness.shape[1] < 2:
        return seconds
    edges = np.searchsorted(voices.regions, np.arange(len(regions) + 1))
    for number, (start_s, _) in enumerate(regions):
        ticks = slice(found.starts[number], found.starts[number + 1])
        odds = _odds(start_s, ticks.stop - ticks.start, voices, slice(edges[number], edges[number + 1]))
        for start, stop in _runs(_both(odds)):
            _name(seconds, found, ticks.start + start, ticks.start + stop)
    return seconds


def _odds(start_s: float, ticks: int, voices: Voices, mine: slice) -> Floats:
    """Log odds of each tick of a region, from the windows in which most was heard before it."""
    places: list[float] = []
    values: list[float] = []
    for middle_s, row in zip(voices.middles_s[mine].tolist(), voices.overlap[mine], strict=True):
        begin_s = middle_s - WINDOW_S / 2 - LATE_S
        for moment in range(MOMENTS):
            at_s = begin_s + (moment + 1) * WINDOW_S / MOMENTS
            if not places or at_s > places[-1] + 1e-6:
                places.append(at_s)
                values.append(float(row[moment]))
    wanted = start_s + (np.arange(ticks) + 0.5) * TICK_S
    odds = np.interp(wanted, places, values)
    padded = np.pad(odds, SMOOTH_TICKS // 2, mode="edge")
    return np.asarray(np.convolve(padded, np.ones(SMOOTH_TICKS) / SMOOTH_TICKS, "valid"), np.float32)


def _both(odds: Floats) -> Flags:
    on, flags = False, np.empty(odds.size, np.bool_)
    for at, value in enumerate(odds.tolist()):
        on = value >= (OFF if on else ON)
        flags[at] = on
    return flags


def _runs(flags: Flags) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if b - a >= SHORTEST_TICKS]


def _name(seconds: Indices, found: Course, start: int, stop: int) -> None:
    """Give the ticks from `start` to `stop` a second speaker, piece by piece where the first one changes."""
    speaker = found.speaker
    cuts = [start, *(np.flatnonzero(np.diff(speaker[start:stop])) + start + 1).tolist(), stop]
    around = {int(speaker[at]) for at in range(max(start - 10, 0), min(stop + 10, len(speaker)))}
    for begin, end in pairwise(cuts):
        near = found.nearness[begin:end].mean(axis=0)
        near[list(around)] += NEIGHBOUR
        near[speaker[begin]] = -np.inf
        seconds[begin:end] = int(near.argmax())
