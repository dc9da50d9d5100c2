"""Levelling: a slow hand on the fader, so that the far speaker and the near one end closer, and pauses stay quiet.

Also brings the recording near the working level, so that the limiter behind it sees what the listener will get.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from chasqui.clean.loudness import HOP, KWeighting, lufs
from chasqui.clean.step import RATE_HZ, STRETCH, Samples
from chasqui.records import Treatment

#: A little louder than what is published (−19 LUFS): the final gain then lowers, and the limited peaks stay legal.
WORKING_LUFS = -17.3
#: Share of a difference in level that is evened out: two speakers 12 dB apart end about 5 dB apart.
STRENGTH = 0.6
#: Nobody is lifted or lowered by more than this against the recording's own level; silence is never lifted at all.
MOST_DB = 8.0
#: Lifting the whole recording by more than this would only lift its noise.
MOST_GAIN_DB = 40.0
#: Seconds over which the hand moves: slower than words, faster than turns of speaking.
SLOW_S = 1.5
#: Steps of 100 ms quieter than the usual level by this much are pauses: they get the gain of what surrounds them.
PAUSE_LU = 18.0
QUIETEST_LUFS = -65.0
#: The recording's own level is that of the last minute: a teacher who walks away for good is followed.
MEMORY = 600
#: Share of steps 10 dB under the mean: speech has pauses (over 0.2), music few (under 0.1): it keeps its dynamics.
MUSIC_PAUSES, SPEECH_PAUSES = 0.08, 0.18


class Level:
    """Gain by steps of 100 ms, drawn as straight lines between them. Looks one stretch ahead and one minute back."""

    def __init__(self, levelling: bool = True) -> None:
        self._levelling = levelling
        self._weighting = KWeighting()
        self._past = np.zeros(0)  # energies of the steps before the held stretch, at most MEMORY
        self._held: Samples | None = None
        self._steps = np.zeros(0)  # of the held stretch
        self._gain_db: float | None = None  # at the end of what was given
        self._range = [np.inf, -np.inf]
        self._moved = [np.inf, -np.inf]

    def process(self, block: Samples) -> Iterator[Samples]:
        steps = self._energies(block)
        if self._held is not None:
            yield self._ride(self._held, self._steps, steps)
        self._held, self._steps = block, steps

    def flush(self) -> Iterator[Samples]:
        if self._held is not None:
            yield self._ride(self._held, self._steps, np.zeros(0))

    def _energies(self, block: Samples) -> npt.NDArray[np.float64]:
        """One K-weighted energy per step; blocks are stretches but for the last, so steps and samples stay in line."""
        steps = self._weighting.energies(block)
        return steps if steps.size else np.array([1e-12])

    def _ride(self, block: Samples, now: npt.NDArray[np.float64], ahead: npt.NDArray[np.float64]) -> Samples:
        gains = self._gains(np.concatenate([self._past, now, ahead]), self._past.size, now.size)
        self._past = np.concatenate([self._past, now])[-MEMORY:]
        first = gains[0] if self._gain_db is None else self._gain_db
        self._gain_db = float(gains[-1])
        self._range = [min(self._range[0], float(gains.min())), max(self._range[1], float(gains.max()))]
        factors = 10.0 ** (np.concatenate([[first], gains]) / 20.0)
        return block * _lines(factors, block.size)

    def _gains(self, steps: npt.NDArray[np.float64], start: int, count: int) -> npt.NDArray[np.float64]:
        """Gain in dB at the end of each of the `count` steps from `start` on."""
        loud = steps[lufs(steps) > QUIETEST_LUFS]
        if not loud.size:
            return np.full(count, 0.0 if self._gain_db is None else self._gain_db)
        usual = loud[loud > loud.mean() * 0.1].mean()  # the relative gate of R128
        base = np.clip(WORKING_LUFS - float(lufs(usual)), -MOST_GAIN_DB, MOST_GAIN_DB)
        if not self._levelling:
            return self._eased(np.full(count, base))
        speaking = (steps > usual * 10 ** (-PAUSE_LU / 10)) & (lufs(steps) > QUIETEST_LUFS)
        around = SLOW_S * RATE_HZ / HOP
        # A weight instead of a hole: far from anybody who speaks, the level fades to the usual one.
        weight = gaussian_filter1d(speaking.astype(float), around, mode="constant", truncate=3.0)
        energy = gaussian_filter1d(np.where(speaking, steps, 0.0), around, mode="constant", truncate=3.0)
        local = lufs((energy + 0.02 * usual) / (weight + 0.02)) - float(lufs(usual))
        moved = np.clip(-STRENGTH * _speechness(steps) * local, -MOST_DB, MOST_DB)[start : start + count]
        self._moved = [min(self._moved[0], float(moved.min())), max(self._moved[1], float(moved.max()))]
        return self._eased(base + moved)

    def _eased(self, gains: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The same gains, started from where the last stretch ended: its base was another one."""
        if self._gain_db is not None:
            gains = gains + (self._gain_db - gains[0]) * np.clip(1 - np.arange(gains.size) / 30, 0, 1)
        return gains

    def treatments(self) -> list[Treatment]:
        if not np.isfinite(self._range[0]):
            return [Treatment(name="level", applied=False, why="nothing to level")]
        low, high = (round(value, 1) for value in self._range)
        effect = {"least_gain_db": low, "most_gain_db": high}
        if not self._levelling:
            return [
                Treatment(
                    name="level", applied=False, effect=effect, why="switched off; only the overall level was set"
                )
            ]
        if np.isfinite(self._moved[0]):
            effect |= {"lowered_db": round(self._moved[0], 1), "lifted_db": round(self._moved[1], 1)}
        why = f"quiet and loud speakers brought {STRENGTH:.0%} closer, by at most {MOST_DB:.0f} dB, over {SLOW_S} s"
        return [Treatment(name="level", applied=True, effect=effect, why=why)]


def _lines(knots: npt.NDArray[np.float64], samples: int) -> Samples:
    """Lines between the gain at the end of one step and at the end of the next; the last one stays.

    The numbers are those of np.interp to the bit, several times as fast, because the knots are HOP apart.
    """
    steps = min(-(-samples // HOP), knots.size - 1)
    lines = np.diff(knots[: steps + 1])[:, None] / HOP * np.arange(HOP) + knots[:steps, None]
    out = np.full(max(samples, steps * HOP), knots[-1], np.float32)
    out[: steps * HOP] = lines.ravel()
    return out[:samples]


def _speechness(steps: npt.NDArray[np.float64]) -> float:
    """0 for music, 1 for speech, by how much of the last twenty and next ten seconds is pause."""
    recent = steps[-3 * STRETCH // HOP :]
    pauses = float(np.mean(recent < 0.1 * recent.mean()))
    return float(np.clip((pauses - MUSIC_PAUSES) / (SPEECH_PAUSES - MUSIC_PAUSES), 0.0, 1.0))
