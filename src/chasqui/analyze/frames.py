"""What is measured on each block, on four grids: frames of 10 ms, pitch every 20 ms, Opus packets of 60 ms, seconds.

Spectra are taken at 16 kHz (windows of 25 ms) because that is where speech lives and it costs a third; only the
bandwidth looks at the full 48 kHz. How each number is computed stands in the room `features`; here stands which, and
on which grid. New frame features get a column in FRAME or a new grid here, and a line in `features.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chasqui.analyze import blocks
from chasqui.analyze.blocks import Bands, Block, Floats
from chasqui.features import cepstrum, levels, mel, modulation, pitch, shapes, spectrum
from chasqui.features.arrays import frames, table
from chasqui.features.packets import BANDS as LOGMEL
from chasqui.features.packets import FFT, HIGH_HZ, HOP, LOW_HZ, PITCH, PITCH_HOP, WINDOW
from chasqui.features.packets import SPEECH_HZ as RATE_HZ
from chasqui.features.sheet import WIDE_BANDS, WIDE_FFT, wide_bands
from chasqui.features.spectrum import FLOOR

__all__ = ["LOGMEL", "WIDE_BANDS"]

MELS = 40
MFCC = 20
FRAMES_PER_PACKET = 6
PITCH_PER_PACKET = 3
FRAMES_PER_S = 100
LIKENESS_FRAMES = 5  # steadiness compares spectra 50 ms apart

#: One row per 10 ms. Levels in dBFS (a full-scale sine is −3), frequencies in Hz.
FRAME = (
    "level_dbfs",
    "peak",
    "zero_crossings",
    "centroid_hz",
    "flatness",
    "rolloff85_hz",
    "flux",
    "slope_db_per_octave",
    *(f"mfcc_{index:02d}" for index in range(MFCC)),
    "spread_hz",
    *(f"logmel_{index:02d}" for index in range(LOGMEL)),
)
CEPSTRA = slice(8, 8 + MFCC)
LOGMELS = slice(len(FRAME) - LOGMEL, len(FRAME))
#: Per second: what tells speech from music, see `voice.py`, and how the energy swings.
SECOND = (
    "modulation_4hz",
    "steadiness",
    "flux_variance",
    "low_energy_share",
    "modulation_2hz",
    "modulation_8hz",
    "modulation_16hz",
)


class Measures(NamedTuple):
    """One block, measured. All float32; rows past the end of the recording describe zeros."""

    frames: Floats  # [1200, FRAME]
    pitch: Floats  # [600, 2]: F0 in Hz (0: unvoiced), aperiodicity
    wide: Floats  # [200, WIDE_BANDS]: power
    seconds: Floats  # [12, SECOND]


def measure(block: Block, bands: Bands) -> Measures:
    """All grids of one block."""
    margin = blocks.MARGIN // 3
    count = blocks.SECONDS * FRAMES_PER_S
    start = margin + HOP // 2 - WINDOW // 2  # windows are centred on their 10 ms
    power = spectrum.power(frames(bands.at_16k, WINDOW, HOP, count, start), FFT)
    mels = power @ _mels(power, MELS)
    rows = np.empty((count, len(FRAME)), np.float32)
    tens = block.inner.reshape(-1, blocks.RATE_HZ // FRAMES_PER_S)
    rows[:, 0] = spectrum.decibels(levels.energy(tens))
    rows[:, 1] = levels.peak(tens)
    # Each frame with the first sample of the next one, so that no change of sign is missed.
    rows[:, 2] = levels.zero_crossings(frames(bands.at_16k, HOP + 1, HOP, count, margin)) * ((HOP + 1) / HOP)
    likeness = _shapes(power, rows)
    rows[:, CEPSTRA] = cepstrum.mfcc(mel.natural(mels), MFCC)
    rows[:, LOGMELS] = spectrum.decibels(power @ _mels(power, LOGMEL))
    return Measures(rows, _pitch(bands), _wide(block), _seconds(mels, likeness))


def _mels(power: Floats, bands: int) -> Floats:
    return np.asarray(table(power, mel.matrix, RATE_HZ, FFT, bands, LOW_HZ, HIGH_HZ))


def _shapes(power: Floats, rows: Floats) -> Floats:
    """Fill in what is told of each spectrum's shape; gives its likeness to the one 50 ms on."""
    lifted = shapes.lifted(power, FLOOR / FFT)
    logs, hertz = np.log(lifted), table(power, shapes.above_dc_hz, RATE_HZ, FFT)
    centre = shapes.centroid(lifted, hertz)
    rows[:, 3] = centre
    rows[:, 4] = shapes.flatness(lifted, logs)
    rows[:, 5] = shapes.rolloff(lifted, hertz, 0.85)
    units = shapes.unit(lifted)
    rows[:, 6] = shapes.flux(units)
    rows[:, 7] = shapes.slope(logs, RATE_HZ, FFT)
    rows[:, FRAME.index("spread_hz")] = shapes.spread(lifted, hertz, centre)
    alike = np.ones(len(power), np.float32)
    alike[:-LIKENESS_FRAMES] = shapes.likeness(units, LIKENESS_FRAMES)
    return alike


def _pitch(bands: Bands) -> Floats:
    start = blocks.MARGIN // 6 + PITCH_HOP // 2 - PITCH.size // 2
    f0, aperiodicity = pitch.yin(frames(bands.at_8k, PITCH.size, PITCH_HOP, blocks.SECONDS * 50, start), PITCH)
    return np.stack([pitch.voiced_only(f0, aperiodicity), aperiodicity], axis=1)


def _wide(block: Block) -> Floats:
    """Power in 128 bands up to 24 kHz of the middle of each packet."""
    packet = blocks.SAMPLES // blocks.PACKETS
    start = (packet - WIDE_FFT) // 2
    return np.asarray(wide_bands(block.inner.reshape(blocks.PACKETS, packet)[:, start : start + WIDE_FFT]))


def _seconds(mels: Floats, likeness: Floats) -> Floats:
    """Rows of SECOND."""
    out = np.empty((blocks.SECONDS, len(SECOND)), np.float32)
    for name, depth in modulation.depths(mels, FRAMES_PER_S).items():
        out[:, SECOND.index(name)] = depth
    loud = mels.sum(axis=1).reshape(blocks.SECONDS, FRAMES_PER_S)
    alike = likeness.reshape(blocks.SECONDS, FRAMES_PER_S)
    out[:, 1] = alike.mean(axis=1)
    out[:, 2] = alike.std(axis=1)
    out[:, 3] = np.mean(loud < 0.5 * loud.mean(axis=1, keepdims=True), axis=1)
    return out
