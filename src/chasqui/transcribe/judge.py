"""Whether captions belong to a sound, and where in it each of them stands; what does not belong is counted and dropped.

Captions that are right as they stand, or moved or stretched as a whole, stand out clearly (`align.py`). Stretches of
them that lie elsewhere (a break that was cut out of the recording) are looked for by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from chasqui.captions import Cue
from chasqui.errors import CaptionsMisfit
from chasqui.transcribe.align import EDGE_S, FRAME_S, Fit, Floats, edges_of, fit, fit_offset
from chasqui.transcribe.spread import VOICE

#: With fewer cues, or pauses to compare them with, something looks good too often (of ten cues of other recordings in a
#: quarter of the cases): they are believed where they are, if somebody speaks there.
ENOUGH = 25
#: Somebody speaks in less than this part of a cue: it stands over silence or music.
SPOKEN, SLACK_S = 0.15, 0.3
#: Less of the letters than this in places where somebody speaks, and the captions are of something else.
BELONGS = 0.5
#: Cues that are judged together, and the part of the usual evidence below which they lie elsewhere.
TOGETHER, ELSEWHERE, FEWEST = 21, 0.25, 15
#: Without so many seconds of speech there is nothing that captions could be of.
SPEECH_S = 1.0


@dataclass(frozen=True)
class Placed:
    """Cues in the time of the sound, where each came from, and what was left out."""

    cues: tuple[Cue, ...]
    origin: tuple[int, ...]  # place of each among the cues that were brought
    fit: Fit
    checked: bool  # False: too few to tell whether they fit; they stand as they came
    dropped: Counter[str]  # cues, by sign: outside, silence, elsewhere


def placed(cues: Sequence[Cue], speech: NDArray[np.floating], duration_s: float, name: str) -> Placed:
    """Where captions stand in a sound. `speech`: its probability per `FRAME_S`, 0–1.

    Raises:
        CaptionsMisfit: they are not of this sound.
    """
    if float((speech > VOICE).sum()) * FRAME_S < SPEECH_S:
        raise CaptionsMisfit(name=name, why="nobody speaks in this recording")
    found = _whole_or_half(cues, speech)
    telling = min(len(cues), _breaths(speech))
    checked = found.margin >= 0 and telling >= ENOUGH
    if not checked and telling >= ENOUGH:
        raise CaptionsMisfit(name=name, why="their beginnings agree nowhere with those of the voice")
    if not checked:
        found = Fit(0.0, 1.0, found.certainty)
    moved, dropped = _moved(cues, found, speech, checked)
    return kept(cues, moved, dropped, found, checked, speech, duration_s, name)


def _whole_or_half(cues: Sequence[Cue], speech: NDArray[np.floating]) -> Fit:
    """The fit of all, or of a half, where a piece that was cut out of the recording keeps all from fitting."""
    found, half = fit(cues, speech), len(cues) // 2
    halves = (fit(cues[:half], speech), fit(cues[half:], speech)) if found.margin < 0 and half >= ENOUGH else ()
    best: Fit = max((found, *halves), key=lambda each: each.margin)
    return best


def kept(
    cues: Sequence[Cue],
    moved: Sequence[tuple[int, Cue]],
    dropped: Counter[str],
    found: Fit,
    checked: bool,
    speech: NDArray[np.floating],
    duration_s: float,
    name: str,
) -> Placed:
    """Those of the moved cues with somebody speaking at their place.

    Raises:
        CaptionsMisfit: that is less than half of the text.
    """
    total = np.concatenate([[0.0], np.cumsum(speech > VOICE)])
    left: list[tuple[int, Cue]] = []
    for place, cue in moved:
        end_s = min(cue.end_s, duration_s)
        if cue.end_s <= 0 or cue.start_s >= duration_s or end_s <= cue.start_s:
            dropped["outside"] += 1
            continue
        cue = replace(cue, start_s=round(max(cue.start_s, 0.0), 3), end_s=round(end_s, 3))
        if _spoken(cue, total) < SPOKEN:
            dropped["silence"] += 1
            continue
        left.append((place, cue))
    share = sum(len(cue.text) for _, cue in left) / max(sum(len(cue.text) for cue in cues), 1)
    if share < BELONGS:
        why = f"only {100 * share:.0f} % of their text stands where somebody speaks"
        raise CaptionsMisfit(name=name, why=why)
    places, cues_left = zip(*left, strict=True)
    return Placed(cues_left, places, found, checked, dropped)


def _spoken(cue: Cue, total: Floats) -> float:
    """The part of a cue in which somebody speaks."""
    first = min(max(int((cue.start_s - SLACK_S) / FRAME_S), 0), len(total) - 1)
    last = min(int(np.ceil((cue.end_s + SLACK_S) / FRAME_S)), len(total) - 1)
    return float((total[last] - total[first]) * FRAME_S / max(cue.seconds, FRAME_S))


def _breaths(speech: NDArray[np.floating]) -> int:
    """How often a voice sets in after a pause that can be told from the closure of a p."""
    spoken = speech > VOICE
    starts = np.flatnonzero(~spoken[:-1] & spoken[1:])
    ends = np.flatnonzero(spoken[:-1] & ~spoken[1:])
    if not len(starts) or not len(ends):
        return len(starts)
    before = ends[np.maximum(np.searchsorted(ends, starts) - 1, 0)]
    return int(((starts - before) * FRAME_S > EDGE_S / 3).sum())


def _moved(
    cues: Sequence[Cue], found: Fit, speech: NDArray[np.floating], checked: bool
) -> tuple[list[tuple[int, Cue]], Counter[str]]:
    """The cues at their places; those that lie elsewhere by a fit of their own, or dropped."""
    dropped: Counter[str] = Counter()
    fits: list[Fit | None] = [found] * len(cues)
    for first, last in _elsewhere(cues, found, speech) if checked else ():
        own = fit_offset(cues[first:last], speech, found.rate)
        first, last = _borders(_evidence(cues, own, speech) - _evidence(cues, found, speech), first, last)
        good = own.margin >= 0 and _between(cues, first, last, own, found)
        fits[first:last] = [own if good else None] * (last - first)
        dropped["elsewhere"] += 0 if good else last - first
    moved = [
        (place, replace(cue, start_s=by.at(cue.start_s), end_s=by.at(cue.end_s)))
        for place, (cue, by) in enumerate(zip(cues, fits, strict=True))
        if by is not None
    ]
    return moved, +dropped


def _elsewhere(cues: Sequence[Cue], found: Fit, speech: NDArray[np.floating]) -> Iterator[tuple[int, int]]:
    """Runs of cues that begin where no voice sets in, though the others do."""
    if len(cues) < 2 * TOGETHER:
        return
    evidence = _evidence(cues, found, speech)
    inside = evidence != 0.0
    around = np.convolve(np.pad(evidence, TOGETHER // 2, mode="reflect"), np.ones(TOGETHER) / TOGETHER, "valid")
    lost = around < ELSEWHERE * float(np.median(around[inside])) if inside.any() else ~inside
    changes = np.flatnonzero(np.diff(np.concatenate([[False], lost, [False]])))
    for first, last in changes.reshape(-1, 2):
        if last - first >= FEWEST and inside[first:last].any():
            yield int(first), int(last)


def _evidence(cues: Sequence[Cue], found: Fit, speech: NDArray[np.floating]) -> Floats:
    """How surely a voice sets in where each cue begins; 0 outside the sound."""
    edges = edges_of(np.asarray(speech, np.float64), round(EDGE_S / FRAME_S))
    at = np.array([round(found.at(cue.start_s) / FRAME_S) for cue in cues])
    inside = (at >= 0) & (at < len(edges))
    return np.asarray(np.where(inside, edges[np.clip(at, 0, len(edges) - 1)], 0.0))


def _borders(gain: Floats, first: int, last: int) -> tuple[int, int]:
    """A run, from and to where its own fit is the better one: means over many cues are vague about that."""
    middle = (first + last) // 2
    low, high = max(first - TOGETHER, 0), min(last + TOGETHER, len(gain))
    before = np.cumsum(gain[low : middle + 1][::-1])[::-1]
    behind = np.cumsum(gain[middle:high])
    return low + int(np.argmax(before)), middle + 1 + int(np.argmax(behind))


def _between(cues: Sequence[Cue], first: int, last: int, own: Fit, found: Fit) -> bool:
    """Whether a run that was moved still comes after the cues before it and before those behind it."""
    after_s = found.at(cues[first - 1].start_s) if first else -np.inf
    until_s = found.at(cues[last].end_s) if last < len(cues) else np.inf
    return after_s <= own.at(cues[first].start_s) and own.at(cues[last - 1].end_s) <= until_s
