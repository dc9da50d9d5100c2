"""What is measured on each block, on four grids: frames of 10 ms, pitch every 20 ms, Opus packets of 60 ms, seconds.

Spectra are taken at 16 kHz (windows of 25 ms) because that is where speech lives and it costs a third; only the
bandwidth looks at the full 48 kHz. New frame features get a column in FRAME or a new grid here, and a line in
`features.py`.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import fft

from chasqui.analyze import blocks, pitch
from chasqui.analyze.blocks import Bands, Block, Floats

RATE_HZ = 16_000
HOP = 160
WINDOW = 400  # 25 ms every 10 ms, as in HTK and Kaldi
FFT = 512
MELS = 40
MFCC = 20
LOGMEL = 24
FRAMES_PER_PACKET = 6
PITCH_PER_PACKET = 3
FRAMES_PER_S = 100

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
#: Per second: what tells speech from music, see `voice.py`.
SECOND = (
    "modulation_4hz",
    "steadiness",
    "flux_variance",
    "low_energy_share",
    "modulation_2hz",
    "modulation_8hz",
    "modulation_16hz",
)
#: Hz, first and last whole one: about an octave each. Syllables come at 3–6 Hz, words below, phones above.
MODULATIONS = {
    "modulation_2hz": (1, 2),
    "modulation_4hz": (3, 6),
    "modulation_8hz": (7, 11),
    "modulation_16hz": (12, 22),
}
WIDE_FFT = 2048
WIDE_BANDS = 128  # bands of 187.5 Hz up to 24 kHz
FLOOR = 1e-10  # −100 dBFS: below the last bit of a 16 bit recording


class Measures(NamedTuple):
    """One block, measured. All float32; rows past the end of the recording describe zeros."""

    frames: Floats  # [1200, FRAME]
    pitch: Floats  # [600, 2]: F0 in Hz (0: unvoiced), aperiodicity
    wide: Floats  # [200, WIDE_BANDS]: power
    seconds: Floats  # [12, SECOND]


def measure(block: Block, bands: Bands) -> Measures:
    """All grids of one block."""
    margin = blocks.MARGIN // 3
    start = margin + HOP // 2 - WINDOW // 2  # windows are centred on their 10 ms
    audio = bands.at_16k[start:]
    count = blocks.SECONDS * FRAMES_PER_S
    views = np.lib.stride_tricks.sliding_window_view(audio, WINDOW)[: count * HOP : HOP]
    power = _power(views)
    mels = power @ mel_matrix(MELS)
    frames = np.empty((count, len(FRAME)), np.float32)
    frames[:, 0], frames[:, 1] = _levels(block)
    frames[:, 2] = _zero_crossings(bands.at_16k[margin : margin + count * HOP + 1])
    frames[:, 3:8], frames[:, FRAME.index("spread_hz")], change = _shapes(power)
    frames[:, CEPSTRA] = np.log(mels + np.float32(FLOOR)) @ cosines()
    frames[:, LOGMELS] = 10 * np.log10(power @ mel_matrix(LOGMEL) + np.float32(FLOOR))
    return Measures(frames, _pitch(bands), _wide(block), _seconds(frames[:, 0], mels, change))


def _power(views: Floats) -> Floats:
    """Power spectra [frames, 257] of Hann windows, scaled so that the bins of white noise add up to its mean square."""
    window = hann(WINDOW)
    spectrum = fft.rfft(views * window, n=FFT, axis=1)
    scale = np.float32(2 / (FFT * np.sum(window**2)))
    return np.asarray((spectrum.real**2 + spectrum.imag**2) * scale, np.float32)


def _levels(block: Block) -> tuple[Floats, Floats]:
    """Level in dBFS and peak of each 10 ms, at the full rate."""
    rows = block.inner.reshape(-1, blocks.RATE_HZ // FRAMES_PER_S)
    square = np.einsum("ij,ij->i", rows, rows) / rows.shape[1]
    peak = np.maximum(rows.max(axis=1), -rows.min(axis=1))
    return 10 * np.log10(square + np.float32(FLOOR)), peak


def _zero_crossings(audio: Floats) -> Floats:
    """Share of neighbouring samples with different signs, per 10 ms."""
    negative = audio < 0
    return np.asarray((negative[1:] != negative[:-1]).reshape(-1, HOP).mean(axis=1), np.float32)


def _shapes(power: Floats) -> tuple[Floats, Floats, Floats]:
    """Centroid, flatness, roll-off (85 %), flux and slope of each spectrum; its spread; its likeness to the one 50 ms
    on."""
    powers = power[:, 1:] + np.float32(FLOOR / FFT)  # without DC; the floor makes silence flat instead of undefined
    hertz = bin_hz()
    total = powers.sum(axis=1)
    logs = np.log(powers)
    shapes = np.empty((len(power), 5), np.float32)
    shapes[:, 0] = powers @ hertz / total
    shapes[:, 1] = np.exp(logs.mean(axis=1)) / (total / powers.shape[1])
    shapes[:, 2] = hertz[(np.cumsum(powers, axis=1) < 0.85 * total[:, None]).sum(axis=1).clip(max=len(hertz) - 1)]
    roots = np.sqrt(powers)
    roots /= np.linalg.norm(roots, axis=1)[:, None]
    shapes[1:, 3] = 1 - np.einsum("ij,ij->i", roots[1:], roots[:-1])
    shapes[0, 3] = shapes[1, 3]
    shapes[:, 4] = logs @ slope_weights()
    alike = np.ones(len(power), np.float32)
    alike[:-5] = np.einsum("ij,ij->i", roots[5:], roots[:-5])
    spread = np.sqrt(np.maximum(powers @ hertz**2 / total - shapes[:, 0] ** 2, 0))
    return shapes, spread, alike


def _pitch(bands: Bands) -> Floats:
    hop = pitch.RATE_HZ // 50
    start = blocks.MARGIN // 6 + hop // 2 - pitch.FRAME_SAMPLES // 2
    views = np.lib.stride_tricks.sliding_window_view(bands.at_8k[start:], pitch.FRAME_SAMPLES)
    return np.stack(pitch.yin(views[: blocks.SECONDS * 50 * hop : hop]), axis=1)


def _wide(block: Block) -> Floats:
    """Power in 128 bands up to 24 kHz of the middle of each packet."""
    packet = blocks.SAMPLES // blocks.PACKETS
    start = (packet - WIDE_FFT) // 2
    rows = block.inner.reshape(blocks.PACKETS, packet)[:, start : start + WIDE_FFT]
    spectrum = fft.rfft(rows * hann(WIDE_FFT), axis=1)[:, : WIDE_FFT // 2]
    power = (spectrum.real**2 + spectrum.imag**2) * np.float32(2 / (WIDE_FFT * np.sum(hann(WIDE_FFT) ** 2)))
    return np.asarray(power.reshape(blocks.PACKETS, WIDE_BANDS, -1).sum(axis=2), np.float32)


def _seconds(levels: Floats, mels: Floats, alike: Floats) -> Floats:
    """Rows of SECOND."""
    energy = mels.reshape(blocks.SECONDS, FRAMES_PER_S, MELS)
    sums = energy.sum(axis=1) + np.float32(FLOOR)
    swings = np.square(modulation_waves() @ energy).reshape(blocks.SECONDS, 2, -1, MELS).sum(axis=1)
    loud = energy.sum(axis=2)
    out = np.empty((blocks.SECONDS, len(SECOND)), np.float32)
    weight = np.sqrt(sums)
    for name, (low, high) in MODULATIONS.items():
        depth = np.sqrt(swings[:, low - 1 : high].sum(axis=1)) / sums
        out[:, SECOND.index(name)] = np.sum(depth * weight, axis=1) / weight.sum(axis=1)
    rows = alike.reshape(blocks.SECONDS, FRAMES_PER_S)
    out[:, 1] = rows.mean(axis=1)
    out[:, 2] = rows.std(axis=1)
    out[:, 3] = np.mean(loud < 0.5 * loud.mean(axis=1, keepdims=True), axis=1)
    return out


@cache
def hann(size: int) -> Floats:
    """Periodic Hann window."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size), np.float32)


@cache
def bin_hz() -> Floats:
    """Frequencies of the bins above DC."""
    return (np.arange(1, FFT // 2 + 1) * RATE_HZ / FFT).astype(np.float32)


@cache
def slope_weights() -> Floats:
    """Regression of dB on octaves over all bins above DC, as one vector for natural logarithms of power."""
    octaves = np.log2(bin_hz().astype(np.float64))
    octaves -= octaves.mean()
    return np.asarray(octaves / np.sum(octaves**2) * 10 / np.log(10), np.float32)


@cache
def mel_matrix(bands: int) -> Floats:
    """[257, bands] triangles peaking at 1, equally spaced on the mel scale 2595·log10(1 + f/700) from 20 to 7600 Hz."""
    low, high = (2595 * np.log10(1 + f / 700) for f in (20, 7600))
    edges = 700 * (10 ** (np.linspace(low, high, bands + 2) / 2595) - 1)
    bins = np.arange(FFT // 2 + 1)[:, None] * RATE_HZ / FFT
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.asarray(np.maximum(0, np.minimum(rise, fall)), np.float32)


@cache
def cosines() -> Floats:
    """[40, 20]: the orthonormal DCT-II that makes cepstra of log mel energies."""
    matrix = np.cos(np.pi / MELS * (np.arange(MELS)[:, None] + 0.5) * np.arange(MFCC)) * np.sqrt(2 / MELS)
    matrix[:, 0] /= np.sqrt(2)
    return np.asarray(matrix, np.float32)


@cache
def modulation_waves() -> Floats:
    """[44, 100]: cosines, then sines, of 1 to 22 Hz over a second of frames."""
    turns = np.outer(np.arange(1, 23), np.arange(FRAMES_PER_S)) / FRAMES_PER_S
    return np.concatenate([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)]).astype(np.float32)
