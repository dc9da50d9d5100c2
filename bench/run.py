"""All measurements in one go: one table on the screen, bench/results/latest.md for the README, latest.json beside it.

python bench/run.py [--media DIR] [--quick] [--hours H] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import memory, quality, speed
from bench.table import MEDIA, RESULTS, Row, circumstances, written


def measured(media: Path, quick: bool, hours: float) -> Row:
    """Quality first, then speed, then memory: the last two want the machine for themselves."""
    return {
        "quality": quality.measured(media, quick),
        "speed": speed.measure(media, minutes=2 if quick else 10, repeats=1 if quick else 3),
        "memory": memory.measure(media, hours),
    }


def page(facts: Row) -> str:
    """The results as a Markdown page."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return (
        "\n\n".join(
            [
                f"Measured {facts['date']} on {facts['machine']}, Python {facts['python']}; "
                f"{versions}, FFmpeg {facts['ffmpeg']}.",
                "### Quality per byte",
                quality.shown(facts["quality"]),
                "### Time: the whole of `chasqui pack` against one bare libopus encode (complexity 10, one thread)",
                speed.shown(facts["speed"]),
                "### Peak memory",
                memory.shown(facts["memory"]),
            ]
        )
        + "\n"
    )


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--media", type=Path, default=MEDIA, help="folder of recordings (default: $CHASQUI_MEDIA)")
    ask.add_argument("--quick", action="store_true", help="a fixed small subset, for a first look in minutes")
    ask.add_argument("--hours", type=float, default=None, help="length of the long recording (default 1; quick 0.5)")
    ask.add_argument("--json", type=Path, help="where else to write the figures")
    args = ask.parse_args()
    started = time.monotonic()
    facts = circumstances()
    facts |= measured(args.media, args.quick, args.hours or (0.5 if args.quick else 1.0))
    facts["minutes_taken"] = round((time.monotonic() - started) / 60, 1)
    name = "quick" if args.quick else "latest"
    written(name, facts)
    text = page(facts)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    if args.json:
        args.json.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
