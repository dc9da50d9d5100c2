"""Mel bands: triangles on the HTK or the Slaney scale, and their logarithms.

HTK: 2595·log10(1 + f/700) (The HTK Book, 5.4). Slaney: linear below 1 kHz, logarithmic above (Auditory Toolbox, 1998;
librosa's default, there with triangles of equal area).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from chasqui.features.arrays import Array, namespace
from chasqui.features.spectrum import FLOOR, bin_hz

Scale = Literal["htk", "slaney"]
Norm = Literal["peak", "area"]
Numbers = np.ndarray[Any, Any]

_SLANEY_STEP = 200 / 3  # Hz per mel below 1 kHz
_SLANEY_KNEE = 1000 / _SLANEY_STEP
_SLANEY_LOG = np.log(6.4) / 27  # above: 27 steps from 1 to 6.4 kHz


def matrix(
    rate_hz: int, fft: int, bands: int, low_hz: float, high_hz: float, scale: Scale = "htk", norm: Norm = "peak"
) -> Numbers:
    """[fft/2 + 1, bands] triangles, equally spaced on the scale, peaking at 1 or of equal area: power @ matrix."""
    edges = to_hz(np.linspace(to_mel(low_hz, scale), to_mel(high_hz, scale), bands + 2), scale)
    bins = bin_hz(rate_hz, fft).astype(np.float64)[:, None]
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rise, fall))
    if norm == "area":
        triangles *= 2 / (edges[2:] - edges[:-2])
    return np.asarray(triangles, np.float32)


def to_mel(hz: Any, scale: Scale) -> Numbers:
    """Hz → mel."""
    hz = np.asarray(hz, np.float64)
    if scale == "htk":
        return np.asarray(2595 * np.log10(1 + hz / 700))
    above = _SLANEY_KNEE + np.log(np.maximum(hz, 1000) / 1000) / _SLANEY_LOG
    return np.asarray(np.where(hz < 1000, hz / _SLANEY_STEP, above))


def to_hz(mel: Any, scale: Scale) -> Numbers:
    """Mel → Hz."""
    mel = np.asarray(mel, np.float64)
    if scale == "htk":
        return np.asarray(700 * (10 ** (mel / 2595) - 1))
    above = 1000 * np.exp(_SLANEY_LOG * (np.maximum(mel, _SLANEY_KNEE) - _SLANEY_KNEE))
    return np.asarray(np.where(mel < _SLANEY_KNEE, mel * _SLANEY_STEP, above))


def natural(mels: Array, floor: float = FLOOR) -> Array:
    """Natural logarithm, of silence that of the floor."""
    return namespace(mels).log(mels + floor)


def topped_db(mels: Array, floor: float = FLOOR, top_db: float | None = 80.0) -> Array:
    """dB as librosa's `power_to_db`: at least the floor, and at most `top_db` below the loudest of each clip
    ([..., frames, bands])."""
    xp = namespace(mels)
    # Not `clip`: its limits would have to be arrays in some libraries.
    logs = 10.0 * xp.log10(xp.where(mels > floor, mels, xp.full_like(mels, floor)))
    if top_db is None:
        return logs
    return xp.maximum(logs, xp.max(logs, axis=(-2, -1), keepdims=True) - top_db)
