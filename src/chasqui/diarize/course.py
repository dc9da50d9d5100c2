"""Who speaks at each moment: the likeliest course of speakers, where changing the speaker has its price.

Viterbi over tenths of a second; windows say how near each voice is, and between their middles that is interpolated.
The centres of the speakers are measured once more on what they were given, then the course is found again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from chasqui.diarize.clusters import unit
from chasqui.diarize.windows import Voices

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

TICK_S = 0.1
#: What a change of speaker costs, in seconds × difference of cosines × WEIGHT: 1 s of 0.08. From 1 to 2 the error on
#: the meetings for tuning was the same within half a point, with 4 it rose.
CHANGE, WEIGHT = 1.6, 20.0
PASSES = 2
#: Windows whose nearness to the centres is computed at once.
_BLOCK = 4096


class Course(NamedTuple):
    """Each region in tenths of a second: where it begins, and who speaks in each."""

    starts: Indices  # [regions + 1] first tick of each region in `speaker`
    speaker: Indices  # [ticks]
    nearness: Floats  # [ticks, speakers] cosine of the voice with each speaker


def course(regions: list[tuple[float, float]], voices: Voices, centres: Floats) -> Course:
    """The likeliest speaker of each tenth of a second of the regions."""
    sizes = [max(1, round((end - start) / TICK_S)) for start, end in regions]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    for again in range(PASSES):
        nearness = _by_tick(regions, starts, voices, _nearness(voices, centres))
        speaker = viterbi(nearness * np.float32(WEIGHT * TICK_S), _prices(starts))
        if again + 1 < PASSES:
            centres = _measured_again(regions, starts, voices, speaker, centres)
    return Course(starts, speaker, nearness)


def viterbi(scores: Floats, prices: Floats) -> Indices:
    """The path [ticks] of the highest sum of scores [ticks, speakers] less the price [ticks] of each change there."""
    ticks, speakers = scores.shape
    if speakers == 1:
        return np.zeros(ticks, np.int64)
    came_from = np.empty((ticks, speakers), np.int8)
    own = np.arange(speakers, dtype=np.int8)
    best = np.zeros(speakers, np.float32)
    for tick in range(ticks):
        first = int(best.argmax())
        changed = best[first] - prices[tick]
        stays = best >= changed
        came_from[tick] = np.where(stays, own, first)
        best = np.where(stays, best, changed) + scores[tick]
        best -= best.max()
    path = np.empty(ticks, np.int64)
    at = int(best.argmax())
    for tick in range(ticks - 1, -1, -1):
        path[tick] = at
        at = int(came_from[tick, at])
    return path


def _prices(starts: Indices) -> Floats:
    prices = np.full(starts[-1], CHANGE, np.float32)
    prices[starts[:-1]] = CHANGE / 2  # after a pause somebody else is likelier
    return prices


def _nearness(voices: Voices, centres: Floats) -> Floats:
    """[windows, speakers]"""
    parts = [
        np.asarray(voices.prints[at : at + _BLOCK], np.float32) @ centres.T
        for at in range(0, len(voices.prints), _BLOCK)
    ]
    return np.concatenate([*parts, np.zeros((0, len(centres)), np.float32)])


def _by_tick(regions: list[tuple[float, float]], starts: Indices, voices: Voices, nearness: Floats) -> Floats:
    found = np.empty((starts[-1], nearness.shape[1]), np.float32)
    edges = np.searchsorted(voices.regions, np.arange(len(regions) + 1))
    for number, (start_s, _) in enumerate(regions):
        mine = slice(edges[number], edges[number + 1])
        ticks = start_s + (np.arange(starts[number + 1] - starts[number]) + 0.5) * TICK_S
        for column, values in enumerate(nearness[mine].T):
            found[starts[number] : starts[number + 1], column] = np.interp(ticks, voices.middles_s[mine], values)
    return found


def _measured_again(
    regions: list[tuple[float, float]], starts: Indices, voices: Voices, speaker: Indices, centres: Floats
) -> Floats:
    """The mean voice of what each speaker was given."""
    begins = np.array([start for start, _ in regions])[voices.regions]
    tick = starts[voices.regions] + ((voices.middles_s - begins) / TICK_S).astype(np.int64)
    owner = speaker[np.minimum(tick, starts[voices.regions + 1] - 1)]
    sums = np.zeros(centres.shape, np.float64)
    for at in range(0, len(owner), _BLOCK):
        part = np.asarray(voices.prints[at : at + _BLOCK], np.float32)
        np.add.at(sums, owner[at : at + _BLOCK], part)
    found = unit(sums)
    return np.where(np.linalg.norm(sums, axis=1, keepdims=True) > 0, found, centres)
