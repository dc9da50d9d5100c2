"""The shape of a spectrum in one number each. Spectra are [..., frames, bins], power or magnitude, as the caller likes.

`hertz` are the frequencies of the bins. No spectrum may be zero throughout: add a floor first (`lifted`, `raised`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chasqui.features.arrays import Array, namespace, table
from chasqui.features.spectrum import bin_hz

Numbers = np.ndarray[Any, Any]

GROUP = 16  # bins


def lifted(power: Array, floor: float) -> Array:
    """Power without DC and with a floor, which makes silence flat instead of undefined."""
    return power[..., 1:] + floor


def raised(power: Array, least: float) -> Array:
    """Power, where it is less than `least` that much: the floor of librosa."""
    xp = namespace(power)
    return xp.where(power > least, power, xp.full_like(power, least))


def centroid(spectrum: Array, hertz: Array) -> Array:
    """Mean frequency, weighted; Hz."""
    return spectrum @ hertz / _total(spectrum)


def spread(spectrum: Array, hertz: Array, centre: Array) -> Array:
    """Deviation of frequency around the centroid, weighted; Hz (librosa's bandwidth with p = 2)."""
    xp = namespace(spectrum)
    square = spectrum @ (hertz * hertz) / _total(spectrum) - centre * centre
    return xp.sqrt(xp.where(square > 0, square, xp.zeros_like(square)))


def rolloff(spectrum: Array, hertz: Array, share: float = 0.85) -> Array:
    """The lowest bin up to which at least `share` of the whole lie; Hz."""
    xp = namespace(spectrum)
    bins = spectrum.shape[-1]
    groups = -(-bins // GROUP)
    # First the group of bins in which it happens, then the bin: running sums over all bins cost three times as much.
    coarse = xp.cumulative_sum(spectrum @ table(spectrum, _grouping, bins), axis=-1)
    wanted = share * coarse[..., -1:]
    group = xp.sum(xp.astype(coarse < wanted, xp.int64), axis=-1, keepdims=True)
    group = xp.where(group > groups - 1, xp.full_like(group, groups - 1), group)
    before = xp.concat([xp.zeros_like(coarse[..., :1]), coarse], axis=-1)
    place = xp.clip(group * GROUP + table(spectrum, _within), 0, bins - 1)
    fine = xp.cumulative_sum(xp.take_along_axis(spectrum, place, axis=-1), axis=-1)
    below = xp.astype(xp.take_along_axis(before, group, axis=-1) + fine < wanted, xp.int64)
    index = xp.clip(group[..., 0] * GROUP + xp.sum(below, axis=-1), 0, bins - 1)
    return xp.reshape(xp.take(hertz, xp.reshape(index, (-1,)), axis=0), index.shape)


def flatness(power: Array, logs: Array) -> Array:
    """Geometric over arithmetic mean: 1 for white noise averaged for ever, towards 0 for tones. `logs` is its log."""
    xp = namespace(power)
    return xp.exp(xp.mean(logs, axis=-1)) / xp.mean(power, axis=-1)


def slope(logs: Array, rate_hz: int, fft: int) -> Array:
    """Regression of level on octaves, dB per octave, over natural logarithms of power without DC."""
    return logs @ table(logs, slope_weights, rate_hz, fft)


def unit(power: Array) -> Array:
    """Magnitude spectra of length 1, for `likeness`."""
    xp = namespace(power)
    return xp.sqrt(power / _total(power)[..., None])


def likeness(units: Array, gap: int) -> Array:
    """Cosine between the magnitude spectra of frames t and t + gap: [..., frames − gap]."""
    return namespace(units).vecdot(units[..., gap:, :], units[..., : units.shape[-2] - gap, :])


def flux(units: Array) -> Array:
    """One minus the likeness with the frame before; the first frame takes the value of the second."""
    xp = namespace(units)
    if units.shape[-2] < 2:
        return xp.zeros_like(units[..., 0])
    change = 1.0 - likeness(units, 1)
    return xp.concat([change[..., :1], change], axis=-1)


def slope_weights(rate_hz: int, fft: int) -> Numbers:
    """[bins above DC]: the regression on octaves as one vector for natural logarithms of power."""
    octaves = np.log2(above_dc_hz(rate_hz, fft).astype(np.float64))
    octaves -= octaves.mean()
    return np.asarray(octaves / np.sum(octaves**2) * 10 / np.log(10), np.float32)


def above_dc_hz(rate_hz: int, fft: int) -> Numbers:
    """Frequencies of the bins above DC."""
    return bin_hz(rate_hz, fft)[1:]


def _grouping(bins: int) -> Numbers:
    """[bins, groups]: which bin belongs to which group."""
    return np.asarray(np.arange(bins)[:, None] // GROUP == np.arange(-(-bins // GROUP)), np.float32)


def _within() -> Numbers:
    return np.arange(GROUP)


def _total(spectrum: Array) -> Array:
    return namespace(spectrum).sum(spectrum, axis=-1)
