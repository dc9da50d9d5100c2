"""Captions that roll up: each repeats what the one before showed, as live captions and those of video sites do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from chasqui.captions import Cue

#: So many cues begin with what the one before ended with, and go on: a refrain repeats whole cues.
ROLLING, FEWEST = 0.3, 3
#: A repeated cue follows at once; across a pause it is said again.
AT_ONCE_S = 0.3


def unrolled(cues: Sequence[Cue]) -> list[Cue]:
    """Every line once, where it came first; the cues as they were, if they do not roll. Cues in order."""
    repeats = sum(0 < _repeated(before, cue) < len(cue.lines) for before, cue in pairwise(cues))
    if repeats < max(FEWEST, ROLLING * (len(cues) - 1)):
        return list(cues)
    found: list[Cue] = []
    before: Cue | None = None
    for cue in cues:
        new = cue.lines[_repeated(before, cue) if before else 0 :]
        if new:
            found.append(replace(cue, lines=new))
        elif found:  # nothing new, but what is there stays
            found[-1] = replace(found[-1], end_s=max(found[-1].end_s, cue.end_s))
        before = cue
    return found


def _repeated(before: Cue, cue: Cue) -> int:
    """How many lines a cue begins with that the one before ended with."""
    if cue.start_s - before.end_s > AT_ONCE_S:
        return 0
    most = min(len(before.lines), len(cue.lines))
    return next((n for n in range(most, 0, -1) if before.lines[-n:] == cue.lines[:n]), 0)
