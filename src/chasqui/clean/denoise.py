"""Noise reduction where noise is measured, nothing where the recording is already clean. One verdict per stretch.

RNNoise takes music for noise and harms clean speech (ESTOI of LibriSpeech against itself falls to 0.77–0.99), so a
stretch is treated only if it is noisy and holds speech, and a part of the original is always mixed back: at 15 dB that
scores higher than RNNoise alone. Stretches are independent (each starts with a warm-up), so they run in threads and the
result does not depend on how many there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt

from chasqui.clean import noise, rnnoise
from chasqui.clean.step import RATE_HZ, Samples, db, fade
from chasqui.clean.voice import speaks
from chasqui.records import Treatment

#: Contrast (noise.py) under which a stretch is noisy, and above which a treated one is let go: the least LibriSpeech
#: stretch of 257 has 29.4 dB, the median of rain, train, ocean and applause at 15 dB 21–26 dB.
NOISY_DB, QUIET_DB = 29.0, 31.0
#: How much of the result is RNNoise, by contrast. Measured on mixtures at 5–20 dB (docs/clean.md).
SHARE_AT_DB, SHARE = (17.0, 21.0, 26.0, 29.0), (0.97, 0.88, 0.80, 0.70)
#: Noise that comes and goes (typing) leaves the floor low. There, RNNoise listens to a sample of the stretch, and the
#: mean power of words is compared with that between them, over all frequencies and over those of hiss and clatter.
#: Clean recordings have 14 dB and more over all (echoes between words), or else 20 dB and more above 2 kHz.
RESTLESS_DB, RESTLESS_WIDE_DB, RESTLESS_HIGH_DB = 11.0, 18.0, 14.0
#: What has nothing above 2 kHz is an echo or a breath, not noise that RNNoise takes away.
ONLY_LOW_DB = 22.0
#: A short sample errs by this much; whoever passes it is listened to in full.
DOUBT_DB = 3.0
#: RNNoise's share there, by what is measured above 2 kHz: at the edge a lively room looks the same.
RESTLESS_AT_DB, RESTLESS_SHARE = (9.0, 14.0), (0.75, 0.40)
#: Fewer pauses than a third of a second say nothing.
PAUSES = 33
#: From this contrast on, nobody needs to listen: studio recordings and digital silence between words.
STUDIO_DB = 43.0
SAMPLE = 2 * RATE_HZ
#: A stretch without voice whose middle power stays within 5 dB of the noise that was treated before is that noise.
SAME_NOISE = 3.0
#: RNNoise needs about a second to learn the noise.
WARM_UP = 3 * RATE_HZ // 2
FADE = RATE_HZ // 2
HIGH = butter(4, [2000, 8000], "band", fs=RATE_HZ, output="sos")


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

    def clean(self) -> Piece:
        start, stop = self.share
        if not start and not stop:
            return self.block, _NOTHING
        size = self.block.size if stop else min(FADE, self.block.size)
        heard = np.concatenate([self.before, self.block, self.after])
        # The end is RNNoise's own delay, but for the seam: what this run makes of the first samples behind it.
        wet = rnnoise.denoised(heard[: self.before.size + size + rnnoise.DELAY + SEAM])[0][self.before.size :]
        out = self.block.copy()
        out[:size] += fade(start, stop, size, FADE) * (wet[:size] - out[:size])
        if not stop or self.after.size < rnnoise.DELAY + SEAM:
            return out, _NOTHING
        beyond = self.after[:SEAM]
        return out, beyond + np.float32(stop) * (wet[size : size + SEAM] - beyond)


class Denoise:
    """`mode`: "auto" and "rnnoise" (RNNoise where noisy; everywhere); any other only measures."""

    def __init__(self, mode: str, threads: int = 1) -> None:
        self._mode = mode
        self._threads = max(threads, 1)
        self._pool = ThreadPoolExecutor(self._threads)
        self._running: deque[Future[Piece] | Piece] = deque()
        self._held: _Waiting | None = None
        self._beyond = _NOTHING
        self._share = 0.0
        self._stretches = 0
        self._floor = 0.0  # of the last treated stretch
        self._contrast: list[float] = []
        self._treated_s = self._music_s = self._all_s = 0.0
        self.spectrum = noise.Spectrum()

    def process(self, block: Samples) -> Iterator[Samples]:
        contrast = self.spectrum.contrast_db(block)
        share = self._verdict(block, contrast)
        self._note(block, contrast, share)
        before = _NOTHING
        if (held := self._held) is not None:
            held.after = block[: rnnoise.DELAY + SEAM]
            before = held.block[-WARM_UP:]
            yield from self._start(held)
        self._held = _Waiting(before, block, (self._share if before.size else share, share))
        self._share = share

    def flush(self) -> Iterator[Samples]:
        if self._held is not None:
            yield from self._start(self._held)
        while self._running:
            yield self._joined(self._running.popleft())
        self._pool.shutdown()

    def _start(self, stretch: _Waiting) -> Iterator[Samples]:
        self._running.append(self._pool.submit(stretch.clean) if any(stretch.share) else stretch.clean())
        while len(self._running) > self._threads:
            yield self._joined(self._running.popleft())

    def _joined(self, piece: Future[Piece] | Piece) -> Samples:
        """The next stretch, its first samples blended with what the run before made of them."""
        block, beyond = piece.result() if isinstance(piece, Future) else piece
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
        share = float(np.interp(contrast, SHARE_AT_DB, SHARE)) if noisy else self._restless(block, contrast)
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

    def _restless(self, block: Samples, contrast: float) -> float:
        """The share where noise comes and goes: a sample of every other stretch says whether to listen to all of it."""
        if contrast >= STUDIO_DB or (self._stretches % 2 == 0 and not self._share):
            return 0.0
        if block.size < SAMPLE:
            return self._share
        sample = block[-2 * SAMPLE :] if self._stretches == 1 else block[-SAMPLE:]
        return restless(block) if restless(sample, DOUBT_DB) else 0.0

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


def restless(block: Samples, doubt_db: float = 0.0) -> float:
    """The share of RNNoise that the noise between the words asks for; 0 where it is quiet, or nothing can be said."""
    _, probability = rnnoise.denoised(block)
    frames = block.size // rnnoise.FRAME
    words, pauses = probability[:frames] > 0.8, probability[:frames] < 0.3
    words[:30] = pauses[:30] = False  # RNNoise has just started
    # In a sample a few pauses are enough to become suspicious, the verdict needs more.
    if words.sum() < PAUSES or pauses.sum() < (PAUSES if not doubt_db else PAUSES // 3):
        return 0.0
    wide, high = (_distance_db(sound, words, pauses) for sound in (block, np.asarray(sosfilt(HIGH, block), np.float32)))
    doubtful = wide < RESTLESS_WIDE_DB + doubt_db and high < RESTLESS_HIGH_DB + doubt_db
    share = float(np.interp(high, RESTLESS_AT_DB, RESTLESS_SHARE))
    loud = wide < RESTLESS_DB + doubt_db and high < ONLY_LOW_DB + doubt_db
    return share if loud or doubtful else 0.0


def _distance_db(sound: Samples, words: npt.NDArray[np.bool_], pauses: npt.NDArray[np.bool_]) -> float:
    power = np.mean(sound[: words.size * rnnoise.FRAME].reshape(words.size, -1) ** 2, axis=1)
    return db(float(power[words].mean())) - db(float(power[pauses].mean()))
