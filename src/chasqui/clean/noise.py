"""How noisy a stretch is, and up to which frequency it has content: one cheap spectrum for every 20 ms.

The measure is the distance between loud moments and the floor in each third of an octave that carries speech, averaged:
LibriSpeech recordings have 30–45 dB, speech in rain, trains or applause at 15 dB has 20–29 dB.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.fft import rfft, rfftfreq

from chasqui.clean.step import RATE_HZ, Samples

FRAME = 960
#: The bands of (E)STOI: 15 thirds of an octave from 150 Hz.
_CENTRES = 150.0 * 2.0 ** (np.arange(15) / 3)
_HZ = rfftfreq(FRAME, 1 / RATE_HZ)
_EDGES = np.concatenate([_CENTRES, _CENTRES[-1:] * 2 ** (1 / 3)]) * 2 ** (-1 / 6)
BANDS = (np.searchsorted(_EDGES, _HZ, "right") - 1 == np.arange(15)[:, None]).astype(np.float32)
_WINDOW = np.hanning(FRAME).astype(np.float32)
FLOOR_PERCENTILE, LOUD_PERCENTILE = 10, 90
#: A band cleaner than this is simply clean; more would let one silent band hide noise in the others.
CLEANEST_DB = 45.0
#: Floor and loud moments lie further apart than the mean powers of noise and speech: measured on known mixtures.
SPREAD_DB = 7.0
#: Content ends where the mean spectrum has fallen this far under its peak and stays there.
CONTENT_DB = -72.0


class Spectrum:
    """Sums up the spectra of all stretches, for the bandwidth of the recording."""

    def __init__(self) -> None:
        self._power = np.zeros(_HZ.size)
        self._last = np.zeros((0, BANDS.shape[0]))

    def contrast_db(self, block: Samples) -> float:
        """Distance between loud moments and the floor over this stretch; a short one borrows from the one before."""
        power = frames_power(block)
        self._power += power.sum(axis=0, dtype=np.float64)
        bands = power @ BANDS.T
        whole = np.concatenate([self._last, bands])[-RATE_HZ * 10 // FRAME :]
        self._last = whole
        return contrast_db(whole)

    def bandwidth_hz(self) -> float:
        """The highest frequency with content, in steps of 100 Hz; 0 for silence."""
        steps = np.convolve(self._power, np.full(2, 0.5), "same")
        if steps.max() <= 1e-9:
            return 0.0
        heard = np.flatnonzero(steps > steps.max() * 10 ** (CONTENT_DB / 10))
        return float(np.round(_HZ[heard[-1]], -2))


def frames_power(block: Samples) -> npt.NDArray[np.float32]:
    """Power spectrum of every 20 ms, [frames, bins]."""
    frames = block[: block.size // FRAME * FRAME].reshape(-1, FRAME)
    return np.asarray(np.abs(rfft(frames * _WINDOW)) ** 2, np.float32)


def contrast_db(bands: npt.NDArray[np.floating]) -> float:
    """The measure of this file, of band powers [frames, bands]. Nothing there: as clean as can be."""
    if len(bands) < 10:
        return CLEANEST_DB
    low, high = np.percentile(bands, [FLOOR_PERCENTILE, LOUD_PERCENTILE], axis=0)
    low, high = low + 1e-9, high + 1e-9
    return float(np.minimum(10 * np.log10(np.maximum(high - low, 1e-12) / low), CLEANEST_DB).clip(-10).mean())


def levels(block: Samples) -> tuple[float, float]:
    """(floor, median) power of the frames of 20 ms of this stretch."""
    frames = block[: block.size // FRAME * FRAME].reshape(-1, FRAME)
    if not len(frames):
        return 0.0, 0.0
    low, middle = np.percentile(np.einsum("ij,ij->i", frames, frames) / FRAME, [FLOOR_PERCENTILE, 50])
    return float(low), float(middle)
