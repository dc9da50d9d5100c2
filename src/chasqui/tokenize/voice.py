"""How it is spoken, in numbers that need no words and no language: pace, pauses, pitch, level. They are what they are
called; what a speaker feels is not claimed from them.

Syllables are counted as peaks of the energy between 300 and 2500 Hz that rise 2 dB or more out of what is around them
and are less than 25 dB below the loud parts, where somebody speaks (de Jong and Wempe 2009, Behavior Research Methods
41, with a band instead of their check for voicing). A pause is 0.25 s (Goldman-Eisler 1968) to 5 s without speech
between speech; longer is no pause but something else.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chasqui.tokenize.listen import FRAMES_PER_S, RATE_HZ, Block, Frames
from chasqui.tokenize.told import CHUNK_S, Told

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 5.0
RISE_DB, BELOW_LOUD_DB = 2.0, 25.0
#: Peaks are looked for on means over 50 ms, and compared with 300 ms around them.
SMOOTH_FRAMES, AROUND_FRAMES = 5, 30


class Voice:
    """Listens to the blocks, then tells."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._floor = told.mean("level_p95_dbfs") - BELOW_LOUD_DB
        self._syllables = 0
        self._levels = np.zeros(3)  # count, sum, sum of squares; of spoken frames above the floor, in dB

    def hear(self, block: Block, frames: Frames) -> None:
        """One more block."""
        from scipy.ndimage import uniform_filter1d
        from scipy.signal import find_peaks

        step_s = 1 / FRAMES_PER_S
        start_s = block.start / RATE_HZ - frames.first * step_s
        spoken = self._told.spoken(start_s, len(frames.sonority_db), step_s)
        smooth = uniform_filter1d(frames.sonority_db.astype(np.float64), SMOOTH_FRAMES, mode="nearest")
        peaks, _ = find_peaks(smooth, prominence=RISE_DB, wlen=2 * AROUND_FRAMES + 1)
        inside = (peaks >= frames.first) & (peaks < frames.first + frames.own)
        loud = frames.level_dbfs[peaks] > self._floor
        self._syllables += int(np.sum(inside & loud & spoken[peaks]))
        own = slice(frames.first, frames.first + frames.own)
        levels = frames.level_dbfs[own].astype(np.float64)[spoken[own]]
        levels = levels[levels > self._floor]
        self._levels += (levels.size, levels.sum(), (levels**2).sum())

    def tell(self, words: int | None) -> dict[str, float]:
        """Numbers by name, units in the names; without speech nothing but that."""
        told = self._told
        spoken_s = float(told.speech.sum()) * CHUNK_S
        if not spoken_s or not told.weight.sum():
            return {"speech_s": round(spoken_s, 2)}
        pauses = pauses_s(told.speech)
        spent_s = spoken_s + float(pauses.sum())
        count, total, squares = self._levels
        deviation = np.sqrt(max(squares / count - (total / count) ** 2, 0)) if count else 0.0
        found = {
            "speech_s": spoken_s,
            "syllables_per_s": self._syllables / spoken_s,
            "pauses_per_min": 60 * pauses.size / spent_s,
            "pause_mean_s": float(pauses.mean()) if pauses.size else 0.0,
            "pause_share": float(pauses.sum()) / spent_s,
            "pitch_median_hz": told.mean("f0_median_hz"),
            "pitch_range_semitones": _semitones(told.mean("f0_p05_hz"), told.mean("f0_p95_hz")),
            "pitch_deviation_semitones": told.mean("f0_std_semitones"),
            "voiced_share": told.mean("voiced_share"),
            "level_deviation_db": float(deviation),
            "tilt_db_per_octave": told.mean("slope_db_per_octave_mean"),
            "modulation_4hz": told.mean("modulation_4hz"),
        }
        if words is not None:
            found["words_per_min"] = 60 * words / spent_s
        return {name: round(value, 3) for name, value in found.items()}


def pauses_s(speech: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Lengths of the pauses between speech, in seconds."""
    edges = np.flatnonzero(np.diff(speech.astype(np.int8)))
    if edges.size < 3:  # one stretch of speech at most
        return np.zeros(0)
    ends = edges[int(not speech[0]) :]  # from the first end of speech on: end, begin, end, begin …
    pairs = ends[: ends.size // 2 * 2].reshape(-1, 2)
    gaps = (pairs[:, 1] - pairs[:, 0]) * CHUNK_S
    return np.asarray(gaps[(gaps >= SHORTEST_PAUSE_S) & (gaps <= LONGEST_PAUSE_S)], np.float64)


def _semitones(low_hz: float, high_hz: float) -> float:
    return 12 * float(np.log2(high_hz / low_hz)) if 0 < low_hz <= high_hz else 0.0
