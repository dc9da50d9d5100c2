"""Peak memory of `chasqui pack` for ten minutes and for ten hours of real speech, each in a process of its own.

The long recording repeats a stretch of speech clips, as Ogg Opus (72 MB for ten hours). Packing ten hours takes
a while; `--hours 1` gives a first answer.

python bench/memory.py [--media DIR] [--hours 10]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import recordings, watch
from bench.table import MEDIA, Row, markdown, written

GOAL_RATIO = 1.2
GOAL_MIB = 500
SHORT_MINUTES = 10


def measure(media: Path, hours: float = 10, scratch: Path | None = None) -> list[Row]:
    """A row for the short recording and one for the long one. `scratch` needs about 0.4 GB per hour."""
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        folder = Path(name)
        # Longer than the short recording and no multiple of it, so that the long one is not the short one again.
        block = recordings.lecture(media, SHORT_MINUTES * 1.7, folder / "block.flac")
        rows: list[Row] = []
        for length in (SHORT_MINUTES / 60, hours):
            source = recordings.stretched(block, length, folder / f"{length:.2f}h.ogg")
            cost = watch.pack(source, folder / f"{length:.2f}h")
            mib = cost.peak_bytes / watch.MIB
            rows.append({"hours": round(length, 3), "peak_mib": round(mib, 1), "wall_s": round(cost.wall_s, 1)})
        for row in rows:
            row["ratio"] = round(row["peak_mib"] / rows[0]["peak_mib"], 3)
    return rows


def shown(rows: list[Row]) -> str:
    """The rows as Markdown, goals in the head."""
    columns = ["length", f"peak memory, MiB (goal < {GOAL_MIB})", f"ratio (goal ≤ {GOAL_RATIO})", "pack, s"]
    return markdown(columns, [[_length(row["hours"]), row["peak_mib"], row["ratio"], row["wall_s"]] for row in rows])


def _length(hours: float) -> str:
    return f"{hours:g} h" if hours >= 1 else f"{hours * 60:.0f} min"


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--media", type=Path, default=MEDIA)
    ask.add_argument("--hours", type=float, default=10)
    ask.add_argument("--scratch", type=Path, help="where the big files go (default: the system's temporary folder)")
    args = ask.parse_args()
    rows = measure(args.media, args.hours, args.scratch)
    print(shown(rows))
    written("memory", {"rows": rows})


if __name__ == "__main__":
    main()
