"""From outcomes per segment to figures per set of recordings: bytes, shares at target, the cheapest fixed rate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.baselines import BASELINES, fixed_opus
from bench.packing import TARGETS, Packed
from bench.recordings import Kind
from bench.scores import Kept
from bench.table import Row

#: Fixed Opus rates tried first, and those between them, tried only where a promise turns from missed to kept. kb/s.
COARSE_KBPS = (6, 8, 12, 16, 20, 24, 32)
FINE_KBPS = (7, 9, 10, 11, 13, 14, 15, 18, 22, 28)
#: A fixed rate "keeps the promise" when this share of the speech segments is at the target.
SHARES = (0.95, 0.99)
#: Each set of recordings, the kinds of takes in it, and whether its speech or its music segments count.
SPEECH_SETS: dict[str, tuple[Kind, ...]] = {
    "speech": ("speech",),
    "speech in noise": ("noisy",),
    "all speech": ("speech", "noisy"),
}
SETS: dict[str, tuple[Kind, ...]] = {**SPEECH_SETS, "music": ("music",)}


class Outcome(NamedTuple):
    """One recording in one encoding."""

    size: int
    seconds: float
    kept: tuple[Kept, ...]  # one per segment, in order


class Trial(NamedTuple):
    """One set of recordings, with the outcome of every encoding of each of them."""

    name: str
    lessons: list[Packed]
    outcomes: dict[str, list[Outcome]]  # by encoding; in the order of the lessons

    @property
    def seconds(self) -> float:
        return sum(lesson.duration_s for lesson in self.lessons)

    @property
    def counted(self) -> str:
        """The kind of segments that count."""
        return "music" if self.name == "music" else "speech"

    def kbps(self, encoding: str) -> float:
        """Mean over all seconds, container included."""
        return round(sum(outcome.size for outcome in self.outcomes[encoding]) * 8 / 1000 / self.seconds, 2)

    def seconds_per_hour(self, encoding: str) -> float:
        """Seconds of one thread that an hour of sound takes."""
        return round(sum(outcome.seconds for outcome in self.outcomes[encoding]) / self.seconds * 3600, 1)

    def share(self, encoding: str, target: str) -> float:
        """Share of the segments that count and are at the target."""
        at_target = [
            getattr(kept, target)
            for lesson, outcome in zip(self.lessons, self.outcomes[encoding], strict=True)
            for segment, kept in zip(lesson.segments, outcome.kept, strict=True)
            if segment.kind == self.counted
        ]
        return round(float(np.mean(at_target)), 4)

    def verified(self, target: str) -> float:
        """Share of seconds at the target as the certificates say."""
        kept = sum(lesson.voices[target].verified * lesson.duration_s for lesson in self.lessons)
        return round(kept / self.seconds, 4)

    def encodes(self, encoding: str) -> float | None:
        """Encodes per segment of one of Chasqui's rows, None of others."""
        voices = [
            lesson.voices[target] if encoding == ours(target) else lesson.searched[target]
            for lesson in self.lessons
            for target in TARGETS
            if encoding in (ours(target), searched(target))
        ]
        return round(sum(v.encodes for v in voices) / sum(v.segments for v in voices), 2) if voices else None

    def facts(self) -> Row:
        """How large the set is."""
        segments = sum(segment.kind == self.counted for lesson in self.lessons for segment in lesson.segments)
        return {"recordings": len(self.lessons), "minutes": round(self.seconds / 60, 1), "segments": segments}


def split(lessons: list[Packed], outcomes: dict[str, list[Outcome]]) -> list[Trial]:
    """One Trial per set that has recordings with segments that count, and is no other set over again."""
    trials: list[Trial] = []
    for name, kinds in SETS.items():
        picked = [index for index, lesson in enumerate(lessons) if lesson.take.kind in kinds]
        found = {key: [values[index] for index in picked] for key, values in outcomes.items()}
        trial = Trial(name, [lessons[index] for index in picked], found)
        if trial.facts()["segments"] and all(trial.lessons != other.lessons for other in trials):
            trials.append(trial)
    return trials


def name_of(kbps: int) -> str:
    """The row of that fixed Opus rate."""
    return fixed_opus(kbps).name


def curve(trial: Trial, target: str) -> dict[int, float]:
    """Share at the target by fixed rate, for the rates that were tried."""
    tried = [kbps for kbps in (*COARSE_KBPS, *FINE_KBPS) if name_of(kbps) in trial.outcomes]
    return {kbps: trial.share(name_of(kbps), target) for kbps in sorted(tried)}


def cheapest(shares: dict[int, float], wanted: float) -> int | None:
    """The lowest rate that keeps the promise for that share of the segments. None: none of them does.

    A low rate counts even if a higher one misses: 8 kb/s (narrowband) can beat 9 kb/s (the first wideband rate).
    """
    return min((kbps for kbps, found in shares.items() if found >= wanted), default=None)


def between(trials: list[Trial]) -> list[int]:
    """Fine rates just below each coarse rate that keeps a promise in a set."""
    wanted: set[int] = set()
    for trial in trials:
        for target in TARGETS if trial.counted == "speech" else ():
            shares = curve(trial, target)
            for top in {cheapest(shares, share) for share in SHARES} - {None, min(shares)}:
                below = max(kbps for kbps in shares if kbps < (top or 0))
                wanted |= {kbps for kbps in FINE_KBPS if below < kbps < (top or 0)}
    return sorted(wanted)


def rows(trial: Trial) -> list[Row]:
    """One row per baseline that was measured, then Chasqui's: for each target as it is packed, and by search."""
    hows = {baseline.name: baseline.how for baseline in BASELINES if baseline.name in trial.outcomes}
    return [
        {
            "name": name,
            "how": hows.get(name, ""),
            "kbps": trial.kbps(name),
            "mb_per_hour": round(trial.kbps(name) * 3600 / 8000, 2),
            "shares": {target: trial.share(name, target) for target in TARGETS},
            "seconds_per_hour": trial.seconds_per_hour(name),
            "encodes": trial.encodes(name),
        }
        for name in (*hows, *(row(target) for target in TARGETS for row in (ours, searched)))
    ]


def ours(target: str) -> str:
    """Chasqui's row for a target."""
    return f"Chasqui {target}"


def searched(target: str) -> str:
    """The row of the same target by search."""
    return f"Chasqui {target} (search)"


def fixed(trial: Trial) -> list[Row]:
    """Per target and share: the cheapest fixed Opus rate, and Chasqui's bytes to its."""
    found = []
    for target in TARGETS:
        shares = curve(trial, target)
        for wanted in SHARES:
            kbps = cheapest(shares, wanted)
            theirs = trial.kbps(name_of(kbps)) if kbps else None
            ratio = round(trial.kbps(ours(target)) / theirs, 3) if theirs else None
            found.append({"target": target, "share": wanted, "fixed": kbps, "kbps": theirs, "ratio": ratio})
        found[-1]["curve"] = shares
    return found
