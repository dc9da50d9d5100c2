"""Runs a command as a user would and says what it cost: wall and processor time, peak memory, and when it said what."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

MIB = 1024 * 1024
POLL_S = 0.05


class Cost(NamedTuple):
    """What one run took. `said` holds its JSON lines with the second at which each arrived."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    said: list[tuple[float, dict[str, Any]]]


def run(command: list[str], env: dict[str, str] | None = None) -> Cost:
    """Run to the end.

    Raises:
        RuntimeError: the command failed; its last words are in the message.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}
    )
    said: list[tuple[float, dict[str, Any]]] = []
    errors: list[str] = []
    readers = [
        threading.Thread(target=_listen, args=(process.stdout, started, said)),
        threading.Thread(target=_note, args=(process.stderr, errors)),
    ]
    for reader in readers:
        reader.start()
    peak = _until_done(process)
    for reader in readers:
        reader.join()
    _, status, usage = _waited[process.pid]
    wall_s = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"{' '.join(command)} failed:\n{''.join(errors)[-2000:]}{said[-1:]}")
    return Cost(wall_s, usage.ru_utime + usage.ru_stime, peak or _own_peak(usage.ru_maxrss), said)


_waited: dict[int, tuple[int, int, Any]] = {}


def _until_done(process: subprocess.Popen[str]) -> int:
    """Peak bytes of the process and its children, from the kernel's own high-water marks (0 where there are none).

    wait4's figure will not do on Linux: a child inherits the high-water mark of the process that started it.
    """
    peaks: dict[int, int] = {}
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            _waited[process.pid] = (pid, status, usage)
            process.returncode = os.waitstatus_to_exitcode(status)
            return sum(peaks.values())
        for member in _family(process.pid):
            peaks[member] = max(peaks.get(member, 0), _high_water(member))
        time.sleep(POLL_S)


def _family(pid: int) -> list[int]:
    members = [pid]
    for member in members:
        for children in Path(f"/proc/{member}/task").glob("*/children"):
            try:
                members.extend(int(child) for child in children.read_text().split())
            except OSError:
                continue  # it ended while we looked
    return members


def _high_water(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)


def _own_peak(maxrss: int) -> int:
    return maxrss if sys.platform == "darwin" else maxrss * 1024


def _listen(stream: Any, started: float, said: list[tuple[float, dict[str, Any]]]) -> None:
    with stream:
        for line in stream:
            try:
                words = json.loads(line)
            except json.JSONDecodeError:
                continue  # not meant for machines
            if isinstance(words, dict):
                said.append((time.perf_counter() - started, words))


def _note(stream: Any, errors: list[str]) -> None:
    with stream:
        errors.extend(stream)


def pack(source: Path, folder: Path, *flags: str) -> Cost:
    """`chasqui pack` of one file with a fresh store, both in `folder`."""
    command = [sys.executable, "-m", "chasqui", "pack", str(source), "--out", str(folder / "out"), "--json", *flags]
    return run(command, {"CHASQUI_STORE": f"file:{folder / 'store'}", "PYTHONUNBUFFERED": "1"})
