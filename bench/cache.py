"""What the cache is worth: lists of lessons without one, with one in this process, and with one in Redis.

    python bench/cache.py [--redis redis://127.0.0.1:6379/15] [--lessons 300] [--rounds 200]

One application in one process; the three take turns, request by request, so that whatever else the machine does falls
on all of them. Also: the features of a recording out of the store against out of a cache, which decides that they are
not kept in one.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chasqui.cache import KEPT_S, Cache, open_cache
from chasqui.catalog import Catalog, accounts
from chasqui.catalog.permissions import ACTIONS, Actor
from chasqui.catalog.tables import Lesson, Person
from chasqui.run.service import Service
from chasqui.web.app import make_app

FILES = ("voice.opus", "voice.mp3", "lesson.json", "certificate.json", "index.html", "captions.vtt")
FACTS = {
    "slug": "la-papa",
    "bytes": 1_234_567,
    "source_bytes": 12_345_678,
    "files": {name: {"bytes": 123_456, "sha256": "ab" * 32, "type": "audio/ogg"} for name in FILES},
    "duration_s": 3600.0,
    "promised": "understood",
    "kept": "clear",
    "degraded": None,
}
#: Of one hour: features of 20 ms frames, as float32.
HOUR = (180_000, 16)


class Nothing(Cache):
    """A cache that keeps nothing."""

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        return {}

    def put_many(self, values: Mapping[str, bytes], kept_s: float = KEPT_S) -> None:
        return

    def close(self) -> None:
        return


def school(catalog: Catalog, count: int) -> tuple[str, str]:
    """A school with so many lessons: a token for them, and the id of one."""
    made = accounts.make_school(catalog, f"bench-{os.urandom(3).hex()}", "Bench").id
    with catalog.writing() as db:
        db.add(person := Person(school_id=made, role="teacher", name="Rosa"))
        db.flush()
        for n in range(count):
            facts = {"school_id": made, "owner_id": person.id, "recording_id": os.urandom(8).hex()}
            db.add(Lesson(**facts, title=f"La papa {n}", facts=FACTS))
    return accounts.make_token(catalog, Actor(person.id, "teacher", made), "bench", list(ACTIONS)), person.id


def turns(rounds: int, ways: Mapping[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Milliseconds of each way, in turns; the first tenth is warming up."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for n in range(rounds + rounds // 10):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            if n >= rounds // 10:
                took[name].append((time.perf_counter() - began) * 1000)
    return took


def told(title: str, took: dict[str, list[float]]) -> None:
    print(f"\n{title}\n\n| | median ms | p99 ms | against the first |\n|---|---|---|---|")
    first = statistics.median(next(iter(took.values())))
    for name, values in took.items():
        middle = statistics.median(values)
        print(f"| {name} | {middle:.2f} | {float(np.percentile(values, 99)):.2f} | {middle / first:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--redis", default="")
    parser.add_argument("--lessons", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    caches: dict[str, Cache] = {"none": Nothing(), "memory": open_cache("memory:")}
    if given.redis:
        caches["redis"] = open_cache(given.redis)
    with tempfile.TemporaryDirectory() as folder:
        service = Service(data=Path(folder))
        catalog = service.catalog()
        token, _ = school(catalog, given.lessons)
        app = make_app(service, catalog, service.stores())
        client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}

        def ask(cache: Cache, path: str) -> None:
            app.extensions["cache"] = cache
            if client.get(path, headers=headers).status_code != 200:
                raise SystemExit(f"{path} was not answered")

        for limit in (50, 200):
            path = f"/api/v1/lessons?limit={limit}"
            ways = {name: lambda cache=cache, path=path: ask(cache, path) for name, cache in caches.items()}
            told(f"A list of {limit} lessons", turns(given.rounds, ways))
        features(Path(folder), caches, given.rounds)
        catalog.close()


def features(folder: Path, caches: Mapping[str, Cache], rounds: int) -> None:
    """An hour of features: read from the store's file, and in pieces from a cache."""
    table = np.random.default_rng(1).standard_normal(HOUR).astype(np.float32)
    np.save(folder / "features.npy", table)
    pieces = [part.tobytes() for part in np.array_split(table, 16)]
    ways: dict[str, Callable[[], Any]] = {"the store's file": lambda: np.load(folder / "features.npy").sum()}
    for name, cache in caches.items():
        if name == "none":
            continue
        keys = [f"features:{n}" for n in range(len(pieces))]
        cache.put_many(dict(zip(keys, pieces, strict=True)), kept_s=60.0)
        if len(cache.get_many(keys)) < len(keys):
            print(f"\n{name}: an hour of features does not fit")
            continue

        def read(cache: Cache = cache, keys: list[str] = keys) -> None:
            found = cache.get_many(keys)
            np.frombuffer(b"".join(found[key] for key in keys), np.float32).sum()

        ways[name] = read
    told(f"Features of an hour ({table.nbytes / 1e6:.1f} MB)", turns(max(10, rounds // 10), ways))


if __name__ == "__main__":
    main()
