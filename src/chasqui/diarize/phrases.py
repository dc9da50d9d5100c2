"""Where phrases end: pauses, and what the voice does before them.

Before the end of a phrase the pitch falls and the last syllable grows long; before a pause in the middle of one (a
breath, a search for a word) they do less so. Each pause gets a strength between 0 and 1 out of three numbers; the pause
itself weighs most. Pitch is measured in the second and a half before each pause only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from chasqui.diarize.speech import CHUNK_S
from chasqui.features import pitch
from chasqui.features.arrays import frames
from chasqui.features.lower import lower
from chasqui.features.packets import PITCH, PITCH_HOP
from chasqui.records import PhraseEnd

Floats = npt.NDArray[np.float32]

RATE_HZ = 48_000
#: Shorter ones are the closed lips of a "p".
SHORTEST_PAUSE_S = 0.12
LONGEST_PAUSE_S = 2.0  # longer ones say no more
SPOKEN = 90  # of 255: Silero's 0.35, where it switches off
_BACK_S = 1.5
_LAST_S = 0.2
_KEPT = 2 * RATE_HZ
#: Of the logistic: constant; per doubling of the pause over 0.3 s; per semitone that the voice falls; per doubling of
#: the last voiced stretch over the usual one.
WEIGHTS = (-0.4, 1.6, 0.12, 0.3)


class Ends:
    """The pauses of a recording, measured while its sound passes by."""

    def __init__(self, probability: npt.NDArray[np.uint8]) -> None:
        self._pauses = pauses(probability)
        self._strengths: list[float] = []

    def passing(self, pieces: Iterable[Floats]) -> Iterator[Floats]:
        """The same blocks (48 kHz, mono); what is needed of them is measured on the way."""
        at, before = 0, np.zeros(_KEPT, np.float32)
        for piece in pieces:
            joined = np.concatenate([before, piece])
            start = at - len(before)
            at += len(piece)
            while len(self._strengths) < len(self._pauses):
                end_s, pause_s = self._pauses[len(self._strengths)]
                stop = round(end_s * RATE_HZ)
                if stop > at:
                    break
                near = joined[max(stop - round(_BACK_S * RATE_HZ) - start, 0) : stop - start]
                self._strengths.append(strength(pause_s, *melody(near)))
            before = joined[-_KEPT:]
            yield piece

    def found(self) -> list[PhraseEnd]:
        """All pauses that were passed, in order."""
        return [
            PhraseEnd(at_s=round(end_s, 3), pause_s=round(pause_s, 3), strength=round(value, 3))
            for (end_s, pause_s), value in zip(self._pauses, self._strengths, strict=False)
        ]


def pauses(probability: npt.NDArray[np.uint8]) -> list[tuple[float, float]]:
    """(where speech stops, how long nobody speaks), seconds; the last may be shorter than it was."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], probability >= SPOKEN, [False]]).astype(np.int8)))
    starts, stops = edges[::2], edges[1::2]
    following = np.append(starts[1:], len(probability) + round(LONGEST_PAUSE_S / CHUNK_S))
    lengths = (following - stops) * CHUNK_S
    return [
        (float(stop * CHUNK_S), float(length))
        for stop, length in zip(stops, lengths, strict=True)
        if length >= SHORTEST_PAUSE_S
    ]


def strength(pause_s: float, fall_semitones: float, lengthening: float) -> float:
    """How much it sounds like the end of a phrase, 0–1."""
    constant, pause, fall, long = WEIGHTS
    longer = np.log2(min(pause_s, LONGEST_PAUSE_S) / 0.3)
    return float(1 / (1 + np.exp(-(constant + pause * longer + fall * fall_semitones + long * lengthening))))


def melody(near: Floats) -> tuple[float, float]:
    """(by how many semitones the voice falls at the end, doublings of the last voiced stretch over the others) in the
    sound before a pause, 48 kHz; noughts where there is too little voice.
    """
    (low,) = lower(near, (6,))
    count = (len(low) - PITCH.size) // PITCH_HOP + 1
    if count < 4:
        return 0.0, 0.0
    hertz = np.asarray(pitch.voiced_only(*pitch.yin(frames(low, PITCH.size, PITCH_HOP, count), PITCH)))
    voiced = np.flatnonzero(hertz)
    tail = voiced[voiced >= (voiced[-1] if voiced.size else 0) - round(_LAST_S * 50)]
    rest = voiced[: voiced.size - tail.size]
    if tail.size < 3 or rest.size < 5:
        return 0.0, 0.0
    fall = 12 * np.log2(np.median(hertz[rest]) / np.median(hertz[tail]))
    runs = np.split(voiced, np.flatnonzero(np.diff(voiced) > 1) + 1)
    others = [len(run) for run in runs[:-1]]
    longer = np.log2(len(runs[-1]) / np.mean(others)) if others else 0.0
    # An octave is a mistake of the pitch, not of the voice.
    return float(np.clip(fall, -7, 7)), float(np.clip(longer, -2, 2))
