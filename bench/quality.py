"""Bytes per hour, and how many segments reach each target: Chasqui, what others give, and the cheapest fixed Opus rate.

Every codec gets the same master and is scored against it, segment by segment (Chasqui's own segments of that
recording), from its decoded file, by the same metrics. Chasqui's files are decoded and scored here again, apart from
its certificate.

python bench/quality.py [--media DIR] [--quick] [--ours] [--jobs 2]
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

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import recordings
from bench.baselines import BASELINES, decode, fixed_opus, measure
from bench.figures import (
    COARSE_KBPS,
    FINE_KBPS,
    Outcome,
    between,
    fixed,
    name_of,
    ours,
    rows,
    searched,
    split,
)
from bench.packing import TARGETS, Packed, packed
from bench.scores import Yardstick
from bench.table import MEDIA, Row, markdown, written
from chasqui.metrics.threads import one_blas_thread

GOALS_KBPS = {"understood": 8.0, "comfortable": 11.0}
GOAL_SHARE = 0.99
GOAL_RATIO = 0.65


def measured(media: Path, quick: bool = False, jobs: int = 0, others: bool = True) -> Row:
    """All figures, as plain data. One process per core unless `jobs` says otherwise; without `others` only our own."""
    takes = recordings.takes(media, quick)
    with (
        tempfile.TemporaryDirectory() as scratch,
        ProcessPoolExecutor(jobs or os.cpu_count(), get_context("spawn"), _one_thread) as pool,
    ):
        _say(f"packing {len(takes)} recordings at {len(TARGETS)} targets")
        lessons = list(pool.map(packed, takes, [Path(scratch) / str(index) for index in range(len(takes))]))
        outcomes = _together(pool.map(_chasqui, lessons))
        if others:
            outcomes |= _baselines(pool, lessons, outcomes)
    return {
        trial.name: {
            **trial.facts(),
            "rows": rows(trial),
            "fixed": fixed(trial) if others and trial.counted == "speech" else [],
            "verified": {target: trial.verified(target) for target in TARGETS},
        }
        for trial in split(lessons, outcomes)
    }


def _baselines(
    pool: ProcessPoolExecutor, lessons: list[Packed], ours: dict[str, list[Outcome]]
) -> dict[str, list[Outcome]]:
    _say("encoding and scoring the baselines")
    outcomes = _tried(pool, lessons, [baseline.name for baseline in BASELINES])
    _say("looking for the cheapest fixed Opus rates")
    outcomes |= _tried(pool, lessons, [name for name in map(name_of, COARSE_KBPS) if name not in outcomes])
    return outcomes | _tried(pool, lessons, [name_of(kbps) for kbps in between(split(lessons, ours | outcomes))])


def _one_thread() -> None:
    """For workers: there is a process per core already, more threads would only fight."""
    one_blas_thread()


def _chasqui(lesson: Packed) -> dict[str, Outcome]:
    yardstick = Yardstick(lesson)
    found = {}
    for target in TARGETS:
        for name, voice in ((ours(target), lesson.voices[target]), (searched(target), lesson.searched[target])):
            pcm = decode(voice.path.read_bytes(), yardstick.samples)
            found[name] = Outcome(voice.size, voice.seconds, yardstick.kept(pcm))
    return found


def _others(names: list[str], lesson: Packed) -> dict[str, Outcome]:
    """By name, because baselines hold functions, and those do not travel to another process."""
    known = {baseline.name: baseline for baseline in (*BASELINES, *map(fixed_opus, (*COARSE_KBPS, *FINE_KBPS)))}
    yardstick = Yardstick(lesson)
    found = {}
    for name in names:
        made = measure(yardstick.master, known[name].setting(lesson.shape))
        found[name] = Outcome(made.size, made.seconds, yardstick.kept(made.pcm))
    return found


def _tried(pool: ProcessPoolExecutor, lessons: list[Packed], names: list[str]) -> dict[str, list[Outcome]]:
    return _together(pool.map(partial(_others, names), lessons)) if names else {}


def _together(found: Iterable[dict[str, Outcome]]) -> dict[str, list[Outcome]]:
    outcomes: dict[str, list[Outcome]] = {}
    for one in found:
        for name, outcome in one.items():
            outcomes.setdefault(name, []).append(outcome)
    return outcomes


# --- shown ------------------------------------------------------------------------------------------------------------


def shown(result: Row) -> str:
    """All tables as Markdown."""
    parts = []
    for name, facts in result.items():
        head = "**{0}**: {recordings} recordings, {minutes} minutes, {segments} segments"
        parts += [head.format(name, **facts), _main_table(facts["rows"])]
    if any(facts["fixed"] for facts in result.values()):
        head = "The cheapest fixed Opus rate that keeps the same promise, and Chasqui's bytes divided by its bytes:"
        parts += [head, _fixed_table(result)]
    parts.append(_goals(result))
    return "\n\n".join(parts)


def _main_table(found: list[Row]) -> str:
    columns = ["", "MB per hour", "kb/s", *TARGETS, "s per hour of sound", "encodes per segment"]
    return markdown(
        columns,
        [
            [
                row["name"],
                row["mb_per_hour"],
                row["kbps"],
                *map(_percent, row["shares"].values()),
                row["seconds_per_hour"],
                row["encodes"] or "–",
            ]
            for row in found
        ],
    )


def _fixed_table(result: Row) -> str:
    columns = ["", "promise", "kept for", "fixed Opus", "its kb/s", f"ratio (goal ≤ {GOAL_RATIO})"]
    return markdown(
        columns,
        [
            [name, row["target"], _percent(row["share"]), _rate(row["fixed"]), row["kbps"], row["ratio"]]
            for name, facts in result.items()
            for row in facts["fixed"]
        ],
    )


def _goals(result: Row) -> str:
    """What was hoped for, and what was found."""
    lines = []
    for name, facts in result.items():
        rates = {row["name"]: row["kbps"] for row in facts["rows"]}
        for target, goal in GOALS_KBPS.items() if name != "music" else ():
            lines.append(f"- {name}, `{target}`: {rates[ours(target)]} kb/s (goal ≤ {goal:g})")
        shares = ", ".join(f"`{target}` {value * 100:.2f} %" for target, value in facts["verified"].items())
        lines.append(f"- {name}, share of seconds at target by certificate (goal ≥ {GOAL_SHARE * 100:g} %): {shares}")
    return "\n".join(lines)


def _rate(kbps: int | None) -> str:
    return f"{kbps}k" if kbps else f"none up to {max(COARSE_KBPS)}k"


def _percent(value: float) -> str:
    return f"{value * 100:.1f} %"


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--media", type=Path, default=MEDIA)
    ask.add_argument("--quick", action="store_true", help="a fixed small part of each set")
    ask.add_argument("--ours", action="store_true", help="Chasqui only: leave out the codecs it is compared with")
    ask.add_argument("--jobs", type=int, default=0)
    args = ask.parse_args()
    result = measured(args.media, args.quick, args.jobs, others=not args.ours)
    print(shown(result))
    name = "quality-ours" if args.ours else "quality-quick" if args.quick else "quality"
    written(name, {"quality": result})


if __name__ == "__main__":
    main()
