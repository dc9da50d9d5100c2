"""How fast features are extracted, × real time: per core with NumPy and PyTorch, on a GPU where there is one.

    python bench/features.py [--device cuda] [--media DIR] [--minutes 10] [--json FILE]

Three jobs over real recordings joined: `analyze` (all of its grids and its summary, without Silero and FLAC), `packets`
(what sequence models see, 48 kHz in) and `catalogue` (every feature by name of clips of 8 s at 16 kHz, batched). On the
CPU processor time counts, on one thread; on a GPU wall time, transfers of the sound to it included. The best of a few
turns, as other work on the machine can only slow one down.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from scipy.signal import resample_poly
from threadpoolctl import threadpool_limits

from bench import recordings
from bench.table import MEDIA, Row, circumstances, markdown
from chasqui import features
from chasqui.analyze import blocks, frames, stream
from chasqui.analyze import features as summaries
from chasqui.features.arrays import numpy_of

GOAL = 500.0
TURNS = 5
CLIP_S = 8
BATCH = 16
Sound = np.ndarray[Any, Any]
Job = Callable[[], Any]


def measure(media: Path, minutes: float = 10, device: str = "cpu") -> list[Row]:
    """One row per job and library; the first of each job is NumPy, which the others are compared with."""
    with tempfile.TemporaryDirectory() as scratch:  # a noisy lecture where there are noises: every kind of frame
        noisy = recordings.has_noise(media)
        sound = recordings.read(recordings.lecture(media, minutes, Path(scratch) / "lecture.flac", noisy))
    clips = list(resample_poly(sound, 1, 3).astype(np.float32)[: _whole(sound.size // 3)].reshape(-1, 16_000 * CLIP_S))
    long = sound[: sound.size // 2880 * 2880]
    with threadpool_limits(1), one_torch_thread():
        rows = [_row("analyze", "numpy", 1, sound.size / 48_000, _best(lambda: _analyze(sound), _processor), 0.0)]
        for job, run, seconds in (
            ("packets", lambda move: _packets(long, move), long.size / 48_000),
            ("catalogue", lambda move: _catalogue(clips, move), len(clips) * CLIP_S),
        ):
            rows += _compared(job, run, float(seconds), device)
    return rows


def _compared(
    job: str, run: Callable[[Callable[[Sound], Any]], dict[str, Any]], seconds: float, device: str
) -> list[Row]:
    """NumPy, PyTorch on the CPU, and the GPU if asked for."""
    ours = run(lambda part: part)
    base = _best(lambda: run(lambda part: part), _processor)
    rows = [_row(job, "numpy", 1, seconds, base, 0.0)]
    for name, move, wait, clock in _libraries(device):
        theirs = run(move)
        took = _best(lambda move=move, wait=wait: (run(move), wait()), clock)  # type: ignore[misc]
        rows.append(_row(job, name, base / took, seconds, took, _difference(ours, theirs)))
    return rows


def _libraries(device: str) -> Iterator[tuple[str, Callable[[Sound], Any], Job, Callable[[], float]]]:
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed (the extra `gpu`): NumPy alone is measured.")
        return
    yield "torch, CPU", lambda part: torch.from_numpy(np.array(part)), lambda: None, _processor
    if device == "cuda":
        if not torch.cuda.is_available():
            print("There is no GPU that PyTorch can use on this machine: nothing was measured on CUDA.")
            return
        name = torch.cuda.get_device_name()
        yield name, lambda part: torch.from_numpy(np.array(part)).cuda(), torch.cuda.synchronize, time.perf_counter


def _analyze(sound: Sound) -> None:
    pieces = (sound[start : start + blocks.SAMPLES] for start in range(0, sound.size, blocks.SAMPLES))
    for block in blocks.blocks(pieces):
        measures = frames.measure(block, blocks.lower(block))
        rows = stream.rows(measures, np.ones(blocks.PACKETS, np.bool_), np.ones(blocks.PACKETS, np.uint8))
        summaries.summarize(rows.part(0, 100))
        summaries.summarize(rows.part(100, 200))


def _packets(sound: Sound, move: Callable[[Sound], Any]) -> dict[str, Any]:
    """In stretches of two minutes, so that the memory of a small GPU suffices."""
    size = 2000 * 2880
    parts = [features.packet_features(move(sound[at : at + size])) for at in range(0, sound.size, size)]
    return {"packets": _concat(parts)}


def _catalogue(clips: list[Sound], move: Callable[[Sound], Any]) -> dict[str, Any]:
    found = []
    for at in range(0, len(clips), BATCH):
        found.append(
            features.extract([move(clip) for clip in clips[at : at + BATCH]], 16_000, features.CATALOGUE).values
        )
    return {name: _concat([batch[name] for batch in found]) for name in features.CATALOGUE}


def _difference(ours: dict[str, Any], theirs: dict[str, Any]) -> float:
    """The largest over all numbers, each relative to the largest of its feature; pitch where both are voiced."""
    largest = 0.0
    for name, own in ours.items():
        other = numpy_of(theirs[name])
        gap = np.abs(own - other) / (np.abs(own).max() + 1e-9)
        if name in ("f0_hz", "f0_any_hz", "voiced"):  # two periods may be equally good: the last bit decides
            jumps = gap > 1e-3
            print(f"{name}: {int(jumps.sum())} of {jumps.size} frames found another period")
            gap = gap[~jumps]
        largest = max(largest, float(gap.max()))
    return largest


def _concat(parts: list[Any]) -> Any:
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    import torch

    return torch.cat(parts)


def _row(job: str, library: str, ratio: float, seconds: float, took: float, difference: float) -> Row:
    return {
        "job": job,
        "library": library,
        "times_real_time": round(seconds / took),
        "times_numpy": round(ratio, 2),
        "largest_difference": float(f"{difference:.1e}"),
    }


def _best(job: Job, clock: Callable[[], float]) -> float:
    took = []
    for _ in range(TURNS):
        start = clock()
        job()
        took.append(clock() - start)
    return min(took)


def _processor() -> float:
    return time.process_time()


def _whole(samples: int) -> int:
    return samples // (16_000 * CLIP_S) * 16_000 * CLIP_S


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """PyTorch on one core, if it is there."""
    try:
        import torch
    except ImportError:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def shown(rows: list[Row]) -> str:
    """The rows as Markdown."""
    columns = ["job", "library", f"× real time (goal ≥ {GOAL:g})", "× NumPy on one core", "largest difference"]
    return markdown(columns, [list(row.values()) for row in rows])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=Path, default=MEDIA)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = measure(asked.media, asked.minutes, asked.device)
    facts = circumstances()
    print(f"\n{facts['machine']}, load {facts['load_at_start']}, NumPy {facts['versions']['numpy']}\n")
    print(shown(rows))
    if asked.json:
        asked.json.write_text(json.dumps({"facts": facts, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
