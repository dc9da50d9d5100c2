"""Short-time spectra, and what of one of them the past of another explains.

The second is the heart of dereverberation by weighted prediction error (WPE: Nakatani et al., "Speech dereverberation
based on variance-normalized delayed linear prediction", IEEE TASLP 18(7), 2010) and, with another channel's past in
place of its own, of echo cancellation: a filter per frequency by least squares, weighted with the power of what stays,
so that loud speech of this end does not bend it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, rfft

from chasqui.clean.step import Samples

Spectra = npt.NDArray[np.complex64]  # [bins, frames]

#: 43 ms every 11 ms: long enough that a room's answer within a frame is a factor, short enough for syllables.
FRAME, HOP = 2048, 512
BINS = FRAME // 2 + 1
#: Root of Hann, before and after: their product adds up to the same everywhere.
_WINDOW = np.sqrt(np.hanning(FRAME + 1)[:-1]).astype(np.float32)
_SUM = np.float32(FRAME / HOP / 2)
#: Bins that are solved at once: a few MB.
TOGETHER = 64
#: Least variance of a bin, as a share of its loudest frame: silence must not weigh more than −60 dB.
FLOOR = 1e-6
#: Diagonal loading, as a share of the mean power: keeps the equations solvable, far under what is heard.
LOADING = 1e-6


def spectra(sound: Samples) -> Spectra:
    """The spectrum of each frame, [BINS, frames]; `sound_of` undoes it to rounding."""
    padded = np.pad(sound, (FRAME - HOP, FRAME))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    return np.ascontiguousarray(rfft(frames * _WINDOW, axis=1).T, np.complex64)


def sound_of(bins: Spectra, samples: int) -> Samples:
    """The sound of these spectra, [samples]."""
    frames = np.asarray(irfft(bins.T, FRAME, axis=1), np.float32) * (_WINDOW / _SUM)
    parts = frames.reshape(len(frames), -1, HOP)
    out = np.zeros((len(frames) + parts.shape[1] - 1, HOP), np.float32)
    for at in range(parts.shape[1]):
        out[at : at + len(frames)] += parts[:, at]
    return out.reshape(-1)[FRAME - HOP :][:samples]


def explained(bins: Spectra, past: Spectra, *, taps: int, delay: int, rounds: int) -> Spectra:
    """The part of `bins` that the frames of `past` from `delay` to `delay + taps` before explain, [bins, frames]."""
    parts = [
        _explained(bins[start : start + TOGETHER], past[start : start + TOGETHER], taps, delay, rounds)
        for start in range(0, len(bins), TOGETHER)
    ]
    return np.concatenate(parts)


def _explained(bins: Spectra, past: Spectra, taps: int, delay: int, rounds: int) -> Spectra:
    frames = bins.shape[1]
    padded = np.pad(past, ((0, 0), (taps - 1 + delay, 0)))
    seen = np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(padded, frames, axis=1)[:, :taps])
    told = np.zeros_like(bins)
    for _ in range(rounds):
        power = np.abs(bins - told) ** 2
        variance = np.maximum(power, FLOOR * power.max(axis=1, keepdims=True) + 1e-10)
        weighted = seen / variance[:, None]
        together = weighted @ seen.conj().transpose(0, 2, 1)
        with_bins = weighted @ bins.conj()[..., None]
        load = LOADING * np.trace(together, axis1=1, axis2=2).real / taps + 1e-12
        together += load[:, None, None].astype(np.float32) * np.eye(taps, dtype=np.float32)
        filters = np.linalg.solve(together, with_bins)
        told = (filters.conj().transpose(0, 2, 1) @ seen)[:, 0]
    return told
