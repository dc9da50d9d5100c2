"""Dynamic range compression by FFmpeg's acompressor: loud syllables and soft ones closer. Off unless asked for.

`level` moves slowly, from speaker to speaker; this moves within words, so it changes how speech sounds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chasqui.clean.step import RATE_HZ, Samples
from chasqui.media.filters import Filter
from chasqui.records import Treatment

#: Speech stands near −17 LUFS here (level.py): its loud syllables are over −24 dBFS, its soft ones under. 3:1 with 5
#: and 150 ms is what broadcasters put on speech; the loudness comes back with the master's gain.
OPTIONS = "threshold=0.063:ratio=3:attack=5:release=150:knee=2.8:detection=rms"
HOP = RATE_HZ // 20
#: Frames quieter than this (dBFS) are pauses, and no part of the range.
PAUSE_DBFS = -45
_STEPS = np.arange(PAUSE_DBFS, 1)


class Compress:
    """As many samples out as in; nothing is delayed."""

    def __init__(self) -> None:
        self._filter = Filter("acompressor", OPTIONS)
        self._before, self._after = _Range(), _Range()

    def process(self, block: Samples) -> Iterator[Samples]:
        self._before.add(block)
        yield from self._heard(self._filter.process(block))

    def flush(self) -> Iterator[Samples]:
        yield from self._heard(self._filter.flush())

    def _heard(self, pieces: Iterator[Samples]) -> Iterator[Samples]:
        given = list(pieces)
        if given:
            joined = np.concatenate(given)
            self._after.add(joined)
            yield joined

    def treatments(self) -> list[Treatment]:
        before, after = self._before.db(), self._after.db()
        effect = {"range_before_db": before, "range_after_db": after}
        why = f"compressed 3:1 over -24 dBFS: the levels of speech span {after:g} dB, before {before:g} dB"
        return [Treatment(name="compress", applied=True, effect=effect, why=why)]


class _Range:
    """How far apart loud and soft frames of 50 ms lie: their 95th and 10th percentile, pauses apart."""

    def __init__(self) -> None:
        self._count = np.zeros(_STEPS.size)
        self._rest = np.zeros(0, np.float32)

    def add(self, block: Samples) -> None:
        sound = np.concatenate([self._rest, block])
        whole = sound.size // HOP
        self._rest = sound[whole * HOP :]
        frames = sound[: whole * HOP].reshape(whole, HOP)
        levels = np.rint(10 * np.log10(np.einsum("ij,ij->i", frames, frames) / HOP + 1e-12)).astype(int)
        np.add.at(self._count, np.clip(levels[levels >= PAUSE_DBFS] - PAUSE_DBFS, 0, _STEPS.size - 1), 1)

    def db(self) -> float:
        if not self._count.any():
            return 0.0
        share = np.cumsum(self._count) / self._count.sum()
        return float(_STEPS[np.searchsorted(share, 0.95)] - _STEPS[np.searchsorted(share, 0.10)])
