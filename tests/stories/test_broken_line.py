"""A long recording in a bucket, and a process that is killed while it comes. The same command again brings the rest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from buckets import Line, Server, Shelf
from sounds import write

from chasqui.ingest.ranges import PIECE_BYTES

#: Six minutes: 17 MB, three ranges.
SECONDS, RATE_HZ = 360, 24_000
#: Where the lights go out, in bytes of answers.
HALF = 9_000_000
#: Questions beside the sound: lists, heads and headers.
TALK = 100_000


def came(folder: Path) -> int:
    """Bytes that the journal of the object says are there."""
    ends: dict[int, int] = {}
    for journal in folder.rglob("*.journal"):
        for line in journal.read_text().splitlines()[1:]:
            start, _, end = line.partition(" ")
            ends[int(start or 0)] = int(end or 0)
    return sum(end - start for start, end in ends.items())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")
def test_what_came_before_a_kill_does_not_come_again(
    swift_server: Server, shelf_on: Callable[[Server], Shelf], line_to: Callable[[Server], Line], tmp_path: Path
) -> None:
    shelf = shelf_on(swift_server)
    noise = np.random.default_rng(7).normal(0, 0.1, (1, SECONDS * RATE_HZ)).astype(np.float32)
    sound = write(tmp_path / "clase.wav", noise, RATE_HZ)
    size = sound.stat().st_size
    shelf.put_parts("2026/clase.wav", sound)
    line = line_to(shelf.server)
    where = ["--out", str(tmp_path / "data"), "--store", str(tmp_path / "store"), "--format", "jsonl", "--json"]
    command = [sys.executable, "-m", "chasqui", "dataset", f"{shelf.url}/2026", *where, "--stages", "ingest"]
    command += ["--skip-summary", "--workers", "1"]
    env = {**os.environ, **line.server.env}

    line.hold_after = HALF
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        assert line.held.wait(60)
        while came(tmp_path) < HALF - 4 * PIECE_BYTES - TALK:  # what is on its way still comes
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
    first = came(tmp_path)
    line.hang_up()

    again = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout.splitlines()[-1])["recordings"] == 1
    assert size - first <= line.came <= size - first + TALK

    line.came = 0
    third = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert third.returncode == 0, third.stderr
    assert line.came < TALK
    assert [path.name for path in tmp_path.rglob("*.part")] == []
