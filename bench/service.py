"""What the service costs over `chasqui pack` in a loop, and what a second worker brings.

The same recordings three ways, a few at a time in turns, so that a busy moment hurts all alike: packed one after the
other in one process; sent to a service with one worker process; sent to one with two. One thread each. Who has no
turn is stopped (SIGSTOP). Time runs from the first byte sent to the end of the last job, sending included. Processor
time is that of all processes of a side, while it has its turn; it says more than the clock on a busy machine.

python bench/service.py [--recordings 50] [--together 25] [--minutes 1] [--grown] [--media DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Protocol

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fire import Fire, Postgres, Rabbit, killed, until
from sqlalchemy import exists, select

from bench import recordings
from bench.table import MEDIA, RESULTS, Row, markdown, written
from chasqui.catalog import jobs
from chasqui.catalog.tables import Job

GOAL_COST, GOAL_TWO = 1.10, 1.8
TICKS = os.sysconf("SC_CLK_TCK")
#: The baseline: paths in, a line out for each that is packed.
LOOP = """
import sys
from chasqui import pack
for line in sys.stdin:
    (packed,) = pack([line.strip()], out=sys.argv[1] + "/out", store="file:" + sys.argv[1] + "/store")
    print("refused" if packed.error else "packed", flush=True)
"""


class Side(Protocol):
    """One of the ways."""

    name: str

    def turn(self, sound: list[Path]) -> None: ...
    def pids(self) -> list[int]: ...
    def close(self) -> None: ...


class Loop:
    """`pack` in a loop."""

    name = "pack in a loop"

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-c", LOOP, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"CHASQUI_THREADS": "1"},
            start_new_session=True,
        )
        self._said = iter(self._process.stdout or ())

    def turn(self, sound: list[Path]) -> None:
        for path in sound:
            print(path, file=self._process.stdin, flush=True)
            if (said := next(self._said).strip()) != "packed":
                raise RuntimeError(f"{path}: {said}")

    def pids(self) -> list[int]:
        return [self._process.pid]

    def close(self) -> None:
        self._process.communicate()  # the end of what it reads


class Served(Fire):
    """`chasqui serve --no-worker` and `chasqui worker`."""

    def __init__(self, folder: Path, media: Path, workers: int, grown: bool) -> None:
        folder.mkdir()
        folder.chmod(0o755)  # PostgreSQL runs as somebody else
        self._grown = (Rabbit(folder / "rabbit"), Postgres(folder / "postgres")) if grown else ()
        for part in self._grown:
            part.start()
        super().__init__(folder, media, *self._grown)
        self.name = f"service, {workers} worker{'s' if workers > 1 else ''}"
        self.start("--no-worker")
        self._worker = self.chasqui("worker", "--processes", str(workers), CHASQUI_THREADS="1")

    def turn(self, sound: list[Path]) -> None:
        for path in sound:
            self.send(path.name, path.read_bytes())
        self.settled()

    def settled(self) -> None:
        """Asked seldom and cheaply: whoever waits here has one of the two cores that are measured."""
        under_way = select(exists().where(Job.state.not_in(jobs.ENDS)))

        def over() -> bool:
            time.sleep(0.1)
            with self.catalog.reading() as db:
                return not db.scalar(under_way)

        until(over, "all jobs end")
        if bad := [state for state in self.states().values() if state != "done"]:
            raise RuntimeError(f"not done: {bad}")

    def pids(self) -> list[int]:
        return [int(pid) for pid in self.left()]  # without broker and database

    def close(self) -> None:
        killed(self._worker)
        super().close()
        for part in self._grown:
            part.kill()


def cpu_s(pids: list[int]) -> float:
    """Processor time of processes, and of those of their children that ended."""
    total = 0.0
    for pid in pids:
        with suppress(OSError):
            facts = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, facts[11:15])) / TICKS
    return total


def signalled(side: Side, number: int) -> None:
    for pid in side.pids():
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def measured(sides: list[Side], sound: list[Path], together: int) -> list[Row]:
    rows: list[Row] = [{"way": side.name, "clock_s": 0.0, "cpu_s": 0.0} for side in sides]
    for begin in range(0, len(sound), together):
        for number in range(len(sides)):
            number = (number + begin // together) % len(sides)
            side, row = sides[number], rows[number]
            signalled(side, signal.SIGCONT)
            clock, cpu = time.monotonic(), cpu_s(side.pids())
            side.turn(sound[begin : begin + together])
            row["clock_s"] += time.monotonic() - clock
            row["cpu_s"] += cpu_s(side.pids()) - cpu
            signalled(side, signal.SIGSTOP)
    for side in sides:
        signalled(side, signal.SIGCONT)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=50)
    parser.add_argument("--together", type=int, default=25, help="how many are sent or packed in one turn")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--grown", action="store_true", help="on a RabbitMQ and a PostgreSQL of its own")
    parser.add_argument("--media", type=Path, default=MEDIA)
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chasqui-service-") as place, ExitStack() as stack:
        folder = Path(place)
        folder.chmod(0o755)
        sound = [
            recordings.lecture(asked.media, asked.minutes + number / 1000, folder / f"clase-{number}.flac")
            for number in range(asked.recordings + 3)
        ]
        sides: list[Side] = [Loop(folder / "loop")]
        stack.callback(sides[0].close)
        for workers in (1, 2):
            sides.append(Served(folder / f"served-{workers}", asked.media, workers, asked.grown))
            stack.callback(sides[-1].close)
        for side in sides:  # what is imported once is imported now, in every process
            side.turn(sound[:1] if side is sides[0] else sound[:3])
            signalled(side, signal.SIGSTOP)
        rows = measured(sides, sound[3:], asked.together)
    for row in rows:
        row |= {name: round(row[name], 2) for name in ("clock_s", "cpu_s")}
    cost = {name: round(rows[1][name] / rows[0][name], 3) for name in ("clock_s", "cpu_s")}
    two = round(rows[1]["clock_s"] / rows[2]["clock_s"], 2)
    print(markdown(["way", "clock, s", "processor, s"], [list(row.values()) for row in rows]))
    print(f"service over loop: {cost['clock_s']} by the clock, {cost['cpu_s']} by the processor (goal {GOAL_COST})")
    print(f"two workers over one: {two} (goal {GOAL_TWO})")
    facts = {"recordings": asked.recordings, "minutes": asked.minutes, "grown": asked.grown}
    print(json.dumps(facts))
    written("service", {**facts, "rows": rows, "cost": cost, "two_workers": two}, asked.out)


if __name__ == "__main__":
    main()
