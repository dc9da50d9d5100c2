"""Many channels to one, without cancelling: a channel in opposite phase is turned round, a dead one left out.

A lecture recorded with one plug wired the wrong way is in phase opposition: the plain sum of its channels is silence.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from chasqui.clean.step import RATE_HZ, Samples, fade
from chasqui.records import Treatment

Block = npt.NDArray[np.float32]

#: Below this correlation with the loudest channel the sum would lose more than 3 dB: turn the channel round …
OPPOSED = -0.5
#: … and back only above this one, so that a recording near the edge does not flip.
AGREED = -0.1
#: 40 dB under the loudest channel there is nothing but the cable's hum.
DEAD = 1e-4
#: Mean power (−70 dBFS) under which a stretch says nothing about its channels.
NOTHING = 1e-7
FADE = RATE_HZ // 10
#: Share of each of 6 or 8 channels (FFmpeg's order: L R C LFE …): speech is in the centre, the LFE has none.
SURROUND = {6: (0.7, 0.7, 1.0, 0.0, 0.5, 0.5), 8: (0.7, 0.7, 1.0, 0.0, 0.5, 0.5, 0.5, 0.5)}


class Downmix:
    """Float32 [channels, n] in, [n] out, with one decision per block and a fade of 0.1 s between two decisions."""

    def __init__(self, channel: str = "mix") -> None:
        """`channel`: "mix", or "left" or "right" for one alone."""
        self._only = {"left": 0, "right": 1}.get(channel)
        self._weights: Block | None = None
        self._signs: Block = np.ones(1, np.float32)
        self._channels = 1
        self._seen: Counter[str] = Counter()
        self._samples = 0

    def mono(self, block: Block) -> Samples:
        self._channels = max(self._channels, block.shape[0])
        self._samples += block.shape[1]
        if block.shape[0] == 1:
            return np.ascontiguousarray(block[0])
        if self._only is not None:
            return np.ascontiguousarray(block[self._only])
        before, now = self._weights, self._decide(block)
        self._weights = now
        if before is None or np.array_equal(before, now):
            return np.asarray(now @ block, np.float32)
        gains = np.stack([fade(float(a), float(b), block.shape[1], FADE) for a, b in zip(before, now, strict=True)])
        return np.asarray(np.einsum("cn,cn->n", gains, block), np.float32)

    def _decide(self, block: Block) -> Block:
        """The weight of each channel for this block."""
        count = block.shape[0]
        if self._weights is None:
            self._signs = np.ones(count, np.float32)
        together = (block @ block.T).astype(np.float64) / block.shape[1]
        power = np.diag(together)
        if power.max() < NOTHING:  # silence: stay with what was decided, or start with the plain mean
            return self._weights if self._weights is not None else np.full(count, 1 / count, np.float32)
        loudest = int(np.argmax(power))
        likeness = together[loudest] / np.sqrt(power * power[loudest] + 1e-20) * self._signs[loudest]
        self._signs = np.where(likeness < np.where(self._signs < 0, AGREED, OPPOSED), -1, 1).astype(np.float32)
        alive = power > DEAD * power[loudest]
        self._count(alive, block.shape[1])
        share = np.array(SURROUND.get(count, (1.0,) * count)) * alive
        if share.sum() == 0:
            share = alive.astype(float)
        return np.asarray(self._signs * share / share.sum(), np.float32)

    def _count(self, alive: npt.NDArray[np.bool_], samples: int) -> None:
        if (self._signs[alive] < 0).any():
            self._seen["opposed"] += samples
        if not alive.all():
            self._seen["dead"] += samples

    def treatment(self) -> Treatment:
        if self._only is not None:
            return self._alone()
        opposed, dead = self._seen["opposed"] / RATE_HZ, self._seen["dead"] / RATE_HZ
        why = "one channel already" if self._channels == 1 else f"{self._channels} channels averaged"
        if opposed:
            why += f"; in {opposed:.0f} s a channel was in opposite phase and was turned round"
        if dead:
            why += f"; in {dead:.0f} s a channel was dead and was left out"
        effect = {"channels": float(self._channels), "opposed_s": round(opposed, 1), "dead_s": round(dead, 1)}
        return Treatment(name="downmix", applied=self._channels > 1, effect=effect, why=why)

    def _alone(self) -> Treatment:
        side = ("left", "right")[self._only or 0]
        there = self._channels > 1
        why = f"the {side} channel alone, as asked" if there else f"one channel already: there is no {side} one to take"
        return Treatment(name="downmix", applied=there, effect={"channels": float(self._channels)}, why=why)
