"""What readers can follow, and which captions ask for more.

42 characters × 2 lines, at most 7 s and, where the speech allows, at least 1 s and 17 characters per second: the common
ground of the BBC's guidelines and Netflix's for Spanish (17 per second for adults; English 20).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chasqui.captions import Cue

Fault = Literal["lines", "columns", "long", "short", "fast", "overlap", "gap"]

#: Times are written in thousandths: differences below half of one are none.
EPSILON_S = 0.0006


@dataclass(frozen=True)
class Limits:
    """How much text, for how long."""

    columns: int = 42
    lines: int = 2
    letters_per_s: float = 17.0
    shortest_s: float = 1.0
    longest_s: float = 7.0
    gap_s: float = 0.08  # two pictures at 25 per second: without it the eye does not see that the text has changed

    @property
    def letters(self) -> int:
        """What a cue holds at most, the space between its lines not counted."""
        return self.columns * self.lines

    def reading_s(self, letters: int) -> float:
        """How long so many letters want to be seen."""
        return min(self.longest_s, max(self.shortest_s, letters / self.letters_per_s))


SPANISH = Limits()
ENGLISH = Limits(letters_per_s=20.0)


def limits_for(language: str | None) -> Limits:
    """The limits that are usual in a language."""
    return ENGLISH if language == "en" else SPANISH


def faults(cues: Sequence[Cue], limits: Limits = SPANISH) -> list[tuple[int, Fault]]:
    """Every limit that is broken, with the place of the cue.

    Somebody who speaks faster than one can read breaks "fast" and "short" however the text is cut; words are not left
    out for that. The others are never broken by cues of ours.
    """
    found: list[tuple[int, Fault]] = []
    for place, cue in enumerate(cues):
        checks: tuple[tuple[Fault, bool], ...] = (
            ("lines", len(cue.lines) > limits.lines),
            ("columns", any(len(line) > limits.columns for line in cue.lines)),
            ("long", cue.seconds > limits.longest_s + EPSILON_S),
            ("short", cue.seconds < limits.shortest_s - EPSILON_S),
            ("fast", len(cue.text) > limits.letters_per_s * (cue.seconds + EPSILON_S)),
        )
        found += [(place, name) for name, broken in checks if broken]
        if place and cue.start_s < cues[place - 1].end_s - EPSILON_S:
            found.append((place, "overlap"))
        elif place and cue.start_s - cues[place - 1].end_s < limits.gap_s - EPSILON_S:
            found.append((place, "gap"))
    return found
