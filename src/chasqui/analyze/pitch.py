"""Pitch by YIN: the fundamental frequency of each frame, and how periodic the frame is.

De Cheveigné & Kawahara (2002), "YIN, a fundamental frequency estimator for speech and music": difference function
through FFT, cumulative mean normalisation, absolute threshold, parabolic interpolation. All frames of a block at once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft

Floats = npt.NDArray[np.float32]

RATE_HZ = 8_000  # F0 of voices lies below 600 Hz; half the rate of the rest is a quarter of the work
FRAME_SAMPLES = 512  # 64 ms
LOWEST_HZ, HIGHEST_HZ = 60, 800  # a deep man's voice; a child shouting, a soprano
_LAGS = RATE_HZ // LOWEST_HZ + 2
_FIRST = RATE_HZ // HIGHEST_HZ
_SUM = FRAME_SAMPLES - _LAGS  # samples compared at every lag: 47 ms, nearly three periods of the deepest voice
DIP = 0.15  # the paper's absolute threshold is 0.1–0.15
VOICED = 0.3  # a frame is voiced when the difference at its period is below this share of the mean difference


def yin(frames: Floats) -> tuple[Floats, Floats]:
    """(F0 in Hz, 0 where unvoiced; aperiodicity 0–1) of each frame, float32 [frames, 512] at 8 kHz."""
    normal = _normalised_difference(frames)
    lag = _first_dip(normal)
    rows = np.arange(len(frames))
    left, here, right = normal[rows, lag - 1], normal[rows, lag], normal[rows, lag + 1]
    curve = left - 2 * here + right
    shift = np.where(curve > 1e-9, 0.5 * (left - right) / np.maximum(curve, 1e-9), 0.0)
    f0 = RATE_HZ / (lag + np.clip(shift, -1, 1))
    return np.where(here < VOICED, f0, 0).astype(np.float32), np.clip(here, 0, 1).astype(np.float32)


def _normalised_difference(frames: Floats) -> Floats:
    """d'(lag) for lags 0 to _LAGS - 1 (step 3 of the paper)."""
    spectrum = fft.rfft(frames, axis=1)
    head = fft.rfft(frames[:, :_SUM], n=FRAME_SAMPLES, axis=1)
    # Circular correlation is the plain one here: _SUM + _LAGS never passes the end of the frame.
    common = fft.irfft(spectrum * head.conj(), n=FRAME_SAMPLES, axis=1)[:, :_LAGS]
    energy = np.zeros((len(frames), FRAME_SAMPLES + 1))
    np.cumsum(frames.astype(np.float64) ** 2, axis=1, out=energy[:, 1:])
    energies = energy[:, _SUM : _SUM + _LAGS] - energy[:, :_LAGS]
    difference = np.maximum(energies[:, :1] + energies - 2 * common, 0)
    means = np.cumsum(difference[:, 1:], axis=1) / np.arange(1, _LAGS)
    normal = np.ones((len(frames), _LAGS), np.float32)
    # 1e-7 keeps digital silence (and what rounding leaves of it) from looking periodic.
    normal[:, 1:] = (difference[:, 1:] + 1e-7) / (means + 1e-7)
    return normal


def _first_dip(normal: Floats) -> npt.NDArray[np.intp]:
    """The lag of the first local minimum below DIP, else of the lowest value."""
    inner = normal[:, _FIRST : _LAGS - 1]
    dip = (inner < DIP) & (inner <= normal[:, _FIRST - 1 : _LAGS - 2]) & (inner <= normal[:, _FIRST + 1 : _LAGS])
    return np.asarray(np.where(dip.any(axis=1), dip.argmax(axis=1), inner.argmin(axis=1)) + _FIRST, np.intp)
