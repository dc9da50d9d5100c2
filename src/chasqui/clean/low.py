"""Pops and wind: bursts of air on the microphone, long and short, taken out of the low frequencies alone.

Off unless asked for. Moving air is loudest where no voice is, under 60 Hz, and falls by 6 dB per octave towards it
and more. So what stands under 60 Hz tells how much of it to take away above: a gain per frequency and 11 ms, one where
no air moves.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from chasqui.clean.overlap import Overlapped
from chasqui.clean.spectra import FRAME, HOP, sound_of, spectra
from chasqui.clean.step import RATE_HZ, Samples
from chasqui.records import Treatment

_HZ = np.arange(FRAME // 2 + 1) * RATE_HZ / FRAME
#: Bins of 23 Hz: where only air is, what of the voice leaks into them, and what is heard of the voice.
AIR, NEXT, VOICE = slice(1, 3), slice(3, 9), slice(7, 43)
#: Share of a bin that the window leaks two bins away (−23 dB for the root of Hann), and a bit.
LEAK = 0.01
#: Air is treated where it is louder per bin than the voice of this stretch and this much more. Of forty readers 29 have
#: no such moment; at 0 dB 16 would be touched, and the worst of them by 0.04 ESTOI instead of 0.026.
AIR_DB = 3.0
#: Taken away twice over, for air is noise and its bins swing. At eight times, pops and wind fall by 1 to 2 dB more,
#: and ESTOI with them: 0.631 → 0.616 in wind instead of 0.632, 0.986 → 0.971 for the worst clear voice.
OVER = 2.0
#: Nothing sinks by more than this: a hole would be heard in its turn.
LEAST = 0.05
#: Above this the voice is left alone.
HIGHEST_HZ = 300.0
#: A pop is over after this; what lasts longer is wind.
POP_S = 0.15
GAP = 3  # frames


class Air:
    """As many samples out as in. `pops` and `wind`: which of the two to treat."""

    def __init__(self, pops: bool, wind: bool) -> None:
        self._asked = {"depop": pops, "dewind": wind}
        self._overlapped = Overlapped(self._treat)
        self._seconds = {"depop": 0.0, "dewind": 0.0}
        self._places = {"depop": 0, "dewind": 0}
        self._energy = {"depop": np.zeros(2), "dewind": np.zeros(2)}

    def process(self, block: Samples) -> Iterator[Samples]:
        return self._overlapped.process(block)

    def flush(self) -> Iterator[Samples]:
        return self._overlapped.flush()

    def _treat(self, sound: Samples, lead: int) -> Samples:
        bins = spectra(sound)
        power = np.abs(bins) ** 2
        air = np.maximum(power[AIR].mean(axis=0) - LEAK * power[NEXT].max(axis=0), 0.0)
        voice = float(np.percentile(power[VOICE].mean(axis=0), 90))
        gusts: dict[str, list[tuple[int, int]]] = {"depop": [], "dewind": []}
        for start, stop in _runs(air > voice * 10 ** (AIR_DB / 10)):
            gusts["depop" if (stop - start) * HOP < POP_S * RATE_HZ else "dewind"].append((start, stop))
        asked = np.zeros(air.size, bool)
        top = int(HIGHEST_HZ * FRAME / RATE_HZ)
        for name, places in gusts.items():
            if not self._asked[name]:
                continue
            for start, stop in places:
                # A frame each side: the burst leaks into the frames around it.
                asked[max(start - 1, 0) : stop + 1] = True
        if not asked.any():
            return sound
        share = np.ones((top, air.size), np.float32)
        share[:, asked] = _share(power[:top, asked], air[asked])
        for name, places in gusts.items():
            self._note(name, places, power[:top], share, lead // HOP)
        taken = np.zeros_like(bins)
        taken[:top] = bins[:top] * (1.0 - share)
        return sound - sound_of(taken, sound.size)

    def _note(self, name: str, places: list[tuple[int, int]], power: Samples, share: Samples, first: int) -> None:
        if not self._asked[name]:
            return
        for start, stop in places:
            start = max(start, first)
            if start < stop:
                self._places[name] += 1
                self._seconds[name] += (stop - start) * HOP / RATE_HZ
                part = power[:, start:stop]
                self._energy[name] += part.sum(), (part * share[:, start:stop] ** 2).sum()

    def treatments(self) -> list[Treatment]:
        return [self._treatment(name) for name, asked in self._asked.items() if asked]

    def _treatment(self, name: str) -> Treatment:
        before, after = self._energy[name]
        lowered = 10 * float(np.log10((before + 1e-9) / (after + 1e-9)))
        effect = {"places": float(self._places[name]), "treated_s": round(self._seconds[name], 2)}
        what = {"depop": "pops", "dewind": "gusts of wind"}[name]
        if not self._places[name]:
            return Treatment(name=name, applied=False, effect=effect, why=f"no {what} were found")
        effect["lowered_db"] = round(lowered, 1)
        why = f"{self._places[name]} {what} were lowered by {lowered:.0f} dB under {HIGHEST_HZ:.0f} Hz"
        return Treatment(name=name, applied=True, effect=effect, why=why)


def _share(power: Samples, air: Samples) -> Samples:
    """What is left of each bin, [bins, frames]: subtracted is air that falls by 6 dB per octave from 47 Hz on."""
    falls = np.minimum(1.0, (_HZ[2] / np.maximum(_HZ[: len(power)], 1.0)) ** 2)[:, None]
    left = np.sqrt(np.clip(1.0 - OVER * air * falls / (power + 1e-12), 0.0, 1.0))
    left[: AIR.stop] = LEAST
    return np.asarray(np.maximum(left, LEAST), np.float32)


def _runs(there: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, behind the last) of each run of True; runs at most GAP apart are one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], there.astype(np.int8), [0]])))
    runs: list[tuple[int, int]] = []
    for start, stop in edges.reshape(-1, 2).tolist():
        if runs and start - runs[-1][1] <= GAP:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    return runs
