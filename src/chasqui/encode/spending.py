"""A byte budget, exact: what was foretold is corrected by what the encodes weigh and score, then fitted again.

The finished stream holds only rungs that were encoded, so its bytes are counted, not expected.
"""

from __future__ import annotations

from dataclasses import replace

from chasqui.codecs.opus import RUNGS, ladder
from chasqui.encode.course import Course
from chasqui.encode.voice import Part, Voice
from chasqui.errors import BadConfig
from chasqui.metrics.targets import TARGETS, keeps
from chasqui.models import budget
from chasqui.models.budget import Offer, Point, Spread, TooSmall
from chasqui.records import Plan, Scores, TargetName

#: Corrections, at most. The first brings the bytes within some percent, the second within one; more are for short
#: lessons, where one segment is a large part.
ROUNDS = 5
#: A budget is used up when less than this share of it is left.
USED_UP = 0.01


class Spending:
    """Spends `room` bytes of payload on a voice."""

    def __init__(self, voice: Voice, courses: list[Course], plan: Plan, room: int) -> None:
        self._voice, self._courses, self._plan, self._room = voice, courses, plan, room
        self._asked: TargetName = plan.ceiling or plan.target
        self._seen: list[dict[str, Point]] = []

    def spent(self, parts: list[Part]) -> list[Part]:
        """The parts, moved to where the budget serves best, never above it.

        Raises:
            BadConfig: even the cheapest rung everywhere needs more.
        """
        self._seen = [{part.rung.name: Point(part.bytes, part.scores)} for part in parts]
        for _ in range(ROUNDS):
            if not self._try((hoped := self._hoped()).rungs) or self._enough(hoped):
                break
        for _ in range(ROUNDS):
            counted = self._counted()
            parts = self._moved(parts, counted.rungs)
            if missed := self._missed(parts, counted.promise):
                self._try(self._higher(missed))
            elif self._enough(hoped := self._hoped()) or not self._try(hoped.rungs):
                break
        return [self._judged(part, seen) for part, seen in zip(parts, self._seen, strict=True)]

    def _missed(self, parts: list[Part], promise: TargetName | None) -> list[int]:
        """Segments that miss a promise in the stream as it stands now.

        What lies before a segment moves its scores a little. The worst ever seen at a rung counts from then on, so that
        moves do not go round in circles.
        """
        for part, seen in zip(parts, self._seen, strict=True):
            before = seen[part.rung.name].scores
            seen[part.rung.name] = Point(part.bytes, _worse(before, part.scores))
        if promise is None:
            return []
        kinds = [course.segment.kind for course in self._courses]
        kept = [keeps(TARGETS[promise], kind, part.scores) for kind, part in zip(kinds, parts, strict=True)]
        return [index for index, one in enumerate(kept) if not one]

    def _higher(self, missed: list[int]) -> list[str]:
        """For those that miss: the rung that is hoped to do, else the dearest, whose miss shows that none does."""
        rungs = [next(iter(seen)) for seen in self._seen]
        hoped = self._hoped().rungs
        for index in missed:
            top = ladder(RUNGS[self._courses[index].first].application)[-1].name
            rungs[index] = hoped[index] if hoped[index] not in self._seen[index] else top
        return rungs

    def _hoped(self) -> Spread:
        """The best spread by what is known and what is still foretold."""
        offers = [self._offer(course, seen) for course, seen in zip(self._courses, self._seen, strict=True)]
        try:
            return budget.fit(offers, self._asked, self._room)
        except TooSmall as error:  # the cheapest everywhere, to see what it really weighs
            return budget.fit(offers, self._asked, error.bytes)

    def _counted(self) -> Spread:
        """The best spread of rungs that were encoded."""
        try:
            return budget.fit(self._measured(), self._asked, self._room)
        except TooSmall:
            self._try([_cheapest(course) for course in self._courses])
        try:
            return budget.fit(self._measured(), self._asked, self._room)
        except TooSmall as error:
            limit = self._plan.budget_bytes or 0
            needed = limit - self._room + error.bytes
            why = f"The budget of {limit} bytes is too small: the cheapest encode needs {needed} bytes."
            raise BadConfig(why=why) from error

    def _try(self, rungs: list[str]) -> bool:
        """Encode and score what was not yet; whether there was anything."""
        new = {index: rung for index, rung in enumerate(rungs) if rung not in self._seen[index]}
        for index, point in self._voice.offer(new, self._courses).items():
            self._seen[index][new[index]] = point
        return bool(new)

    def _enough(self, hoped: Spread) -> bool:
        """Whether what was encoded comes as far as was hoped and uses the budget up."""
        try:
            counted = budget.fit(self._measured(), self._asked, self._room)
        except TooSmall:
            return False
        full = counted.promise == self._asked or self._room - counted.bytes < USED_UP * self._room
        return full and counted.promise == hoped.promise

    def _measured(self) -> list[Offer]:
        return [
            Offer(course.segment.kind, course.segment.packets, seen)
            for course, seen in zip(self._courses, self._seen, strict=True)
        ]

    def _offer(self, course: Course, seen: dict[str, Point]) -> Offer:
        segment = course.segment
        if course.curve is not None:
            return budget.foretold(course.curve, seen, segment.packets, TARGETS[self._asked])
        return Offer(segment.kind, segment.packets, {**seen, **self._one_up(course, seen)})

    def _one_up(self, course: Course, seen: dict[str, Point]) -> dict[str, Point]:
        """For a segment that nobody foretold and that misses the promise: the next rung, taken to keep it."""
        promise = self._plan.promise
        kind, names = course.segment.kind, [rung.name for rung in ladder(RUNGS[course.first].application)]
        highest = max(seen, key=names.index)
        if promise is None or kind == "silence" or keeps(TARGETS[promise], kind, seen[highest].scores):
            return {}
        above = names[names.index(highest) + 1 :][:1]
        dearer = RUNGS[above[0]].bitrate_bps / RUNGS[highest].bitrate_bps if above else 0.0
        return {name: Point(round(seen[highest].bytes * dearer), Scores()) for name in above}

    def _moved(self, parts: list[Part], rungs: list[str]) -> list[Part]:
        other = {i: rung for i, (part, rung) in enumerate(zip(parts, rungs, strict=True)) if part.rung.name != rung}
        return self._voice.move(parts, other, self._courses) if other else parts

    def _judged(self, part: Part, seen: dict[str, Point]) -> Part:
        """A segment is out of reach only if its dearest rung was tried and misses too."""
        promise, kind = self._plan.promise, part.segment.kind
        top = seen.get(ladder(part.rung.application)[-1].name)
        lost = promise is not None and top is not None and not keeps(TARGETS[promise], kind, top.scores)
        return replace(part, encodes=len(seen), reachable=not lost)


def _worse(a: Scores, b: Scores) -> Scores:
    def least(x: float | None, y: float | None) -> float | None:
        return y if x is None else x if y is None else min(x, y)

    return b.model_copy(update={"estoi": least(a.estoi, b.estoi), "visqol": least(a.visqol, b.visqol)})


def _cheapest(course: Course) -> str:
    """The rung below which nothing is left; words in silence keep theirs."""
    return course.first if course.segment.kind == "silence" else ladder(RUNGS[course.first].application)[0].name
