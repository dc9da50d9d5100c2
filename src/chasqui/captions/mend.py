"""Puts cues right that somebody else made: order, times before the beginning, ends before starts, overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from chasqui.captions import Cue
from chasqui.captions.limits import SPANISH
from chasqui.captions.roll import unrolled

#: A cue whose end nobody knows, and that no other follows, stands as long as it takes to read.
READING = SPANISH


def mended(raw: Sequence[Cue]) -> tuple[list[Cue], list[str]]:
    """The cues in order, from 0 on, none over another, and what was done about it, in words."""
    notes: list[str] = []
    cues = [replace(cue, start_s=round(cue.start_s, 3), end_s=round(cue.end_s, 3)) for cue in raw]
    cues = _told(notes, "{count} cues without text were left out", cues, [cue for cue in cues if cue.lines])
    if any(after.start_s < before.start_s for before, after in pairwise(cues)):
        cues.sort(key=lambda cue: (cue.start_s, cue.end_s))
        notes.append("the cues were not in order and were sorted")
    here = [cue for cue in cues if cue.start_s >= 0 or cue.end_s > 0]
    cues = _told(notes, "{count} cues before the beginning were left out", cues, here)
    cues = _changed(notes, "{count} cues that began before the beginning begin with it", cues, _from_zero(cues))
    cues = _told(notes, "the captions roll: each line that was repeated stands once", cues, unrolled(cues))
    joined = _joined(cues)
    cues = _told(notes, "{count} cues with the same times were joined", cues, joined)
    cues = _changed(notes, "{count} cues that ended before they began got an end", cues, _with_ends(cues))
    cues = _changed(notes, "{count} cues that lay over the next one were shortened", cues, _apart(cues))
    return cues, notes


def _told(notes: list[str], text: str, before: list[Cue], after: list[Cue]) -> list[Cue]:
    if len(after) < len(before):
        notes.append(text.format(count=len(before) - len(after)))
    return after


def _changed(notes: list[str], text: str, before: list[Cue], after: list[Cue]) -> list[Cue]:
    count = sum(old != new for old, new in zip(before, after, strict=True))
    if count:
        notes.append(text.format(count=count))
    return after


def _from_zero(cues: list[Cue]) -> list[Cue]:
    return [replace(cue, start_s=max(0.0, cue.start_s)) for cue in cues]


def _joined(cues: list[Cue]) -> list[Cue]:
    """Two that begin together (two people, two positions on the screen) become one with all the lines."""
    found: list[Cue] = []
    for cue in cues:
        if found and cue.start_s == found[-1].start_s:
            last = found.pop()
            speaker = last.speaker if last.speaker == cue.speaker else None
            found.append(Cue(last.start_s, max(last.end_s, cue.end_s), last.lines + cue.lines, speaker))
        else:
            found.append(cue)
    return found


def _with_ends(cues: list[Cue]) -> list[Cue]:
    return [
        cue if cue.end_s > cue.start_s else replace(cue, end_s=round(cue.start_s + READING.reading_s(len(cue.text)), 3))
        for cue in cues
    ]


def _apart(cues: list[Cue]) -> list[Cue]:
    nexts = [cue.start_s for cue in cues[1:]] + [float("inf")]
    return [replace(cue, end_s=min(cue.end_s, after)) for cue, after in zip(cues, nexts, strict=False)]
