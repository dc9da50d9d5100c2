"""Wall time of the whole of `chasqui pack` against one bare libopus encode of the same file, and where the time goes.

Every run is a process of its own on a fresh store, search included. The two take turns, and the median of each
counts, so that a busy moment hurts both alike. Processor time is given too: it is steadier on a shared machine.

python bench/speed.py [--media DIR] [--minutes 10] [--repeats 3]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import recordings, watch
from bench.table import MEDIA, Row, markdown, written

GOAL = 1.2
PLAIN = Path(__file__).with_name("plain.py")


def measure(media: Path, minutes: float = 10, repeats: int = 3) -> list[Row]:
    """One row for a clean lecture, one for a noisy one (where the folder has noises to mix)."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, has_noise = Path(scratch), recordings.has_noise(media)
        return [_row(media, folder, minutes, repeats, noise) for noise in (False, True)[: 1 + has_noise]]


def _row(media: Path, folder: Path, minutes: float, repeats: int, noise: bool) -> Row:
    name = "noisy" if noise else "clean"
    source = recordings.lecture(media, minutes, folder / f"{name}.flac", noise)
    bare: list[watch.Cost] = []
    whole: list[watch.Cost] = []
    for turn in range(repeats):
        bare.append(watch.run([sys.executable, str(PLAIN), str(source), str(folder / "plain.opus")]))
        whole.append(watch.pack(source, folder / f"{name}-{turn}"))
    wall, bare_wall = (statistics.median(cost.wall_s for cost in costs) for costs in (whole, bare))
    cpu, bare_cpu = (statistics.median(cost.cpu_s for cost in costs) for costs in (whole, bare))
    return {
        "recording": f"{minutes:g} min, {name}",
        "bare_s": round(bare_wall, 2),
        "pack_s": round(wall, 2),
        "ratio": round(wall / bare_wall, 2),
        "goal": GOAL,
        "cpu_ratio": round(cpu / bare_cpu, 2),
        "stages_s": stages(sorted(whole, key=lambda cost: cost.wall_s)[repeats // 2].said),
    }


def stages(said: list[tuple[float, dict[str, Any]]]) -> dict[str, float]:
    """Seconds from `started` to `finished` of each stage; `start-up` is what passed before the first one."""
    begun: dict[str, float] = {}
    took: dict[str, float] = {}
    for at, words in said:
        stage, kind = words.get("stage"), words.get("kind", words.get("event"))
        if stage == "pack":  # the whole
            continue
        if stage and kind == "started":
            took.setdefault("start-up", round(at, 2))
            begun[stage] = at
        elif stage in begun and kind == "finished":
            took[stage] = round(at - begun[stage], 2)
    return took


def shown(rows: list[Row]) -> str:
    """The rows as Markdown, the goal beside the ratio."""
    names = list(dict.fromkeys(stage for row in rows for stage in row["stages_s"]))
    columns = ["recording", "bare libopus, s", "pack, s", f"ratio (goal ≤ {GOAL:g})", "processor time, ratio", *names]
    return markdown(
        columns,
        [
            [row["recording"], row["bare_s"], row["pack_s"], row["ratio"], row["cpu_ratio"]]
            + [row["stages_s"].get(name, "") for name in names]
            for row in rows
        ],
    )


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--media", type=Path, default=MEDIA)
    ask.add_argument("--minutes", type=float, default=10)
    ask.add_argument("--repeats", type=int, default=3)
    args = ask.parse_args()
    rows = measure(args.media, args.minutes, args.repeats)
    print(shown(rows))
    written("speed", {"rows": rows})


if __name__ == "__main__":
    main()
