"""What making a dataset costs: × real time of all but recognition, two processes against one, memory, a second run.

Every ratio is of one run of this script. The baselines: the same recordings decoded and resampled to 48 kHz mono and
nothing else, in one process; one process against two; ten names against ten thousand; the first run against the second.
Each run is in a process of its own, with a store and a dataset of its own. Run it on a quiet machine.

python bench/dataset.py [--media DIR] [--minutes 60] [--names 10000] [--format parquet]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import recordings
from bench.table import MEDIA, Row, markdown

GOAL_TIMES = 60.0
GOAL_TWO = 1.8
GOAL_MEMORY = 1.1
GOAL_SECOND = 0.02
#: Minutes of each recording: a lesson is longer, a command of a data set is shorter.
PIECE_MINUTES = 2.0
MIB = 1 << 20


def measure(media: Path, minutes: float, names: int, rows_format: str, scratch: Path | None = None) -> dict[str, Row]:
    """By what was measured: `decoding`, `here`, `one`, `two`, `second`, `few`, `many`."""
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        folder = Path(name)
        source = folder / "in"
        source.mkdir()
        _pieces(media, minutes, source)
        found: dict[str, Row] = {"decoding": _decoding(source)}
        for workers in ("one", "two"):
            found[workers] = _made(source, folder / workers, rows_format, {"workers": 1 if workers == "one" else 2})
        found["here"] = _made(source, folder / "here", rows_format, {"workers": 0})
        found["second"] = _made(source, folder / "two", rows_format, {"workers": 2})
        for key, count in (("few", 10), ("many", names)):
            links = _links(next(source.glob("*.flac")), folder / key / "in", count)
            # Without the cache every name is opened and hashed by a worker, as if each were another recording.
            wish = {"workers": 2, "stages": ["ingest"], "cache": False}
            found[key] = _made(links, folder / key, rows_format, wish)
        return found


def _pieces(media: Path, minutes: float, folder: Path) -> None:
    """Recordings of PIECE_MINUTES each, all different: real speech, clip after clip."""
    pieces = max(round(minutes / PIECE_MINUTES), 2)
    whole = recordings.read(recordings.lecture(media, pieces * PIECE_MINUTES, folder.parent / "whole.flac"))
    length = round(PIECE_MINUTES * 60 * recordings.RATE_HZ)
    warm = folder.with_name("warm")
    warm.mkdir()
    recordings.written([whole[: 10 * recordings.RATE_HZ]], warm / "warm.flac")
    for number in range(pieces):
        recordings.written([whole[number * length : (number + 1) * length]], folder / f"{number:03}.flac")


def _links(recording: Path, folder: Path, count: int) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number:06}.flac").symlink_to(recording)
    return folder


def _made(source: Path, where: Path, rows_format: str, wish: dict[str, Any]) -> Row:
    """A run in a process of its own: seconds, sound, and the most memory of the parent and of any worker."""
    more = {"format": rows_format, "threads": 1, "skip_summary": True, **wish}
    line = [sys.executable, __file__, "--run", str(source), str(where), json.dumps(more)]
    return dict(json.loads(subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]))


class Here:
    """The work in this very process, by one thread: what each stage takes of a core, whoever else wants it."""

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = {}
        self._began: dict[str, float] = {}

    def __call__(self, tasks: Any, job: Any, listener: Any, wanted: Any) -> Any:
        from chasqui.run.chunk import run_chunk

        for task in tasks:
            yield from run_chunk([task], job, self._heard, wanted)

    def _heard(self, event: Any) -> None:
        if event.kind == "started":
            self._began[event.stage] = time.process_time()
        elif event.kind == "finished":
            took = time.process_time() - self._began[event.stage]
            self.cpu_s[event.stage] = self.cpu_s.get(event.stage, 0.0) + took


def _run(source: str, where: str, wish: str) -> None:
    from chasqui import dataset

    settings = json.loads(wish)
    here = Here() if settings["workers"] == 0 else None
    if here is not None:  # what is loaded with the first recording is no cost of the others
        where_warm = f"{where}/warm"
        dataset(
            Path(source).with_name("warm"), out=where_warm, store=f"file:{where_warm}.store", runner=here, **settings
        )
        here.cpu_s.clear()
    made = dataset(source, out=f"{where}/data", store=f"file:{where}/store", runner=here, **settings)
    own, workers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    told = {
        "wall_s": made.wall_s,
        "sound_s": made.duration_s,
        "worked_s": made.worked_s,
        "cpu_of": here.cpu_s if here else {},
        "cpu_s": own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime,
        "own_mib": own.ru_maxrss * 1024 / MIB,
        "worker_mib": workers.ru_maxrss * 1024 / MIB,
    }
    print(json.dumps(told))


def _decoding(source: Path) -> Row:
    from chasqui.media.source import blocks

    started, samples = time.process_time(), 0
    for path in sorted(source.iterdir()):
        samples += sum(block.shape[-1] for block in blocks(path, 0))
    return {"cpu_s": time.process_time() - started, "sound_s": samples / 48_000}


def shown(found: dict[str, Row]) -> str:
    """The ratios, goals in the head; then what each stage took."""
    one, two, second, few, many = (found[name] for name in ("one", "two", "second", "few", "many"))
    here, decoding = found["here"], found["decoding"]
    cpu_of = {name: took for name, took in here["cpu_of"].items() if name not in ("dataset", "transcribe")}
    times = here["sound_s"] / sum(cpu_of.values())
    lines = [
        ["× real time of one core, all stages but recognition", f"≥ {GOAL_TIMES:g}", f"{times:.1f}"],
        ["the same, processes started and rows written", "", f"{one['sound_s'] / one['cpu_s']:.1f}"],
        ["× real time of decoding alone (baseline)", "", f"{decoding['sound_s'] / decoding['cpu_s']:.0f}"],
        ["one process ÷ two, wall time", f"≥ {GOAL_TWO:g}", f"{one['wall_s'] / two['wall_s']:.2f}"],
        ["second run ÷ first, wall time", f"< {GOAL_SECOND:.0%}", f"{second['wall_s'] / two['wall_s']:.2%}"],
        ["memory of the parent, many names ÷ ten", f"≤ {GOAL_MEMORY:g}", f"{many['own_mib'] / few['own_mib']:.2f}"],
        ["memory of a worker, many names ÷ ten", f"≤ {GOAL_MEMORY:g}", f"{many['worker_mib'] / few['worker_mib']:.2f}"],
    ]
    stages = [[name, f"{took:.2f}", f"{here['sound_s'] / took:.0f}"] for name, took in cpu_of.items()]
    return (
        markdown(["measured", "goal", "found"], lines)
        + "\n"
        + markdown(["stage", "CPU s", "× real time"], sorted(stages, key=lambda line: -float(line[1])))
    )


def main() -> None:
    if sys.argv[1:2] == ["--run"]:
        return _run(*sys.argv[2:])
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--media", type=Path, default=MEDIA)
    ask.add_argument("--minutes", type=float, default=60)
    ask.add_argument("--names", type=int, default=10_000)
    ask.add_argument("--format", default="parquet", choices=("parquet", "sqlite", "jsonl"))
    ask.add_argument("--scratch", type=Path)
    ask.add_argument("--json", type=Path, help="also write the rows there")
    args = ask.parse_args()
    found = measure(args.media, args.minutes, args.names, args.format, args.scratch)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1))
    print(shown(found))
    return None


if __name__ == "__main__":
    main()
