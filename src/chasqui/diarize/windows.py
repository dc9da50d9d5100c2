"""Whose voice each moment has: windows of 1.6 s over the speech, a voiceprint for each, in one pass over the master.

Voiceprints go to a file as they are made and are read from there, so memory stays that of half a minute of sound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from chasqui.metrics.resample import third
from chasqui.models import voiceprint

Floats = npt.NDArray[np.float32]
Prints = npt.NDArray[np.float16]

RATE_HZ = 48_000
BLOCK_S = 24
WINDOW_S = voiceprint.WINDOW_FRAMES / 100
#: Windows are this far apart at most. Half as far took twice the time and was no better (docs/diarize.md).
HOP_S = 0.8
#: What speech is brought to: the encoder takes powers, not their logarithms, and was trained on speech at about this.
#: 6 dB more or less change nothing that was measured.
LEVEL_DBFS = -24.0
#: Sound on either side of a block: half a window, half a frame, and what the low-pass rings.
_MARGIN = RATE_HZ
_TOGETHER = 128


class Window(NamedTuple):
    """A window of 1.6 s around its middle, in seconds of the recording, and the region it belongs to."""

    middle_s: float
    region: int


class Voices(NamedTuple):
    """Windows in order, and what they sound like, in files."""

    middles_s: npt.NDArray[np.float64]
    regions: npt.NDArray[np.int64]
    prints: Prints  # [windows, 256]
    overlap: Prints  # [windows, 16] log odds that two speak, see models/voiceprint.py


def windows(regions: Sequence[tuple[float, float]]) -> list[Window]:
    """Windows that lie inside their region where it is long enough, else around its middle."""
    found: list[Window] = []
    for number, (start, end) in enumerate(regions):
        room = end - start - WINDOW_S
        if room <= 0:
            found.append(Window((start + end) / 2, number))
            continue
        count = int(np.ceil(room / HOP_S)) + 1
        places = np.linspace(start + WINDOW_S / 2, end - WINDOW_S / 2, count)
        found += [Window(float(place), number) for place in places]
    return found


def listen(
    pieces: Iterable[Floats],
    regions: Sequence[tuple[float, float]],
    gain: float,
    folder: Path,
    advanced: Callable[[float], None] = lambda _: None,
) -> Voices:
    """The voice of every window of the regions.

    Args:
        pieces: the master in blocks of exactly BLOCK_S (the last may be shorter), 48 kHz.
        gain: factor that brings its speech to LEVEL_DBFS.
        folder: to put the voiceprints into.
        advanced: hears seconds done.
    """
    wanted = windows(regions)
    prints, overlap = folder / "prints.f16", folder / "overlap.f16"
    with prints.open("wb") as first, overlap.open("wb") as second:
        mels = _mels(pieces, wanted, gain, advanced)
        while part := list(islice(mels, _TOGETHER)):
            heard = voiceprint.voiceprints(np.stack(part))
            first.write(heard.prints.astype(np.float16).tobytes())
            second.write(heard.overlap.astype(np.float16).tobytes())
    middles = np.array([window.middle_s for window in wanted], np.float64)
    places = np.array([window.region for window in wanted], np.int64)
    return Voices(
        middles,
        places,
        _mapped(prints, (len(wanted), voiceprint.SIZE)),
        _mapped(overlap, (len(wanted), voiceprint.MOMENTS)),
    )


def _mapped(path: Path, shape: tuple[int, int]) -> Prints:
    return np.memmap(path, np.float16, "r", shape=shape) if shape[0] else np.zeros(shape, np.float16)


def _mels(
    pieces: Iterable[Floats], wanted: Sequence[Window], gain: float, advanced: Callable[[float], None]
) -> Iterator[Floats]:
    """The mel powers of each window, [160, 40], in order."""
    at, start = 0, 0  # next window, first sample of the block
    for around, samples in _around(pieces):
        stop_s = (start + samples) / RATE_HZ
        mine = []
        while at < len(wanted) and wanted[at].middle_s < stop_s:
            mine.append(wanted[at])
            at += 1
        if mine:
            yield from _cut(around, mine, start, gain)
        start += samples
        advanced(stop_s)


def _cut(around: Floats, mine: Sequence[Window], start: int, gain: float) -> Iterator[Floats]:
    low = third()(around * np.float32(gain))
    # The first frame is centred half a frame on; from there to the next multiple of the hop there is only margin.
    skip = -(voiceprint.WINDOW // 2) % voiceprint.HOP
    mels = voiceprint.mels(low[skip:])
    first_s = (start - _MARGIN) / RATE_HZ + (skip + voiceprint.WINDOW // 2) / voiceprint.RATE_HZ
    for window in mine:
        begin = round((window.middle_s - WINDOW_S / 2 - first_s) * 100)
        begin = min(max(begin, 0), len(mels) - voiceprint.WINDOW_FRAMES)
        yield mels[begin : begin + voiceprint.WINDOW_FRAMES]


def _around(pieces: Iterable[Floats]) -> Iterator[tuple[Floats, int]]:
    """(the block with a margin on both sides, zeros where there is nothing; how many samples the block has)."""
    before, held = np.zeros(_MARGIN, np.float32), None
    for piece in pieces:
        if held is not None:
            yield np.concatenate([before, held, _fitted(piece)]), len(held)
            before = held[-_MARGIN:]
        held = piece
    if held is not None:
        yield np.concatenate([before, held, np.zeros(_MARGIN, np.float32)]), len(held)


def _fitted(piece: Floats) -> Floats:
    return np.pad(piece[:_MARGIN], (0, max(0, _MARGIN - len(piece))))
