"""Pitch by YIN: the fundamental frequency of each frame, and how periodic the frame is.

De Cheveigné & Kawahara (2002), "YIN, a fundamental frequency estimator for speech and music": difference function
through FFT, cumulative mean normalisation, absolute threshold, parabolic interpolation. All frames at once.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from chasqui.features.arrays import Array, counted, irfft, namespace, rfft, squared, table

VOICED = 0.3  # a frame is voiced when the difference at its period is below this share of the mean difference


class Yin(NamedTuple):
    """How to look for a period. `speech` and `librosa` make the two kinds that there are."""

    rate_hz: int
    size: int  # samples in a frame
    first: int  # shortest and longest period, samples
    last: int
    window: int  # samples compared at every lag; 0: as many as overlap, fewer for longer lags
    dip: float = 0.15  # absolute threshold; the paper's is 0.1–0.15
    floor: float = 1e-7  # keeps digital silence (and what rounding leaves of it) from looking periodic
    closed: bool = False  # the periods beside `first` and `last` are not looked at, not even for comparison

    @staticmethod
    def speech(rate_hz: int, lowest_hz: float = 60, highest_hz: float = 800) -> Yin:
        """Frames of 64 ms; a deep man's voice to a child shouting. At 8 kHz 47 ms are compared at every lag."""
        size = round(0.064 * rate_hz)
        lags = int(rate_hz / lowest_hz) + 2
        return Yin(rate_hz, size, int(rate_hz / highest_hz), lags - 2, size - lags)

    @staticmethod
    def librosa(rate_hz: int, fmin: float, fmax: float, frame_length: int = 2048, trough: float = 0.1) -> Yin:
        """`librosa.yin` from version 0.11."""
        last = min(math.ceil(rate_hz / fmin), frame_length - 1)
        return Yin(rate_hz, frame_length, int(rate_hz / fmax), last, 0, trough, 0.0, True)


def yin(frames: Array, how: Yin) -> tuple[Array, Array]:
    """(F0 in Hz wherever the period is best; aperiodicity 0–1) of frames [..., size]. Voiced: aperiodicity < VOICED."""
    xp = namespace(frames)
    normal = _normalised_difference(frames, how)
    lag = _first_dip(normal, how)
    around = [xp.take_along_axis(normal, lag[..., None] + step, axis=-1)[..., 0] for step in (-1, 0, 1)]
    left, here, right = around
    curve = left - 2 * here + right
    flat = curve <= 1e-9
    shift = 0.5 * (left - right) / xp.where(flat, xp.ones_like(curve), curve)
    still = flat | (((lag == how.first) | (lag == how.last)) & how.closed)
    shift = xp.clip(xp.where(still, xp.zeros_like(shift), shift), -1.0, 1.0)
    return how.rate_hz / (xp.astype(lag, frames.dtype) + shift), xp.clip(here, 0.0, 1.0)


def voiced_only(f0_hz: Array, aperiodicity: Array) -> Array:
    """F0 where the frame is voiced, else 0."""
    xp = namespace(f0_hz)
    return xp.where(aperiodicity < VOICED, f0_hz, xp.zeros_like(f0_hz))


def _normalised_difference(frames: Array, how: Yin) -> Array:
    """d'(lag) for lags 0 to last + 1 (step 3 of the paper)."""
    xp = namespace(frames)
    difference = _difference(frames, how)
    means = xp.cumulative_sum(difference, axis=-1) / table(frames, _from_one, how.last + 1)
    tiny = max(how.floor, 1e-30)
    ones = xp.ones_like(difference[..., :1])
    return xp.concat([ones, (difference + how.floor) / (means + tiny)], axis=-1)


def _difference(frames: Array, how: Yin) -> Array:
    """d(lag) for lags 1 to last + 1 (step 2 of the paper)."""
    xp = namespace(frames)
    lags, square = how.last + 2, frames * frames
    if how.window:
        # Circular correlation is the plain one here: window + lags never passes the end of the frame.
        spectrum, head = rfft(frames), rfft(frames[..., : how.window], n=how.size)
        common = irfft(spectrum * xp.conj(head), how.size)[..., 1:lags]
        at_zero = xp.sum(square[..., : how.window], axis=-1, keepdims=True)
        moved = square[..., how.window : how.window + lags - 1] - square[..., : lags - 1]
        energies = at_zero + at_zero + xp.cumulative_sum(moved, axis=-1)
    else:
        twice = 2 ** math.ceil(math.log2(2 * how.size - 1))
        correlation = irfft(xp.astype(squared(rfft(frames, n=twice)), xp.complex64), twice)
        common = correlation[..., 1:lags]
        energies = 2 * correlation[..., :1] - xp.cumulative_sum(square[..., : lags - 1], axis=-1)
    difference = energies - 2 * common
    return xp.where(difference > 0, difference, xp.zeros_like(difference))


def _first_dip(normal: Array, how: Yin) -> Array:
    """The lag of the first local minimum below the threshold, else of the lowest value."""
    xp = namespace(normal)
    size = how.last + 1 - how.first
    inner = normal[..., how.first : how.last + 1]
    number = counted(normal, size)
    falls = inner <= normal[..., how.first - 1 : how.last]
    rises = inner <= normal[..., how.first + 1 : how.last + 2]
    if how.closed:
        falls, rises = falls | (number == 0), rises | (number == size - 1)
    dip = (inner < how.dip) & falls & rises
    first = xp.min(xp.where(dip, number, xp.full_like(inner, float(size))), axis=-1)
    lowest = xp.argmin(inner, axis=-1)
    return xp.where(first < size, xp.astype(first, lowest.dtype), lowest) + how.first


def _from_one(size: int) -> np.ndarray[Any, Any]:
    return np.arange(1, size + 1, dtype=np.float32)
