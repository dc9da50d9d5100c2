"""Noise reduction where noise is measured, nothing where the recording is already clean. One verdict per stretch.

RNNoise takes music for noise and harms clean speech (ESTOI of LibriSpeech against itself falls to 0.77–0.99), so a
stretch is treated only if it is noisy and holds speech, and a part of the original is always mixed back: at 15 dB that
scores higher than RNNoise alone. Stretches are independent (each starts with a warm-up), so a group of them is heard
side by side, which costs a third, in a thread of its own, while the next group is collected.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from chasqui.clean import noise, rnnoise
from chasqui.clean.restless import Listener
from chasqui.clean.step import RATE_HZ, Samples, fade
from chasqui.clean.voice import speaks
from chasqui.records import Treatment

#: Contrast (noise.py) under which a stretch is noisy, and above which a treated one is let go: the least LibriSpeech
#: stretch of 257 has 29.4 dB, the median of rain, train, ocean and applause at 15 dB 21–26 dB.
NOISY_DB, QUIET_DB = 29.0, 31.0
#: How much of the result is RNNoise, by contrast. Measured on mixtures at 5–20 dB (docs/clean.md).
SHARE_AT_DB, SHARE = (17.0, 21.0, 26.0, 29.0), (0.97, 0.88, 0.80, 0.70)
#: A stretch without voice whose middle power stays within 5 dB of the noise that was treated before is that noise.
SAME_NOISE = 3.0
#: RNNoise needs about a second to learn the noise.
WARM_UP = 3 * RATE_HZ // 2
FADE = RATE_HZ // 2
#: Two runs of RNNoise differ a little (−20 dB) where they meet: they are blended over 10 ms.
SEAM = RATE_HZ // 100

#: A finished stretch, and what its run would have made of the SEAM samples behind it (or nothing).
Piece = tuple[Samples, Samples]
_NOTHING = np.zeros(0, np.float32)


@dataclass
class _Waiting:
    """A stretch whose verdict is known and whose samples still lack what follows."""

    before: Samples  # the samples that RNNoise warms up on
    block: Samples
    share: tuple[float, float]  # of RNNoise: at the end of the last stretch, and in this one
    after: Samples = field(default_factory=lambda: _NOTHING)

    @property
    def _size(self) -> int:
        """How much of it is treated: all, or what the fade out of the last one takes."""
        return self.block.size if self.share[1] else min(FADE, self.block.size)

    @property
    def heard(self) -> Samples:
        """What RNNoise hears of it. The end is for its own delay and the seam."""
        sound = np.concatenate([self.before, self.block, self.after])
        return sound[: self.before.size + self._size + rnnoise.DELAY + SEAM]

    def mixed(self, cleaned: Samples) -> Piece:
        """The stretch, with its share of what RNNoise made of `heard`."""
        (start, stop), size, wet = self.share, self._size, cleaned[self.before.size :]
        out = self.block.copy()
        out[:size] += fade(start, stop, size, FADE) * (wet[:size] - out[:size])
        if not stop or self.after.size < rnnoise.DELAY + SEAM:
            return out, _NOTHING
        beyond = self.after[:SEAM]
        return out, beyond + np.float32(stop) * (wet[size : size + SEAM] - beyond)


def _cleaned(group: list[_Waiting]) -> list[Piece]:
    noisy = [stretch for stretch in group if any(stretch.share)]
    wet = iter(rnnoise.denoised([stretch.heard for stretch in noisy]))
    return [stretch.mixed(next(wet)[0]) if any(stretch.share) else (stretch.block, _NOTHING) for stretch in group]


class Denoise:
    """`mode`: "auto" and "rnnoise" (RNNoise where noisy; everywhere); any other only measures.

    One group is collected while others are cleaned, each of which keeps two threads busy. If none is being cleaned, one
    that needs no cleaning is not held back.
    """

    def __init__(self, mode: str, threads: int = 1) -> None:
        self._mode = mode
        self._most = max(threads // 2, 1)
        self._pool = ThreadPoolExecutor(self._most)
        self._running: deque[Future[list[Piece]]] = deque()
        self._group: list[Samples] = []
        self._held: _Waiting | None = None
        self._beyond = _NOTHING
        self._share = 0.0
        self._stretches = 0
        self._listener = Listener()
        self._floor = 0.0  # of the last treated stretch
        self._contrast: list[float] = []
        self._treated_s = self._music_s = self._all_s = 0.0
        self.spectrum = noise.Spectrum()

    def process(self, block: Samples) -> Iterator[Samples]:
        self._group.append(block)
        if len(self._group) == rnnoise.TOGETHER:
            yield from self._work(self._judged())

    def flush(self) -> Iterator[Samples]:
        group = self._judged()
        if self._held is not None:
            group.append(self._held)
        yield from self._work(group)
        yield from self._finished(down_to=0)
        self._pool.shutdown()

    def _judged(self) -> list[_Waiting]:
        """The group, less its last stretch, which lacks what follows, and with the last one of the group before."""
        blocks, self._group = self._group, []
        contrasts = [self.spectrum.contrast_db(block) for block in blocks]
        if self._mode == "auto":
            self._listener.prepare(self._stretches + 1, blocks, contrasts, NOISY_DB)
        ready: list[_Waiting] = []
        for block, contrast in zip(blocks, contrasts, strict=True):
            share = self._verdict(block, contrast)
            self._note(block, contrast, share)
            before = _NOTHING
            if (held := self._held) is not None:
                held.after = block[: rnnoise.DELAY + SEAM]
                before = held.block[-WARM_UP:]
                ready.append(held)
            self._held = _Waiting(before, block, (self._share if before.size else share, share))
            self._share = share
        return ready

    def _work(self, group: list[_Waiting]) -> Iterator[Samples]:
        if self._running or any(any(stretch.share) for stretch in group):
            yield from self._finished(down_to=self._most - 1)
            self._running.append(self._pool.submit(_cleaned, group))
        else:
            yield from (self._joined(piece) for piece in _cleaned(group))

    def _finished(self, down_to: int) -> Iterator[Samples]:
        while len(self._running) > down_to:
            yield from (self._joined(piece) for piece in self._running.popleft().result())

    def _joined(self, piece: Piece) -> Samples:
        """The next stretch, its first samples blended with what the run before made of them."""
        block, beyond = piece
        if size := min(self._beyond.size, block.size):
            block = block.copy()
            block[:size] += fade(1.0, 0.0, size, size) * (self._beyond[:size] - block[:size])
        self._beyond = beyond
        return block

    def _verdict(self, block: Samples, contrast: float) -> float:
        """The share of RNNoise for this stretch."""
        self._stretches += 1
        if self._mode != "auto":
            return 1.0 if self._mode == "rnnoise" else 0.0
        noisy = contrast < (QUIET_DB if self._share else NOISY_DB)
        if noisy:
            share = float(np.interp(contrast, SHARE_AT_DB, SHARE))
        else:
            share = self._listener.share(self._stretches, block, contrast, self._share)
        if not share:
            return 0.0
        floor, middle = noise.levels(block)
        if not speaks(block):
            if self._share and middle < SAME_NOISE * self._floor:
                return self._share  # the same noise goes on while nobody speaks: it must not swell up
            self._music_s += block.size / RATE_HZ
            return 0.0
        self._floor = floor
        return share

    def _note(self, block: Samples, contrast: float, share: float) -> None:
        seconds = block.size / RATE_HZ
        self._all_s += seconds
        self._treated_s += seconds * (share > 0)
        self._contrast.append(contrast)

    def snr_db(self) -> float | None:
        """Estimated speech-to-noise ratio of the recording, the median of its stretches; None without sound."""
        return round(float(np.median(self._contrast)) - noise.SPREAD_DB, 1) if self._contrast else None

    def treatments(self) -> list[Treatment]:
        if self._mode == "afftdn":
            return []  # spectral.py tells
        contrast = round(float(np.median(self._contrast)), 1) if self._contrast else 0.0
        effect = {"treated_s": round(self._treated_s, 1), "of_s": round(self._all_s, 1), "contrast_db": contrast}
        if self._mode == "off":
            why = "switched off"
        elif self._treated_s:
            why = f"RNNoise on {self._treated_s:.0f} of {self._all_s:.0f} s, where noise was measured under speech"
        else:
            why = f"already clean: speech stands {contrast:.0f} dB above the floor (noisy is under {NOISY_DB:.0f})"
        if self._music_s:
            effect["no_speech_s"] = round(self._music_s, 1)
            why += f"; {self._music_s:.0f} s without speech (music, applause) were left as they are"
        return [Treatment(name="denoise", applied=self._treated_s > 0, effect=effect, why=why)]
