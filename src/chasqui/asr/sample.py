"""Which stretches of speech to listen to again, when time allows only some.

Two thirds of the time are for a first listening, the rest to hear again what was changed because of it. Of the first
listening one half is drawn by lot, so that it speaks for everything that is not listened to; the other goes to what is
most at risk. The time is seconds of sound, not of the clock: the same recording gives the same outcome on every
machine.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from chasqui.asr.stretches import Stretch

#: Of the time: for listening once.
FIRST = 2 / 3


class Chosen(NamedTuple):
    """What to listen to, in the order of the recording."""

    stretches: list[Stretch]
    drawn: frozenset[Stretch]  # of them, by lot
    seconds: float


def sample(wanted: Sequence[Stretch], risk: Sequence[float], seconds: float, seed: str) -> Chosen:
    """Some of the stretches, or all where there is time for it. `risk`: of each, the least first."""
    time = seconds * FIRST
    if sum(stretch.seconds for stretch in wanted) <= time:
        return Chosen(list(wanted), frozenset(wanted), sum(stretch.seconds for stretch in wanted))
    lot = random.Random(seed).sample(range(len(wanted)), len(wanted))
    drawn, spent = _filled(wanted, lot, time / 2, least=1)
    rest = sorted((place for place in range(len(wanted)) if place not in drawn), key=lambda place: risk[place])
    risky, more = _filled(wanted, rest, time - spent)
    chosen = sorted(drawn | risky)
    return Chosen([wanted[place] for place in chosen], frozenset(wanted[place] for place in drawn), spent + more)


def _filled(wanted: Sequence[Stretch], order: Sequence[int], room_s: float, least: int = 0) -> tuple[set[int], float]:
    """Places in this order while there is room. One that does not fit ends it: skipping it would favour short ones."""
    taken: set[int] = set()
    spent = 0.0
    for place in order:
        if spent + wanted[place].seconds > room_s and len(taken) >= least:
            break
        taken.add(place)
        spent += wanted[place].seconds
    return taken, spent
