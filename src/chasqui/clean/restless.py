"""Noise that comes and goes, such as typing: it leaves the floor low, so RNNoise is asked where the words are.

It listens to a sample of every other stretch; what looks bad there is listened to in full. The mean power of words is
compared with that between them, over all frequencies and over those of hiss and clatter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from chasqui.clean import rnnoise
from chasqui.clean.step import RATE_HZ, Samples, db
from chasqui.metrics.filters import Sections

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
#: 2 to 8 kHz: Butterworth's band-pass from a low-pass of fourth order, at 48 kHz.
HIGH = (
    (0.010209480791203141, 0.020418961582406282, 0.010209480791203141, 1.0, -0.9457438114705762, 0.34393014919672515),
    (1.0, 2.0, 1.0, 1.0, -1.506241981168676, 0.6097614828079503),
    (1.0, -2.0, 1.0, 1.0, -0.8636157646445274, 0.6542450311773086),
    (1.0, -2.0, 1.0, 1.0, -1.8096035743677878, 0.8774417652831612),
)


class Listener:
    """Says for stretch after stretch, by number from 1, which share of RNNoise its restless noise asks for."""

    def __init__(self) -> None:
        self._known: dict[int, float] = {}

    def prepare(self, first: int, blocks: Sequence[Samples], contrasts: Sequence[float], quiet_db: float) -> None:
        """Listen side by side to those stretches from number `first` on that will surely be asked about."""
        asked = {
            number: block
            for number, (block, contrast) in enumerate(zip(blocks, contrasts, strict=True), first)
            if number % 2 and quiet_db <= contrast < STUDIO_DB and block.size >= SAMPLE
        }
        self._known = dict(zip(asked, _shares(list(asked.values()), first_of_all=1 in asked), strict=True))

    def share(self, number: int, block: Samples, contrast: float, before: float) -> float:
        """The share for one stretch; `before` is that of the stretch before it. Where noise was treated, none is left
        out."""
        if contrast >= STUDIO_DB or (number % 2 == 0 and not before):
            return 0.0
        if block.size < SAMPLE:
            return before
        if number not in self._known:
            self._known[number] = _shares([block], first_of_all=number == 1)[0]
        return self._known[number]


def _shares(blocks: list[Samples], first_of_all: bool) -> list[float]:
    """What a sample says, and where that is suspicious, what the whole block says."""
    samples = [block[-SAMPLE:] for block in blocks]
    if first_of_all:  # a recording may begin with a pause
        samples[0] = blocks[0][-2 * SAMPLE :]
    heard = zip(samples, rnnoise.speech(samples), strict=True)
    suspicious = [restless(sample, chance, DOUBT_DB) > 0 for sample, chance in heard]
    whole = [block for block, doubtful in zip(blocks, suspicious, strict=True) if doubtful]
    found = iter([restless(block, chance) for block, chance in zip(whole, rnnoise.speech(whole), strict=True)])
    return [next(found) if doubtful else 0.0 for doubtful in suspicious]


def restless(block: Samples, chance: npt.NDArray[np.float32], doubt_db: float = 0.0) -> float:
    """The share of RNNoise that the noise between the words asks for; 0 where it is quiet, or nothing can be said.

    `chance` is that of speech, per 10 ms.
    """
    frames = block.size // rnnoise.FRAME
    words, pauses = chance[:frames] > 0.8, chance[:frames] < 0.3
    words[:30] = pauses[:30] = False  # RNNoise has just started
    # In a sample a few pauses are enough to become suspicious, the verdict needs more.
    if words.sum() < PAUSES or pauses.sum() < (PAUSES if not doubt_db else PAUSES // 3):
        return 0.0
    wide = _distance_db(block, words, pauses)
    high = _distance_db(Sections(HIGH)(block).astype(np.float32), words, pauses)
    doubtful = wide < RESTLESS_WIDE_DB + doubt_db and high < RESTLESS_HIGH_DB + doubt_db
    share = float(np.interp(high, RESTLESS_AT_DB, RESTLESS_SHARE))
    loud = wide < RESTLESS_DB + doubt_db and high < ONLY_LOW_DB + doubt_db
    return share if loud or doubtful else 0.0


def _distance_db(sound: Samples, words: npt.NDArray[np.bool_], pauses: npt.NDArray[np.bool_]) -> float:
    power = np.mean(sound[: words.size * rnnoise.FRAME].reshape(words.size, -1) ** 2, axis=1)
    return db(float(power[words].mean())) - db(float(power[pauses].mean()))
