"""The service under load: many uploads over links that are cut, and reads while workers encode.

    python bench/load.py uploads --files 200 --bytes 5000000 --out bench/results/load-uploads.json
    python bench/load.py reads --per-second 100 --seconds 60 --out bench/results/load-reads.json

Needs `pip install "chasqui[serve]"`. Starts its own `chasqui serve` in a folder that it throws away; --env NAME=VALUE
(repeated) leads it to other databases, brokers and stores. The uploads go through a proxy that cuts every connection
after a random number of bytes. Memory is the peak resident size of the server's process (VmHWM of Linux).
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
from clips import SPEECH, excerpt
from cuts import Cuts
from serving import Browser, Serving
from sounds import write

from chasqui.client import Client
from chasqui.errors import ChasquiError

SCOPES = ("uploads.write", "jobs.read", "jobs.write", "lessons.read", "units.read", "channels.read", "school.read")
#: One person may have a hundred uploads under way: more people upload more.
EACH = 50
#: Goals of the issue.
MOST_MIB, MOST_P99_MS = 400.0, 50.0
#: What a page of the school asks for: most is looking at lists and one lesson.
READS = ("lessons", "lessons/{lesson}", "jobs", "jobs/{job}", "units", "school", "lessons?text=cla", "health/live")


@contextmanager
def service(env: list[str], worker: bool) -> Any:
    """A service that is thrown away, and tokens of people who may upload."""
    with tempfile.TemporaryDirectory(prefix="chasqui-load-") as folder:
        serving = Serving(Path(folder) / "data", dict(one.split("=", 1) for one in env), worker)
        administrator = Browser(serving.url)
        administrator.accept(serving.first_link, "Rosa", "rosa@example.pe")
        try:
            yield serving, administrator, Path(folder)
        finally:
            serving.end()


def creators(serving: Serving, administrator: Browser, count: int) -> list[str]:
    """Tokens of so many people."""
    tokens = []
    for number in range(count):
        creator = Browser(serving.url)
        creator.accept(administrator.invite("creator"), f"Creator {number}", f"creator{number}@example.pe")
        tokens.append(creator.token(*SCOPES))
    return tokens


def uploads(args: argparse.Namespace) -> dict[str, Any]:
    """All at once, over links that carry a random part of a file before they are cut."""
    chance = random.Random(args.seed)
    with service(args.env, worker=False) as (serving, administrator, folder):
        tokens = creators(serving, administrator, -(-args.files // EACH))
        files = []
        for number in range(args.files):
            files.append(folder / f"clase-{number}.bin")
            files[-1].write_bytes(random.Random(1000 * args.seed + number).randbytes(args.bytes))
        before = peak_mib(serving.server.pid)
        link = Cuts(serving.url, lambda: chance.randrange(args.bytes // 20, args.bytes), hard=True, rate=args.rate)
        everybody, said = threading.Barrier(args.files), Counter[str]()

        def send(number: int) -> float:
            client = Client(link.url, tokens[number // EACH], state=folder / "state", patience_s=args.patience)
            everybody.wait()
            began = time.monotonic()
            try:
                made = client.upload(files[number])
                right = hashlib.sha256(files[number].read_bytes()).hexdigest().startswith(made.recording_id)
                said["complete" if right else "wrong hash"] += 1
            except ChasquiError as error:
                said[error.code] += 1
            return time.monotonic() - began

        with ThreadPoolExecutor(args.files) as pool, answering(serving.url) as answers:
            began = time.monotonic()
            took = sorted(pool.map(send, range(args.files)))
            wall_s = time.monotonic() - began
        link.close()
        stored = stored_hashes(serving.data / "store")
        kept = sum(hashlib.sha256(path.read_bytes()).hexdigest() in stored for path in files)
        memory = peak_mib(serving.server.pid)
        trouble = [line for line in serving.said().splitlines() if "Traceback" in line or "defect" in line]
    return {
        "what": "uploads",
        "files": args.files,
        "bytes": args.bytes,
        "bytes per second of each link": args.rate,
        "outcomes": dict(said),
        "in the store with the right hash": kept,
        "cuts": link.broken,
        "sent over the link / size": round(link.up / (args.files * args.bytes), 3),
        "seconds": round(wall_s, 1),
        "slowest upload, s": round(took[-1], 1),
        "longest wait for another answer meanwhile, s": round(max(answers, default=0.0), 2),
        "server peak before, MiB": round(before, 1),
        "server peak, MiB": round(memory, 1),
        "defects": len(trouble),
        "reached": said["complete"] == kept == args.files and memory < MOST_MIB and not trouble,
    }


@contextmanager
def answering(url: str) -> Any:
    """What somebody waits who asks meanwhile, once a second, whether the server lives: seconds, one by one."""
    over, waits = threading.Event(), list[float]()

    def look() -> None:
        while not over.wait(1.0):
            began = time.monotonic()
            Browser(url)("GET", "health/live")
            waits.append(time.monotonic() - began)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield waits
    finally:
        over.set()
        looking.join()


def reads(args: argparse.Namespace) -> dict[str, Any]:
    """Questions at a steady rate, each sent when it is due whether or not others are answered, while workers encode.

    A latency is counted from the moment at which the question was due: a server that stalls is late for all of them.
    """
    with service(args.env, worker=False) as (serving, administrator, folder):
        for _ in range(args.workers):
            serving.begin("worker", "--processes", "1")
        (token,) = creators(serving, administrator, 1)
        client = Client(serving.url, token, state=folder / "state")
        made = [client.upload(path, title=f"Clase {path.stem}") for path in recordings(args, folder)]
        while args.workers and not any(job.state == "running" for job in client.jobs()):
            time.sleep(0.2)
        named = {"lesson": made[0].lesson_id, "job": made[0].job_id}
        paths = [f"/api/v1/{path.format(**named)}" for path in READS]
        late, statuses, busy = ask(serving.url, token, paths, args)
        states = Counter(job.state for job in client.jobs())
        result = {
            "what": "reads",
            "per second": args.per_second,
            "seconds": args.seconds,
            "workers": args.workers,
            "recordings at work": len(made),
            "jobs at the end": dict(states),
            "statuses": dict(statuses),
            "questions late at the sender": busy,
            **{f"{name} ms": round(1000 * at, 1) for name, at in quantiles(late).items()},
            "server peak, MiB": round(peak_mib(serving.server.pid), 1),
        }
    kept_busy = not args.workers or states["running"] + states["waiting"] > 0
    result["reached"] = result["p99 ms"] < MOST_P99_MS and set(statuses) == {200} and kept_busy
    if not kept_busy:
        result["beware"] = "all work was done before the questions were: more --recordings"
    return result


def ask(url: str, token: str, paths: list[str], args: argparse.Namespace) -> tuple[list[float], Counter[int], int]:
    """(latencies in seconds, statuses, questions that left more than 5 ms late) by `--connections` that stay open."""
    to, every = urlsplit(url), 1.0 / args.per_second
    total, lock = int(args.per_second * args.seconds), threading.Lock()
    late: list[float] = []
    statuses: Counter[int] = Counter()
    numbers, begins, behind = iter(range(total)), time.monotonic() + 1.0, Counter[str]()

    def one() -> None:
        link = http.client.HTTPConnection(to.hostname or "", to.port, timeout=30)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return link.close()
            due = begins + number * every
            time.sleep(max(0.0, due - time.monotonic()))
            sent = time.monotonic()
            link.request("GET", paths[number % len(paths)], headers={"Authorization": f"Bearer {token}"})
            answer = link.getresponse()
            answer.read()
            with lock:
                late.append(time.monotonic() - due)
                statuses[answer.status] += 1
                behind["late"] += sent - due > 0.005

    people = [threading.Thread(target=one) for _ in range(args.connections)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    return late, statuses, behind["late"]


def recordings(args: argparse.Namespace, folder: Path) -> list[Path]:
    """So many recordings of a minute: real speech, each at loudnesses of its own, so that no two share work."""
    chance, made = np.random.default_rng(args.seed), []
    for number in range(args.recordings):
        pieces = [excerpt(args.media / name, 0, 6.0) * chance.uniform(0.3, 0.9) for name in SPEECH for _ in range(3)]
        made.append(write(folder / f"{number}.wav", np.concatenate(pieces)[None, ::3], 16_000))
    return made


def quantiles(late: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(late, n=1000)
    return {"p50": cuts[499], "p90": cuts[899], "p99": cuts[989], "p99.9": cuts[998], "most": max(late)}


def stored_hashes(store: Path) -> set[str]:
    """SHA-256 of every file in a store in a folder."""
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in store.rglob("*") if path.is_file()}


def peak_mib(pid: int) -> float:
    """Peak resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("this system does not tell the peak memory of a process (Linux does)")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("uploads", "reads"))
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--bytes", type=int, default=5_000_000)
    parser.add_argument("--rate", type=float, help="bytes per second that each link carries (default: all it can)")
    parser.add_argument("--patience", type=float, default=300.0)
    parser.add_argument("--per-second", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--recordings", type=int, default=80)
    parser.add_argument("--media", type=Path, default=Path("../shared/media"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    result = (uploads if args.what == "uploads" else reads)(args)
    print(json.dumps(result, indent=2))
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(result, indent=2) + "\n")
    return 0 if result["reached"] else 1


if __name__ == "__main__":
    sys.exit(main())
