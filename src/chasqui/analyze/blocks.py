"""The master in blocks on which every grid begins afresh, each with a little of its neighbours on both sides.

Whatever is measured on a block is a function of that block alone, so nothing depends on how the file was read, and
memory is that of one block. 12 s is the shortest time that holds a whole number of Opus packets (60 ms), Silero chunks
(32 ms), frames (10 ms) and seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from chasqui.features import lower as resample

Floats = npt.NDArray[np.float32]

RATE_HZ = 48_000
SECONDS = 12
SAMPLES = SECONDS * RATE_HZ
PACKETS = 200
MARGIN = 3_600  # 75 ms on either side: more than half of the longest frame (64 ms), and the length becomes 2⁵·3⁶·5²


class Block(NamedTuple):
    """12 s of sound with 75 ms more on both sides; zeros where there is none."""

    full: Floats  # 48 kHz, [583200]
    samples: int  # how many of the 576000 between the margins exist (fewer only in the last block)

    @property
    def inner(self) -> Floats:
        return self.full[MARGIN:-MARGIN]


class Bands(NamedTuple):
    """The block at the lower rates, margins included."""

    at_16k: Floats
    at_8k: Floats


def blocks(pieces: Iterable[Floats]) -> Iterator[Block]:
    """Blocks from pieces of exactly 12 s (the last may be shorter), as `read_master(block=SAMPLES)` gives."""
    before = np.zeros(MARGIN, np.float32)
    held: Floats | None = None
    for piece in pieces:
        if held is not None:
            yield _block(before, held, piece)
            before = held[-MARGIN:]
        held = piece
    if held is not None and held.size:
        yield _block(before, held, np.zeros(0, np.float32))


def _block(before: Floats, piece: Floats, after: Floats) -> Block:
    full = np.zeros(SAMPLES + 2 * MARGIN, np.float32)
    full[:MARGIN] = before
    full[MARGIN : MARGIN + piece.size] = piece
    if piece.size == SAMPLES:
        full[MARGIN + SAMPLES :][: after.size] = after[:MARGIN]
    return Block(full, piece.size)


def lower(block: Block) -> Bands:
    """The block at 16 and 8 kHz. What the filter rings at the outer ends dies far inside the margins."""
    return Bands(*resample.lower(block.full))
