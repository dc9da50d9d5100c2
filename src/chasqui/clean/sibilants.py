"""De-esser: hissing s and sh brought down to what a voice of this level should hiss, in their own frequencies alone.

Off unless asked for. What may stay is measured against the loud moments of the voice, so right consonants stay right.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import uniform_filter1d

from chasqui.clean.overlap import Overlapped
from chasqui.clean.spectra import FRAME, HOP, sound_of, spectra
from chasqui.clean.step import RATE_HZ, Samples
from chasqui.records import Treatment

_HZ = np.arange(FRAME // 2 + 1) * RATE_HZ / FRAME
#: Where sibilants have their power, and where voices have theirs.
HISS, VOICE = (_HZ >= 4_500) & (_HZ < 12_000), (_HZ >= 200) & (_HZ < 4_000)
#: What is lowered: from nothing at 3.5 kHz to everything at 4.5.
_BAND = np.clip((_HZ - 3_500) / 1_000, 0.0, 1.0).astype(np.float32)[:, None]
#: A hiss may stand this much under the loud moments of the voice …
ALLOWED_DB = -9.0
#: … and of what it stands higher a third is left, but never is it lowered by more than 12 dB: a lisp is worse.
RATIO, MOST_DB = 3.0, 12.0
#: Frames (33 ms) over which the gain is evened out: shorter than an s.
EVEN = 3


class Deess:
    """As many samples out as in."""

    def __init__(self) -> None:
        self._overlapped = Overlapped(self._treat)
        self._lowered_s = 0.0
        self._all_s = 0.0
        self._most_db = 0.0

    def process(self, block: Samples) -> Iterator[Samples]:
        return self._overlapped.process(block)

    def flush(self) -> Iterator[Samples]:
        return self._overlapped.flush()

    def _treat(self, sound: Samples, lead: int) -> Samples:
        bins = spectra(sound)
        power = np.abs(bins) ** 2
        voice = float(np.percentile(power[VOICE].sum(axis=0), 90))
        over_db = 10 * np.log10((power[HISS].sum(axis=0) + 1e-12) / (voice + 1e-9)) - ALLOWED_DB
        lower_db = np.clip(over_db * (1 - 1 / RATIO), 0.0, MOST_DB)
        lower_db = np.asarray(uniform_filter1d(lower_db, EVEN), np.float32)
        now = lower_db[lead // HOP :]
        self._all_s += now.size * HOP / RATE_HZ
        self._lowered_s += float(np.count_nonzero(now > 1.0)) * HOP / RATE_HZ
        self._most_db = max(self._most_db, float(now.max(initial=0.0)))
        if not lower_db.any():
            return sound
        gone = np.asarray(bins * (_BAND * (1.0 - 10 ** (-lower_db / 20))), np.complex64)
        return sound - sound_of(gone, sound.size)

    def treatments(self) -> list[Treatment]:
        effect = {"lowered_s": round(self._lowered_s, 2), "most_db": round(self._most_db, 1)}
        applied = self._lowered_s > 0
        why = (
            f"sibilants were lowered for {self._lowered_s:.1f} s, by {self._most_db:.0f} dB at most"
            if applied
            else "no sibilant stands out"
        )
        return [Treatment(name="deess", applied=applied, effect=effect, why=why)]
