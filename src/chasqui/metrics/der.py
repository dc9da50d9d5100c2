"""Diarization error rate: how much of the speech is given to the wrong speaker, to nobody, or invented.

NIST RT-09 (md-eval): (missed + false alarm + confusion) ÷ speech of the reference, each speaker counted on their own
where several speak; the names of the hypothesis are matched with those of the reference one to one so that most is
right. Tests hold it against pyannote.metrics.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

#: (start, end, speaker), seconds.
Spoken = tuple[float, float, str]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Errors:
    """Seconds, each speaker counted on their own."""

    speech_s: float  # of the reference
    missed_s: float
    false_s: float
    confused_s: float

    @property
    def rate(self) -> float:
        """The diarization error rate: 0 is perfect, above 1 possible. Nobody spoke: 0 if nobody was heard, else 1."""
        wrong = self.missed_s + self.false_s + self.confused_s
        return wrong / self.speech_s if self.speech_s else float(wrong > 0)

    def __add__(self, other: Errors) -> Errors:
        return Errors(
            self.speech_s + other.speech_s,
            self.missed_s + other.missed_s,
            self.false_s + other.false_s,
            self.confused_s + other.confused_s,
        )


def errors(
    reference: Iterable[Spoken],
    hypothesis: Iterable[Spoken],
    *,
    collar_s: float = 0.0,
    skip_overlap: bool = False,
    until_s: float | None = None,
) -> Errors:
    """What of the reference is missed, invented or given to somebody else.

    Args:
        collar_s: nothing is judged within so many seconds of either side of each end of a turn of the reference (NIST
            forgave 0.25; today 0 is usual).
        skip_overlap: judge only where at most one speaker of the reference talks.
        until_s: judge no further, for references that end before the recording.
    """
    true, found = _clean(reference, until_s), _clean(hypothesis, until_s)
    edges = {edge for start, end, _ in (*true, *found) for edge in (start, end)}
    zones = [(edge - collar_s, edge + collar_s) for turn in true for edge in turn[:2]] if collar_s else []
    edges |= {edge for zone in zones for edge in zone}
    if until_s is not None:
        edges.add(until_s)
    grid = np.array(sorted(edges or {0.0}), np.float64)
    seconds, middles = np.diff(grid), (grid[1:] + grid[:-1]) / 2
    judged = middles < (np.inf if until_s is None else until_s)
    for start, end in zones:
        judged &= (middles < start) | (middles > end)
    ours, theirs = _activity(true, middles), _activity(found, middles)
    if skip_overlap:
        judged &= ours.sum(axis=0) <= 1
    return _count(ours, theirs, seconds * judged)


def matches(reference: Iterable[Spoken], hypothesis: Iterable[Spoken]) -> dict[str, str]:
    """Which name of the hypothesis is which speaker of the reference."""
    true, found = _clean(reference, None), _clean(hypothesis, None)
    grid = np.array(sorted({edge for turn in (*true, *found) for edge in turn[:2]} or {0.0}), np.float64)
    middles = (grid[1:] + grid[:-1]) / 2
    ours, theirs = _activity(true, middles), _activity(found, middles)
    rows, columns = _matched(ours, theirs, np.diff(grid))
    return {_names(found)[column]: _names(true)[row] for row, column in zip(rows, columns, strict=True)}


def _count(ours: Flags, theirs: Flags, seconds: Floats) -> Errors:
    spoken, heard = ours.sum(axis=0), theirs.sum(axis=0)
    rows, columns = _matched(ours, theirs, seconds)
    right = (ours[rows] & theirs[columns]).sum(axis=0)
    return Errors(
        float(spoken @ seconds),
        float(np.maximum(spoken - heard, 0) @ seconds),
        float(np.maximum(heard - spoken, 0) @ seconds),
        float((np.minimum(spoken, heard) - right) @ seconds),
    )


def _matched(ours: Flags, theirs: Flags, seconds: Floats) -> tuple[Sequence[int], Sequence[int]]:
    together = (ours * seconds) @ theirs.T.astype(np.float64)
    rows, columns = linear_sum_assignment(together, maximize=True)
    kept = together[rows, columns] > 0
    return rows[kept].tolist(), columns[kept].tolist()


def _clean(turns: Iterable[Spoken], until_s: float | None) -> list[Spoken]:
    limit = np.inf if until_s is None else until_s
    return [(start, min(end, limit), name) for start, end, name in turns if min(end, limit) > start]


def _names(turns: Sequence[Spoken]) -> list[str]:
    return sorted({name for _, _, name in turns})


def _activity(turns: Sequence[Spoken], middles: Floats) -> Flags:
    """[speakers, pieces]: who speaks in which piece; a speaker whose turns overlap counts once."""
    names = _names(turns)
    active = np.zeros((len(names), len(middles)), np.bool_)
    for start, end, name in turns:
        active[names.index(name)] |= (middles > start) & (middles < end)
    return active
