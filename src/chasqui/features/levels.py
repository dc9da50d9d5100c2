"""How loud: per frame, and how far the voice stands above what is behind it."""

from __future__ import annotations

import math

from chasqui.features.arrays import Array, counted, namespace, percentiles
from chasqui.features.spectrum import FLOOR

BAND_DB = 50.0  # a band this far below the loudest one is empty


def energy(frames: Array) -> Array:
    """Mean square of frames [..., size]."""
    return namespace(frames).vecdot(frames, frames) / frames.shape[-1]


def peak(frames: Array) -> Array:
    """Highest sample, without its sign."""
    xp = namespace(frames)
    return xp.maximum(xp.max(frames, axis=-1), -xp.min(frames, axis=-1))


def zero_crossings(frames: Array) -> Array:
    """Share of samples whose sign differs from the one before, in frames [..., size]; zero counts as positive.

    The first sample of a frame has none before it, as in librosa.
    """
    xp = namespace(frames)
    negative = frames < 0
    changes = negative[..., 1:] != negative[..., :-1]
    return xp.astype(xp.sum(xp.astype(changes, xp.int32), axis=-1), frames.dtype) / frames.shape[-1]


def snr_db(levels_db: Array, spoken: Array | None = None) -> float:
    """Mean power of the frames `spoken` (else of all) against the quietest tenth, dB; −10 at the lowest.

    An estimate: right within 3 dB from 10 to 30 dB where there are pauses. `levels_db` [frames], `spoken` booleans.
    """
    xp = namespace(levels_db)
    power = 10.0 ** (levels_db / 10.0)
    noise = 10.0 ** (float(percentiles(levels_db, (10,))[0]) / 10.0)
    if spoken is not None and bool(xp.any(spoken)):
        weight = xp.astype(spoken, power.dtype)
        signal = float(xp.sum(power * weight)) / float(xp.sum(weight))
    else:
        signal = float(xp.mean(power))
    return 10 * math.log10(max(signal - noise, noise / 10) / noise)


def bandwidth_hz(bands: Array, rate_hz: int) -> float:
    """Upper edge of the highest band that is not empty, in power [times, bands] up to half the rate; 0 in silence.

    Sibilants reach high in a tenth of the times or more; a click reaches everywhere, but in one or two only.
    """
    xp = namespace(bands)
    if float(xp.max(xp.mean(bands, axis=0))) < FLOOR:
        return 0.0
    (often,) = percentiles(bands, (90,))
    filled = often >= xp.max(often) * 10 ** (-BAND_DB / 10)
    places = counted(bands, bands.shape[1]) + 1.0
    highest = float(xp.max(xp.where(filled, places, xp.zeros_like(places))))
    return float(highest * rate_hz / 2 / bands.shape[1])


def rolloff99_hz(bands: Array, rate_hz: int, share: float = 0.99) -> float:
    """Upper edge of the band below which `share` of the mean power lie; 0 in silence."""
    xp = namespace(bands)
    mean = xp.astype(xp.mean(bands, axis=0), xp.float64)
    if float(xp.max(mean)) < FLOOR:
        return 0.0
    running = xp.cumulative_sum(mean)
    below = int(xp.sum(xp.astype(running < share * float(xp.sum(mean)), xp.int32)))
    return float((below + 1) * rate_hz / 2 / bands.shape[1])
