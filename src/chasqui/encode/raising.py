"""Puts segments of a finished stream at other rungs, and leaves those where they are that it would cost a promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chasqui.codecs.opus import ladder
from chasqui.encode.course import Course
from chasqui.encode.voice import Part, Voice
from chasqui.metrics.targets import TARGETS, keeps
from chasqui.records import Plan

#: A raise goes to the first rung with so many times the bits: listening again costs more than a rung of 8 % is worth.
STEP = 1.4


def above(part: Part) -> str | None:
    """The rung to raise a segment to; None at the top."""
    dearer = (r.name for r in ladder(part.rung.application) if r.bitrate_bps >= STEP * part.rung.bitrate_bps)
    return next(dearer, None)


def moved(
    voice: Voice, courses: list[Course], parts: list[Part], wanted: Mapping[int, str], plan: Plan
) -> tuple[list[Part], frozenset[int]]:
    """(the parts, the segments that are at the wanted rung now).

    What lies before a segment moves its scores a little: a move that costs its segment or the one behind it the promise
    of the plan is undone, and if that does not mend it, all are.
    """
    if not wanted:
        return parts, frozenset()
    voice.offer(wanted, courses)
    after = voice.move(parts, wanted, courses)
    harmed = [index for index in range(len(parts)) if _lost(parts[index], after[index], plan)]
    back = {at: parts[at].rung.name for index in harmed for at in (index - 1, index) if at in wanted}
    if back:
        after = voice.move(after, back, courses)
        if any(_lost(old, new, plan) for old, new in zip(parts, after, strict=True)):
            back = {index: parts[index].rung.name for index in wanted}
            voice.move(after, {index: rung for index, rung in back.items() if after[index].rung.name != rung}, courses)
            after = parts
    stayed = frozenset(wanted.keys() - back.keys())
    return [replace(part, encodes=part.encodes + (i in wanted)) for i, part in enumerate(after)], stayed


def _lost(old: Part, new: Part, plan: Plan) -> bool:
    """Whether a segment kept the promise and does not any more."""
    if plan.promise is None or old is new:
        return False
    target, kind = TARGETS[plan.promise], old.segment.kind
    return keeps(target, kind, old.scores) and not keeps(target, kind, new.scores)
