"""Bytes per hour, and how many segments reach each target: Chasqui, what others give, and the cheapest fixed Opus rate.

Every codec gets the same master and is scored against it, segment by segment (Chasqui's own segments of that
recording), from its decoded file, by the same metrics. Chasqui's files are decoded and scored here again, apart from
its certificate.

python bench/quality.py [--media DIR] [--quick] [--jobs 2]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from bench import recordings
from bench.baselines import BASELINES, Baseline, decode, fixed_opus, measure
from bench.packing import TARGETS, Packed, packed
from bench.scores import Kept, Yardstick
from bench.table import MEDIA, Row, markdown, written
from chasqui.metrics.threads import one_blas_thread

#: Fixed Opus rates tried first, and those between them, tried only where a promise turns from missed to kept. kb/s.
COARSE_KBPS = (6, 8, 12, 16, 20, 24, 32)
FINE_KBPS = (7, 9, 10, 11, 13, 14, 15, 18, 22, 28)
#: A fixed rate "keeps the promise" when this share of the speech segments is at the target.
SHARES = (0.95, 0.99)
GOALS_KBPS = {"understood": 8.0, "comfortable": 11.0}
GOAL_SHARE = 0.99
GOAL_RATIO = 0.65


class Outcome(NamedTuple):
    """One recording in one encoding."""

    size: int
    seconds: float
    kept: tuple[Kept, ...]  # one per segment, in order


Outcomes = dict[str, list[Outcome]]  # by encoding; in the order of the recordings


def measured(media: Path, quick: bool, jobs: int, folder: Path) -> Row:
    """All tables of this file, as plain data."""
    with ProcessPoolExecutor(jobs, get_context("spawn"), _one_thread) as pool:
        takes = recordings.takes(media, quick)
        places = [folder / str(index) for index in range(len(takes))]
        _say(f"packing {len(takes)} recordings at {len(TARGETS)} targets")
        lessons = list(pool.map(packed, takes, places))
        outcomes = _together(pool.map(_chasqui, lessons))
        _say("encoding and scoring the baselines")
        outcomes |= _tried(pool, lessons, BASELINES)
        _say("looking for the cheapest fixed Opus rates")
        outcomes |= _tried(pool, lessons, [fixed_opus(kbps) for kbps in COARSE_KBPS if _name(kbps) not in outcomes])
        outcomes |= _tried(pool, lessons, [fixed_opus(kbps) for kbps in between(lessons, outcomes)])
    speech = [index for index, lesson in enumerate(lessons) if lesson.kind == "speech"]
    music = [index for index, lesson in enumerate(lessons) if lesson.kind == "music"]
    return {
        "speech": _rows(lessons, outcomes, speech, "speech"),
        "music": _rows(lessons, outcomes, music, "music"),
        "fixed": _fixed(lessons, outcomes, speech),
        "verified": {target: _verified(lessons, speech, target) for target in TARGETS},
        "set": {kind: _facts(lessons, picked, kind) for kind, picked in (("speech", speech), ("music", music))},
    }


def _one_thread() -> None:
    """For workers: there is a process per core already, more threads would only fight."""
    one_blas_thread()


def _chasqui(lesson: Packed) -> dict[str, Outcome]:
    yardstick = Yardstick(lesson)
    found = {}
    for target, voice in lesson.voices.items():
        pcm = decode(voice.path.read_bytes(), yardstick.samples)
        found[f"Chasqui {target}"] = Outcome(voice.size, voice.seconds, yardstick.kept(pcm))
    return found


def _others(baselines: Iterable[Baseline], lesson: Packed) -> dict[str, Outcome]:
    yardstick = Yardstick(lesson)
    found = {}
    for baseline in baselines:
        made = measure(yardstick.master, baseline.setting(lesson.shape))
        found[baseline.name] = Outcome(made.size, made.seconds, yardstick.kept(made.pcm))
    return found


def _tried(pool: ProcessPoolExecutor, lessons: list[Packed], baselines: Iterable[Baseline]) -> Outcomes:
    names = [baseline.name for baseline in baselines]
    return _together(pool.map(partial(_by_name, names), lessons)) if names else {}


def _by_name(names: list[str], lesson: Packed) -> dict[str, Outcome]:
    """Baselines hold functions, which do not travel to another process; their names do."""
    known = {baseline.name: baseline for baseline in (*BASELINES, *map(fixed_opus, (*COARSE_KBPS, *FINE_KBPS)))}
    return _others([known[name] for name in names], lesson)


def _together(found: Iterable[dict[str, Outcome]]) -> Outcomes:
    outcomes: Outcomes = {}
    for one in found:
        for name, outcome in one.items():
            outcomes.setdefault(name, []).append(outcome)
    return outcomes


def _name(kbps: int) -> str:
    return fixed_opus(kbps).name


# --- the figures ------------------------------------------------------------------------------------------------------


def share(lessons: list[Packed], outcomes: list[Outcome], picked: list[int], kind: str, target: str) -> float | None:
    """Share of the segments of that kind, in the picked recordings, that are at the target. None: there are none."""
    at_target = [
        getattr(kept, target)
        for index in picked
        for segment, kept in zip(lessons[index].segments, outcomes[index].kept, strict=True)
        if segment.kind == kind
    ]
    return float(np.mean(at_target)) if at_target else None


def cheapest(shares: dict[int, float], wanted: float) -> int | None:
    """The lowest rate that keeps the promise for that share of the segments. None: none of them does.

    A low rate counts even if a higher one misses: 8 kb/s (narrowband) can beat 9 kb/s (the first wideband rate).
    """
    return min((kbps for kbps, found in shares.items() if found >= wanted), default=None)


def between(lessons: list[Packed], outcomes: Outcomes) -> list[int]:
    """Fine rates just below each coarse rate that keeps a promise."""
    wanted = set()
    for target in TARGETS:
        shares = _shares(lessons, outcomes, target)
        for share_wanted in SHARES:
            top = cheapest(shares, share_wanted)
            if top is not None and top > min(shares):
                below = max(kbps for kbps in shares if kbps < top)
                wanted |= {kbps for kbps in FINE_KBPS if below < kbps < top}
    return sorted(wanted)


def _shares(lessons: list[Packed], outcomes: Outcomes, target: str) -> dict[int, float]:
    speech = [index for index, lesson in enumerate(lessons) if lesson.kind == "speech"]
    tried = {kbps: outcomes[_name(kbps)] for kbps in (*COARSE_KBPS, *FINE_KBPS) if _name(kbps) in outcomes}
    return {kbps: share(lessons, found, speech, "speech", target) or 0.0 for kbps, found in tried.items()}


def _rows(lessons: list[Packed], outcomes: Outcomes, picked: list[int], kind: str) -> list[Row]:
    hows = {baseline.name: baseline.how for baseline in BASELINES}
    named = [name for name in outcomes if name in hows or name.startswith("Chasqui")]
    return [
        {
            "name": name,
            "how": hows.get(name, ""),
            "kbps": _kbps(lessons, outcomes[name], picked),
            "mb_per_hour": _round(_kbps(lessons, outcomes[name], picked), 3600 / 8000),
            "shares": {target: share(lessons, outcomes[name], picked, kind, target) for target in TARGETS},
            "seconds_per_hour": _seconds_per_hour(lessons, outcomes[name], picked),
        }
        for name in sorted(named, key=lambda name: name.startswith("Chasqui"))
    ]


def _fixed(lessons: list[Packed], outcomes: Outcomes, picked: list[int]) -> list[Row]:
    rows = []
    for target in TARGETS:
        ours = _kbps(lessons, outcomes[f"Chasqui {target}"], picked)
        shares = _shares(lessons, outcomes, target)
        for wanted in SHARES:
            kbps = cheapest(shares, wanted)
            theirs = _kbps(lessons, outcomes[_name(kbps)], picked) if kbps else None
            ratio = round(ours / theirs, 3) if ours and theirs else None
            rows.append({"target": target, "share": wanted, "fixed": kbps, "kbps": theirs, "ratio": ratio})
        rows[-1]["curve"] = {kbps: round(value, 4) for kbps, value in sorted(shares.items())}
    return rows


def _verified(lessons: list[Packed], picked: list[int], target: str) -> float | None:
    seconds = sum(lessons[index].duration_s for index in picked)
    kept = sum(lessons[index].voices[target].verified * lessons[index].duration_s for index in picked)
    return round(kept / seconds, 4) if seconds else None


def _kbps(lessons: list[Packed], outcomes: list[Outcome], picked: list[int]) -> float | None:
    """Mean over all seconds, container included."""
    seconds = sum(lessons[index].duration_s for index in picked)
    return round(sum(outcomes[index].size for index in picked) * 8 / 1000 / seconds, 2) if seconds else None


def _seconds_per_hour(lessons: list[Packed], outcomes: list[Outcome], picked: list[int]) -> float | None:
    seconds = sum(lessons[index].duration_s for index in picked)
    return round(sum(outcomes[index].seconds for index in picked) / seconds * 3600, 1) if seconds else None


def _round(value: float | None, factor: float) -> float | None:
    return round(value * factor, 2) if value is not None else None


def _facts(lessons: list[Packed], picked: list[int], kind: str) -> Row:
    return {
        "recordings": len(picked),
        "minutes": round(sum(lessons[index].duration_s for index in picked) / 60, 1),
        "segments": sum(segment.kind == kind for index in picked for segment in lessons[index].segments),
    }


# --- shown ------------------------------------------------------------------------------------------------------------


def shown(result: Row) -> str:
    """All tables as Markdown."""
    parts = []
    for kind in ("speech", "music"):
        facts = result["set"][kind]
        if facts["segments"]:
            parts.append("{0}: {recordings} recordings, {minutes} minutes, {segments} segments".format(kind, **facts))
            parts.append(_main_table(result[kind]))
    parts.append(
        "Cheapest fixed Opus rate (60 ms frames, long pages) that keeps the same promise, and Chasqui's bytes to its"
    )
    parts.append(_fixed_table(result["fixed"]))
    return "\n\n".join(parts)


def _main_table(rows: list[Row]) -> str:
    columns = ["", "MB per hour", "kb/s", *TARGETS, "s per hour of sound"]
    return markdown(
        columns,
        [
            [
                row["name"],
                row["mb_per_hour"],
                row["kbps"],
                *map(_percent, row["shares"].values()),
                row["seconds_per_hour"],
            ]
            for row in rows
        ],
    )


def _fixed_table(rows: list[Row]) -> str:
    columns = ["promise", "for", "fixed Opus", "its kb/s", f"ratio (goal ≤ {GOAL_RATIO})"]
    return markdown(
        columns,
        [[row["target"], _percent(row["share"]), _rate(row["fixed"]), row["kbps"], row["ratio"]] for row in rows],
    )


def _rate(kbps: int | None) -> str:
    return f"{kbps}k" if kbps else f"none up to {max(COARSE_KBPS)}k"


def _percent(value: float | None) -> str | None:
    return None if value is None else f"{value * 100:.1f} %"


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def measure_all(media: Path, quick: bool = False, jobs: int = 0) -> Row:
    """`measured` in a temporary folder, with one process per core."""
    with tempfile.TemporaryDirectory() as name:
        return measured(media, quick, jobs or os.cpu_count() or 1, Path(name))


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--media", type=Path, default=MEDIA)
    ask.add_argument("--quick", action="store_true", help="a fixed twelfth of the speech and two pieces of music")
    ask.add_argument("--jobs", type=int, default=0)
    args = ask.parse_args()
    result = measure_all(args.media, args.quick, args.jobs)
    print(shown(result))
    written("quality-quick" if args.quick else "quality", result)


if __name__ == "__main__":
    main()
