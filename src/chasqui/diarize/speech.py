"""Where somebody speaks, closer than `analyze` needs it: to a third of a tenth of a second, quiet voices included."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

CHUNK_S = 0.032
_SPEECH = 1  # of second_class, see docs/analyze.md
#: Chosen on meetings (bench/meetings.py, the half of the speakers that is for that, and AMI's trn04–09): people far
#: from the microphone get half of what Silero gives a voice near it; at its own 0.5 a fifth of what they say is lost.
ON, OFF = 0.2, 0.1
BRIDGE_S = 0.2  # shorter gaps, after padding, belong to the region: windows reach across them
PAD_S = 0.05  # Silero is late at both ends
SHORTEST_S = 0.25  # not even a "yes"


def regions(probability: Bytes, second_class: Bytes) -> list[tuple[float, float]]:
    """(start, end) in seconds of each stretch of speech, in order and apart.

    Args:
        probability: [32 ms] of speech, 255 is certain.
        second_class: [s], 1 where the second holds speech; what `analyze` took for music stays out, except beside it.
    """
    likely = probability.astype(np.float32) / 255
    seconds = np.minimum((np.arange(likely.size) * CHUNK_S).astype(int), max(len(second_class) - 1, 0))
    spoken = second_class == _SPEECH
    near = spoken | np.append(spoken[1:], False) | np.append(False, spoken[:-1])
    on, found = False, []
    start = 0
    for at, value in enumerate((likely * near[seconds]).tolist() if likely.size else []):
        if on != (value >= (OFF if on else ON)):
            on = not on
            if on:
                start = at
            else:
                found.append((start * CHUNK_S, at * CHUNK_S))
    if on:
        found.append((start * CHUNK_S, likely.size * CHUNK_S))
    return _joined(found, likely.size * CHUNK_S)


def _joined(found: list[tuple[float, float]], end_s: float) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for start, end in ((max(a - PAD_S, 0.0), min(b + PAD_S, end_s)) for a, b in found):
        if joined and start - joined[-1][1] < BRIDGE_S:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return [(start, end) for start, end in joined if end - start >= SHORTEST_S]
