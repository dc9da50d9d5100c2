"""kill -9 in the middle, again and again: which jobs, lessons and files survive, and how long it takes to go on.

Each time a recording of three seconds is sent to a service of our own, something is killed while it is worked on, and
all that must be true is looked at once every job has ended: one lesson for each recording, none lost, none twice, no
half file in the store or on its way in. Silence of 5 s counts as death here, 15 s by default.

On SQLite (the catalog and the queue are files): the broker and the database are killed with all that use them.
On RabbitMQ with PostgreSQL: a node and a cluster of our own are killed and begun again.

python bench/kill.py [--times 50] [--on sqlite rabbitmq] [--what child tree …] [--media DIR]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fire import Fire, Postgres, Rabbit

from bench.table import MEDIA, RESULTS, Row, markdown, written


def restarted(fire: Fire) -> None:
    """In the middle of an upload."""
    fire.kill_server()
    fire.start()


def asked(fire: Fire) -> None:
    """As an operator ends it: SIGTERM in the middle of a stage."""
    fire.working()
    fire.stop()
    fire.start()


#: What is killed; the second: while a file is on its way, not while it is worked on.
WHAT: dict[str, tuple[Callable[[Fire], None], bool]] = {
    "child": (Fire.kill_child, False),
    "tree": (Fire.kill_tree, False),
    "broker": (Fire.kill_broker, False),
    "database": (lambda fire: fire.kill_database() if fire.postgres else fire.kill_broker(), False),
    "upload": (restarted, True),
    "end": (asked, False),
}
NAMES = {
    "child": "worker process, in a stage",
    "tree": "whole worker, in a stage",
    "broker": "broker",
    "database": "database",
    "upload": "server, in an upload",
    "end": "asked to end, in a stage",
}


def killed(fire: Fire, what: str, times: int) -> Row:
    """So often the same."""
    kill, uploading = WHAT[what]
    took, faults = [], []
    before = set(fire.states())
    for _ in range(times):
        fire.ask(cut=(lambda: kill(fire)) if uploading else None)
        if not uploading:
            kill(fire)
        since = time.monotonic()
        try:
            fire.settled()
        except AssertionError as error:
            faults.append(f"{error}: {fire.states()}")
        took.append(time.monotonic() - since)
        faults += [fault for fault in fire.faults() if fault not in faults]
    states = {job: state for job, state in fire.states().items() if job not in before}
    return {
        "what": what,
        "times": times,
        "jobs": len(states),
        "done": sum(state == "done" for state in states.values()),
        "faults": faults,
        "median_s": round(statistics.median(took), 1),
        "longest_s": round(max(took), 1),
    }


def on(broker: str, whats: list[str], times: int, media: Path) -> list[Row]:
    """All of them on one kind of service."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="chasqui-fire-") as place, ExitStack() as stack:
        folder = Path(place)
        folder.chmod(0o755)  # PostgreSQL runs as somebody else
        rabbit = postgres = None
        if broker == "rabbitmq":
            rabbit, postgres = Rabbit(folder / "rabbit"), Postgres(folder / "postgres")
            stack.callback(rabbit.kill)
            stack.callback(postgres.kill)
            postgres.start()
            rabbit.start()
        fire = Fire(folder, media, rabbit, postgres)
        stack.callback(fire.close)
        fire.start()
        for what in whats:
            rows.append({"on": broker, **killed(fire, what, times)})
            print(table(rows[-1:]), *rows[-1]["faults"], sep="\n", flush=True)
    return rows


def table(rows: list[Row]) -> str:
    head = ["on", "killed", "times", "jobs", "done", "faults", "ended after, median s", "longest s"]
    said = ("times", "jobs", "done", "faults", "median_s", "longest_s")
    facts = [{**row, "faults": len(row["faults"])} for row in rows]
    return markdown(head, [[row["on"], NAMES[row["what"]], *(row[name] for name in said)] for row in facts])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--on", nargs="+", default=["sqlite", "rabbitmq"], choices=["sqlite", "rabbitmq"])
    parser.add_argument("--what", nargs="+", default=list(WHAT), choices=list(WHAT))
    parser.add_argument("--media", type=Path, default=MEDIA)
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    rows = [row for broker in asked.on for row in on(broker, asked.what, asked.times, asked.media)]
    print("\n" + table(rows))
    written("kill", {"rows": rows}, asked.out)
    sys.exit(any(row["faults"] for row in rows))


if __name__ == "__main__":
    main()
