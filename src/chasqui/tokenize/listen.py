"""The master in blocks with a little of their neighbours on both sides, and the 10 ms frames that units and syllables
are found in. Every number depends on its block alone, so memory is that of one block, however long the recording.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chasqui.features import Settings, extract
from chasqui.features.lower import lower
from chasqui.media.flac import read_master

Floats = NDArray[np.float32]

RATE_HZ = 48_000
#: 12 s hold a whole number of frames of everything that is made of them: 10, 13.3, 20 and 80 ms.
BLOCK_S = 12
BLOCK = BLOCK_S * RATE_HZ
#: Frames are 10 ms, with 300 ms more on both sides: half a window, the context of a unit, the width of a syllable.
FRAMES_PER_S = 100
MARGIN_FRAMES = 30
MARGIN = MARGIN_FRAMES * RATE_HZ // FRAMES_PER_S
CEPSTRA = 20  # what analyze measures too, so its means and deviations fit
#: Mel bands of analyze (40 from 20 to 7600 Hz) between about 300 and 2500 Hz, where vowels are loud and hiss is not.
SONORANT = slice(5, 23)


class Block(NamedTuple):
    """Sound at 48 kHz: `before` samples of the block before, the block, and some of the next."""

    sound: Floats
    before: int
    samples: int  # of the block itself
    start: int  # its first sample in the recording


class Frames(NamedTuple):
    """Frames of 10 ms; row `first` is centred on the block's first sample, `own` of them belong to the block."""

    cepstra: Floats  # [frames, CEPSTRA]
    sonority_db: Floats  # [frames]
    level_dbfs: Floats  # [frames]
    first: int
    own: int


def blocks(master: Path, gain_db: float, before: int = MARGIN, after: int = MARGIN) -> Iterator[Block]:
    """The master with its gain, 12 s at a time, each with up to that many samples of what stands beside it."""
    held: Floats | None = None
    past = np.zeros(0, np.float32)
    start = 0
    for piece in read_master(master, gain_db, BLOCK):
        if held is not None:
            yield Block(np.concatenate([past, held, piece[:after]]), past.size, held.size, start)
            past, start = held[held.size - before :], start + held.size
        held = piece
    if held is not None:
        yield Block(np.concatenate([past, held]), past.size, held.size, start)


def frames(block: Block) -> Frames:
    """The frames of a block and its margins."""
    (at_16k,) = lower(block.sound, (3,))
    settings = Settings.at(16_000, mfccs=CEPSTRA)
    shortest = settings.window  # a block of a few samples, without a neighbour, is still a frame
    if len(at_16k) < shortest:
        at_16k = np.pad(at_16k, (0, shortest - len(at_16k)))
    found = extract(at_16k, 16_000, ("mfcc", "log_mel", "level_dbfs"), settings=settings).clip(0)
    sonority = np.log(np.exp(found["log_mel"][:, SONORANT]).sum(axis=1)) * np.float32(10 / np.log(10))
    step = RATE_HZ // FRAMES_PER_S
    own = -(-block.samples // step)
    return Frames(found["mfcc"], sonority, found["level_dbfs"][:, 0], block.before // step, own)
