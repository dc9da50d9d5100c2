"""What every step of the pass is: blocks in, blocks out, and at the end an account of what it did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from chasqui.records import Treatment

Samples = npt.NDArray[np.float32]

RATE_HZ = 48_000
#: Every decision is taken per stretch of ten seconds: long enough for speech and pauses, short enough to adapt.
STRETCH = 10 * RATE_HZ


class Step(Protocol):
    """A stream of mono float32 at 48 kHz. Steps may hold samples back, but give all of them in the end, in order."""

    def process(self, block: Samples) -> Iterator[Samples]:
        """Take a block (a stretch, or shorter at the end) and give what is ready."""
        ...

    def flush(self) -> Iterator[Samples]:
        """The recording is over: give the rest."""
        ...

    def treatments(self) -> list[Treatment]:
        """What was done, or left alone, and why. Asked once, after `flush`."""
        ...


def stretches(source: Iterator[npt.NDArray[np.float32]]) -> Iterator[npt.NDArray[np.float32]]:
    """The same samples, [channels, n], as stretches of exactly STRETCH samples; the last one is what is left."""
    waiting: list[npt.NDArray[np.float32]] = []
    held = 0
    for block in source:
        waiting.append(block)
        held += block.shape[-1]
        while held >= STRETCH:
            joined = np.concatenate(waiting, axis=-1)
            yield joined[..., :STRETCH]
            waiting, held = [joined[..., STRETCH:]], held - STRETCH
    if held:
        yield np.concatenate(waiting, axis=-1)


def chain(source: Iterator[Samples], steps: list[Step]) -> Iterator[Samples]:
    """Everything that comes out of the last step when `source` goes into the first."""
    for step in steps:
        source = _through(step, source)
    return source


def _through(step: Step, source: Iterator[Samples]) -> Iterator[Samples]:
    for block in source:
        yield from step.process(block)
    yield from step.flush()


def fade(start: float, stop: float, samples: int, over: int) -> Samples:
    """A gain that goes from `start` to `stop` along a raised cosine over the first `over` samples, then stays."""
    gain = np.full(samples, stop, np.float32)
    over = min(over, samples)
    gain[:over] = start + (stop - start) * (0.5 - 0.5 * np.cos(np.pi * (np.arange(over) + 0.5) / max(over, 1)))
    return gain


def db(power: float) -> float:
    """10·log10 of a power, with a floor at −120 dB."""
    return float(10.0 * np.log10(max(power, 1e-12)))
