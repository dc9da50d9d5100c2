"""Echo cancellation where one channel holds the far end: what of it comes back in the other channel is taken away.

Calls recorded with one party per channel: the loudspeaker of this end plays the far end, and the microphone hears it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from chasqui.clean.overlap import Overlapped
from chasqui.clean.spectra import HOP, explained, sound_of, spectra
from chasqui.clean.step import RATE_HZ, Samples, db
from chasqui.records import Treatment

#: 24 frames are 256 ms of the room behind the loudspeaker.
TAPS = 24
ROUNDS = 3
#: The echo may come up to this much later than the far end: buffers and networks.
LATEST = 3 * RATE_HZ // 5
#: The filter begins this much before the delay that was found: the first sound is not always the loudest.
EARLY = 2 * HOP
#: The delay is looked for where speech has its power: whitening would count the noise above it as much.
BAND_HZ = (300, 3_500)
#: A delay is believed if its peak stands this far above the others (standard deviations of the correlation).
CLEAR = 8.0
#: With an echo, the frames in which only the far end speaks fall by 10 dB and more; without one, chance takes 1–2 dB.
THERE_DB = 5.0
SILENT_DBFS = -65.0


class Echo:
    """[channels, n] in, mono out: the channel that is not the reference, less what the reference explains of it."""

    def __init__(self, reference: int) -> None:
        self._reference = reference
        self._overlapped = Overlapped(self._treat)
        self._lag = 0
        self._removed_db: list[float] = []
        self._stretches = 0

    def process(self, block: Samples) -> Iterator[Samples]:
        yield from self._overlapped.process(block)

    def flush(self) -> Iterator[Samples]:
        yield from self._overlapped.flush()

    def _treat(self, sound: Samples, lead: int) -> Samples:
        far, near = sound[self._reference], sound[1 - self._reference]
        self._stretches += 1
        if db(float(np.mean(far**2))) < SILENT_DBFS:
            return np.asarray(near)
        found = _lag(far, near)
        self._lag = self._lag if found is None else found
        shift = self._lag - EARLY
        moved = np.pad(far, (max(shift, 0), 0))[: far.size] if shift >= 0 else np.pad(far[-shift:], (0, -shift))
        heard, played = spectra(near), spectra(moved)
        left = heard - explained(heard, played, taps=TAPS, delay=0, rounds=ROUNDS)
        removed = _removed_db(
            np.sum(np.abs(played) ** 2, 0), np.sum(np.abs(heard) ** 2, 0), np.sum(np.abs(left) ** 2, 0)
        )
        if removed < THERE_DB:
            return np.asarray(near)
        self._removed_db.append(removed)
        return sound_of(left, near.size)

    def treatments(self) -> list[Treatment]:
        side = ("left", "right")[self._reference]
        if not self._removed_db:
            return [
                Treatment(name="echo", applied=False, why=f"no echo of the {side} channel was found in the other one")
            ]
        removed = float(np.median(self._removed_db))
        effect = {
            "removed_db": round(removed, 1),
            "delay_ms": round(1000 * self._lag / RATE_HZ, 1),
            "treated": float(len(self._removed_db)),
            "stretches": float(self._stretches),
        }
        why = f"the {side} channel came back in the other one, and was lowered there by {removed:.0f} dB"
        return [Treatment(name="echo", applied=True, effect=effect, why=why)]


def _removed_db(played: Samples, heard: Samples, left: Samples) -> float:
    """How far the frames fall in which the far end speaks and the near one does not: the best tenth of them, in dB."""
    loud = played > 0.05 * np.percentile(played, 95)
    if np.count_nonzero(loud) < 20:
        return 0.0
    return float(np.percentile(10 * np.log10((heard[loud] + 1e-9) / (left[loud] + 1e-9)), 90))


def _lag(far: Samples, near: Samples) -> int | None:
    """Samples by which the echo is late, by the correlation of whitened spectra (GCC-PHAT); None: none is clear."""
    size = next_fast_len(far.size + LATEST, real=True)
    low, high = (hz * size // RATE_HZ for hz in BAND_HZ)
    cross = rfft(near, size) * np.conj(rfft(far, size))
    cross[:low] = cross[high:] = 0
    likeness = irfft(cross / (np.abs(cross) + 1e-9), size)[:LATEST]
    at = int(np.argmax(np.abs(likeness)))
    return at if abs(float(likeness[at])) > CLEAR * float(np.std(likeness)) else None
