"""Spectra: Hann windows, power spectra, and what bins mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from chasqui.features.arrays import Array, namespace, rfft, squared, table

FLOOR = 1e-10  # −100 dBFS: below the last bit of a 16 bit recording


def power(frames: Array, fft: int, *, density: bool = True) -> Array:
    """Power spectra [..., fft/2 + 1] of frames [..., size ≤ fft] under a periodic Hann window.

    With `density` scaled so that the bins of white noise add up to its mean square; without, the plain |X|² of librosa.
    """
    return squared(rfft(frames * table(frames, _window, frames.shape[-1], fft if density else 0), n=fft))


def magnitude(power: Array) -> Array:
    """Square roots of a power spectrum."""
    return namespace(power).sqrt(power)


def decibels(power: Array, floor: float = FLOOR) -> Array:
    """10·log10(power + floor): finite also for silence."""
    return namespace(power).log10(power + floor) * 10.0


def hann(size: int) -> np.ndarray[Any, Any]:
    """Periodic Hann window."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size), np.float32)


def bin_hz(rate_hz: int, fft: int) -> np.ndarray[Any, Any]:
    """Frequencies of the bins from DC to half the rate, Hz."""
    return (np.arange(fft // 2 + 1) * rate_hz / fft).astype(np.float32)


def _window(size: int, density: int) -> np.ndarray[Any, Any]:
    window = hann(size).astype(np.float64)
    return np.asarray(window * np.sqrt(2 / (density * np.sum(window**2))) if density else window, np.float32)
