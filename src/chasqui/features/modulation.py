"""How the energy swings: syllables come at 3–6 Hz (Houtgast & Steeneken 1985), words below, phones above."""

from __future__ import annotations

from typing import Any

import numpy as np

from chasqui.features.arrays import Array, namespace, table
from chasqui.features.spectrum import FLOOR

#: Hz, first and last whole one: about an octave each.
BANDS = {
    "modulation_2hz": (1, 2),
    "modulation_4hz": (3, 6),
    "modulation_8hz": (7, 11),
    "modulation_16hz": (12, 22),
}
HIGHEST_HZ = 22


def depths(mels: Array, frames_per_s: int) -> dict[str, Array]:
    """Depth of the swing in each of BANDS, per second: mels [..., seconds · frames_per_s, bands] → [..., seconds].

    Per mel band the magnitude of the second's Fourier components against its mean, and of those the mean, weighted by
    the root of each band's energy. 0 for steady sound and silence, 0.5 for a full swing (1 + cos) at one of the rates.
    """
    xp = namespace(mels)
    bands = mels.shape[-1]
    energy = xp.reshape(mels, (*mels.shape[:-2], -1, frames_per_s, bands))
    sums = xp.sum(energy, axis=-2) + FLOOR
    waves = table(mels, cosines_and_sines, frames_per_s) @ energy
    swings = waves * waves
    swings = swings[..., :HIGHEST_HZ, :] + swings[..., HIGHEST_HZ:, :]
    weight = xp.sqrt(sums)
    whole = xp.sum(weight, axis=-1)
    found = {}
    for name, (low, high) in BANDS.items():
        depth = xp.sqrt(xp.sum(swings[..., low - 1 : high, :], axis=-2)) / sums
        found[name] = xp.sum(depth * weight, axis=-1) / whole
    return found


def cosines_and_sines(frames_per_s: int) -> np.ndarray[Any, Any]:
    """[44, frames per second]: cosines, then sines, of 1 to 22 Hz over a second."""
    turns = np.outer(np.arange(1, HIGHEST_HZ + 1), np.arange(frames_per_s)) / frames_per_s
    return np.concatenate([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)]).astype(np.float32)
