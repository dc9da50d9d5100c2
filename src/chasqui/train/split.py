"""Who is learnt from, who calibrates and who is held out: groups (speakers, noises, rooms), never clips.

Each group goes where its stratum (corpus and language), its language and the whole are furthest from their shares, the
largest groups first. The outcome depends on the groups and the seed alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Literal, NamedTuple

Part = Literal["fit", "calibrate", "test"]

#: Shares of the seconds. In this order small sets are filled: two speakers are one to fit and one to test.
SHARES: dict[Part, float] = {"fit": 0.6, "test": 0.2, "calibrate": 0.2}


class Member(NamedTuple):
    """A group as the split sees it."""

    group: str
    strata: tuple[str, ...]  # from narrow to wide, such as ("librispeech:en", "en", "speech")
    seconds: float


def assign(members: Iterable[Member], seed: int) -> dict[str, Part]:
    """The part of each group.

    Every part gets a group when there are three or more; with two there is no `calibrate`, with one only `fit`.
    """
    ordered = sorted(members, key=lambda member: (-_size(member.seconds), shuffled(seed, member.group)))
    totals, sizes = defaultdict[str, float](float), Counter[str]()
    for member in ordered:
        for stratum in member.strata:
            totals[stratum] += member.seconds
            sizes[stratum] += 1
    held: dict[tuple[str, Part], float] = defaultdict(float)
    found: dict[str, Part] = {}
    for place, member in enumerate(ordered):
        empty = [part for part in SHARES if part not in found.values()]
        # The last groups must fill what is still empty, however well the others would suit them.
        choice = empty if len(ordered) - place <= len(empty) else list(SHARES)
        # A stratum of one group cannot be shared out, and would only pull every such group into `fit`.
        shared = [stratum for stratum in member.strata if sizes[stratum] > 1]
        part = max(choice, key=lambda part: sum(_lack(stratum, part, totals, held) for stratum in shared))
        found[member.group] = part
        for stratum in member.strata:
            held[stratum, part] += member.seconds
    return dict(sorted(found.items()))


def shuffled(seed: int, name: str) -> str:
    """A key that puts names in an order of the seed's, wherever else they stand."""
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def _size(seconds: float) -> int:
    """Doublings of ten seconds: groups of about one size are shuffled among themselves."""
    return max(int(seconds // 10), 0).bit_length()


def _lack(stratum: str, part: Part, totals: dict[str, float], held: dict[tuple[str, Part], float]) -> float:
    """How far a part is below its share of a stratum, in shares."""
    return SHARES[part] - held[stratum, part] / max(totals[stratum], 1e-9)
