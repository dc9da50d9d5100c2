"""ESTOI: extended short-time objective intelligibility, 0 to 1.

Judges how much of the speech modulation survives; above 0.8 nearly every word is understood. Reference: J. Jensen and
C. H. Taal, "An Algorithm for Predicting the Intelligibility of Speech Masked by Modulated Noise Maskers", IEEE/ACM
TASLP 24(11), 2016. Conventions: float32 mono at 16 kHz, reference and degraded sample-aligned and equally long. Follows
pystoi (resampling filter, framing and normalisation included) and agrees with it to 1e-3; the reference side is
prepared once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from chasqui.metrics.resample import Resampler

VERSION = "estoi-1"
RATE_HZ = 16_000

_FRAME = 256  # 25.6 ms at 10 kHz, half overlapped
_HOP = _FRAME // 2
_NFFT = 512
_BANDS = 15  # third octaves from 150 Hz to 3.8 kHz
_FIRST_BAND_HZ = 150
_SPAN = 30  # frames in one short-time segment: 384 ms
_DYNAMIC_RANGE_DB = 40  # frames quieter than this under the loudest one do not count

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Reference:
    """The prepared reference side: which frames count and its normalised third-octave segments."""

    samples: int
    mask: NDArray[np.bool_]
    normed: Array  # [segments, bands, frames]


def prepare(reference: NDArray[Any]) -> Reference | None:
    """Prepare a reference of shape [samples] at 16 kHz.

    Returns:
        None where fewer than 30 frames (0.4 s) of sound are louder than the floor, or none is: nothing to judge.
    """
    frames = _frames(reference)
    if len(frames) < _SPAN + 1 or not frames.any():
        return None
    energy_db = 20 * np.log10(np.linalg.norm(frames, axis=1) + np.finfo(np.float64).eps)
    mask = energy_db > energy_db.max() - _DYNAMIC_RANGE_DB
    bands = _third_octaves(frames, mask)
    if bands.shape[1] < _SPAN:
        return None
    return Reference(len(reference), mask, _normed(bands))


def score(reference: Reference, degraded: NDArray[Any]) -> float:
    """ESTOI of a degraded signal of shape [samples] at 16 kHz against the prepared reference.

    Raises:
        ValueError: the lengths differ; align and trim first.
    """
    if len(degraded) != reference.samples:
        raise ValueError(f"degraded has {len(degraded)} samples, the reference {reference.samples}")
    other = _normed(_third_octaves(_frames(degraded), reference.mask))
    return float(np.einsum("sbf,sbf->", reference.normed, other, dtype=np.float64) / _SPAN / len(other))


def _frames(signal: NDArray[Any]) -> Array:
    """Windowed half-overlapping frames at 10 kHz, shape [frames, 256]."""
    low = _to_10k()(signal)
    if len(low) <= _FRAME:
        return np.zeros((0, _FRAME), np.float32)
    # pystoi stops one frame early (range(0, len - frame, hop)); so do we.
    return sliding_window_view(low[:-1], _FRAME)[::_HOP] * _window()


def _third_octaves(frames: Array, mask: NDArray[np.bool_]) -> Array:
    """Magnitudes of the counted frames in third octaves, shape [bands, frames]."""
    kept = frames[mask]
    signal = np.zeros((len(kept) + 1) * _HOP, np.float32)
    signal[: len(kept) * _HOP] += kept[:, :_HOP].reshape(-1)
    signal[_HOP:] += kept[:, _HOP:].reshape(-1)
    again = sliding_window_view(signal[:-1], _FRAME)[::_HOP] * _window() if len(kept) > 1 else kept[:0]
    spectrum = scipy.fft.rfft(again, _NFFT, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    return np.ascontiguousarray(np.sqrt(power @ _band_matrix()).T)


def _normed(bands: Array) -> Array:
    """Row- and column-normalised sliding segments, shape [segments, bands, 30] (equations 3 to 5 of the paper)."""
    tiny = np.float32(np.finfo(np.float32).tiny)
    segments = sliding_window_view(bands, _SPAN, axis=1).transpose(1, 0, 2)
    rows: Array = segments - segments.mean(axis=2, keepdims=True)
    rows /= np.sqrt(np.einsum("sbf,sbf->sb", rows, rows))[:, :, None] + tiny
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= np.sqrt(np.einsum("sbf,sbf->sf", rows, rows))[:, None, :] + tiny
    return rows


@lru_cache(maxsize=1)
def _window() -> Array:
    return np.asarray(np.hanning(_FRAME + 2)[1:-1], np.float32)


@lru_cache(maxsize=1)
def _band_matrix() -> Array:
    """Which FFT bins belong to which third octave, shape [bins, bands]."""
    bins_hz = np.linspace(0, 10_000, _NFFT + 1)[: _NFFT // 2 + 1]
    index = np.arange(_BANDS)
    low_hz = _FIRST_BAND_HZ * 2 ** ((2 * index - 1) / 6)
    high_hz = _FIRST_BAND_HZ * 2 ** ((2 * index + 1) / 6)
    matrix = np.zeros((len(bins_hz), _BANDS), np.float32)
    for band in range(_BANDS):
        first, last = np.argmin((bins_hz - low_hz[band]) ** 2), np.argmin((bins_hz - high_hz[band]) ** 2)
        matrix[first:last, band] = 1
    return matrix


@lru_cache(maxsize=1)
def _to_10k() -> Resampler:
    """16 → 10 kHz, through the Kaiser low-pass that Octave's resample designs (the paper's reference code uses it)."""
    up, down, rejection_db = 5, 8, 60.0
    cutoff = 1 / (2 * max(up, down))
    roll_off = cutoff / 10
    half = int(np.ceil((rejection_db - 8) / (28.714 * roll_off)))
    beta = 0.1102 * (rejection_db - 8.7)
    t = np.arange(-half, half + 1)
    ideal = 2 * up * cutoff * np.sinc(2 * cutoff * t)
    taps = ideal * np.kaiser(2 * half + 1, beta)
    return Resampler(up, down, tuple(float(tap) for tap in taps / np.sum(taps)))
