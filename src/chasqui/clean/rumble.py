"""DC, rumble and wind: a high-pass always, a higher one where low frequencies are louder than speech leaves them.

The filters have linear phase. A Butterworth of second order at 60 Hz already costs clean speech up to 0.006 ESTOI by
bending the phase of the lowest bands; these cost 0.000–0.002, even where 20 dB of rumble are taken away.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft

from chasqui.clean.step import RATE_HZ, Samples, db, fade
from chasqui.metrics.filters import highpass
from chasqui.records import Treatment

#: The lowest male voices start near 80 Hz. From 60 Hz on, a filter would take a bass guitar's deepest notes.
GENTLE_HZ = 50.0
#: Wind and traffic reach higher; without the lowest partial a deep voice is still understood (ESTOI starts at 134 Hz).
STEEP_HZ = 80.0
#: 80 ms of filter: from nothing to everything within 40 Hz.
TAPS = 3841
#: Power from 10 to 35 Hz, where no instrument plays, against 150–4000 Hz. Above this a stretch rumbles; of 40 clean
#: readers the quietest rooms have −29 dB, 37 stay under −14 dB; bass-heavy music stays under −17 dB.
RUMBLE_DB = -12.0
FRAME = 9600  # 5 Hz per bin
FADE = RATE_HZ // 5
#: Length of the transforms that filter: the fewest operations per sample for these taps.
TRANSFORM = 47_916


class Rumble:
    """High-pass at 60 Hz, or at 80 Hz on stretches that rumble."""

    def __init__(self) -> None:
        # Half a filter of silence before the first sample puts the output in line with the input.
        self._before = np.zeros(TAPS // 2, np.float32)
        self._on = False
        self._rumble_s = 0.0
        self._worst_db = -120.0

    def process(self, block: Samples) -> Iterator[Samples]:
        yield self._filtered(block, self._rumbles(block))

    def flush(self) -> Iterator[Samples]:
        yield self._filtered(np.zeros(TAPS // 2, np.float32), self._on)

    def _filtered(self, block: Samples, wanted: bool) -> Samples:
        """As many samples as went in, but for the first call, whose missing half filter comes out of `flush`."""
        sound = np.concatenate([self._before, block])
        self._before = sound[-(TAPS - 1) :]
        was, self._on = self._on, wanted
        if sound.size < TAPS:
            return np.zeros(0, np.float32)
        out = _through(sound, wanted)
        if was != wanted:
            before = _through(sound[: TAPS - 1 + FADE], was)
            share = fade(0.0, 1.0, before.size, FADE)
            out[: before.size] = before + share * (out[: before.size] - before)
        return out

    def _rumbles(self, block: Samples) -> bool:
        frames = block[: block.size // FRAME * FRAME].reshape(-1, FRAME)[::3]  # one frame in three says enough
        if not len(frames):
            return self._on
        power = np.mean(np.abs(rfft(frames * _WINDOW)) ** 2, axis=0)
        low, speech = power[2:8].sum(), power[30:800].sum()  # from 10 Hz: a DC offset is no rumble
        if low < 1e-4:
            return False
        ratio = db(float(low / (speech + 1e-9)))
        self._worst_db = max(self._worst_db, ratio)
        rumbles = ratio > RUMBLE_DB - 3.0 * self._on
        self._rumble_s += rumbles * block.size / RATE_HZ
        return bool(rumbles)

    def treatments(self) -> list[Treatment]:
        why = f"everything under {GENTLE_HZ:.0f} Hz is not speech"
        if self._rumble_s:
            why += f"; {self._rumble_s:.0f} s rumbled and were cut at {STEEP_HZ:.0f} Hz"
        effect = {"rumble_s": round(self._rumble_s, 1), "worst_rumble_db": round(self._worst_db, 1)}
        return [Treatment(name="highpass", applied=True, effect=effect, why=why)]


_WINDOW = np.hanning(FRAME).astype(np.float32)
_FILTERS = tuple(highpass(TAPS, hz / (RATE_HZ / 2)).astype(np.float32) for hz in (GENTLE_HZ, STEEP_HZ))


def _through(sound: Samples, steep: bool) -> Samples:
    """The sound filtered, without the ends that lack neighbours: pieces that overlap are added (overlap-add)."""
    if sound.size <= TRANSFORM:
        size = next_fast_len(sound.size + TAPS - 1, real=True)
        return np.asarray(_convolved(sound[None], steep, size)[0, TAPS - 1 : sound.size], np.float32)
    step = TRANSFORM - TAPS + 1
    pieces = np.zeros((-(-sound.size // step), step), np.float32)
    pieces.reshape(-1)[: sound.size] = sound
    filtered = _convolved(pieces, steep, TRANSFORM)
    out = filtered[:, :step].copy()
    out[1:, : TAPS - 1] += filtered[:-1, step:]
    return out.reshape(-1)[TAPS - 1 : sound.size]


def _convolved(pieces: Samples, steep: bool, size: int) -> npt.NDArray[np.float32]:
    return np.asarray(irfft(rfft(pieces, size, axis=1) * rfft(_FILTERS[steep], size), size, axis=1), np.float32)
