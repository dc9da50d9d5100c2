"""Clicks and clipped tops, mended only where they are; everything else passes untouched.

A click is a lone spike of the second difference: nothing like it within 15 ms. The pulses of a voice come back every
3–15 ms, a plosive or a key stroke rings on, so they are left alone. The gap is filled by autoregressive interpolation
(Janssen, Veldhuis and Vries, 1986). Clipping shows as samples piled up under one top; the tops are rounded up again.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chasqui.clean.step import Samples
from chasqui.records import Treatment

Spans = list[tuple[int, int]]

FRAME = 480
#: A click stands this many times above the usual second difference around it …
SPIKE = 40.0
#: … and above everything else within 15 ms by this factor.
LONE = 6.0
AROUND = 720
#: Longest gap that is filled: 0.75 ms. What is longer is a sound.
WIDEST = 36
#: Quieter spikes (−50 dBFS) nobody hears.
FAINTEST = 0.003
#: More than this in ten seconds is not damage but the sound itself (applause, crackling fire).
MOST = 150
ORDER, CONTEXT = 40, 960
#: Clipped: more samples in the last 2 % under the top than in the next 8 %. Undistorted sound has a tenth of that.
TOP, NEXT = 0.98, 0.90
LONGEST_TOP = 240  # 5 ms
#: Whatever stands lower than this (−20 dBFS) has not met a converter's limit.
LOWEST_TOP = 0.1


class Repair:
    """Mends each block by itself. Damage in the first or last 20 ms of a block stays: one place in ten seconds."""

    def __init__(self) -> None:
        self._clicks = self._tops = 0
        self._crowded = 0

    def process(self, block: Samples) -> Iterator[Samples]:
        out = block
        if tops := clipped(block):
            out = round_up(out, tops)
            self._tops += len(tops)
        spans = clicks(block) if not tops else []
        if len(spans) > MOST:
            self._crowded += 1
        elif spans:
            out = out.copy()
            for start, stop in spans:
                fill(out, start, stop)
            self._clicks += len(spans)
        yield out

    def flush(self) -> Iterator[Samples]:
        return iter(())

    def treatments(self) -> list[Treatment]:
        declick = f"{self._clicks} lone spikes filled in" if self._clicks else "no clicks found"
        if self._crowded:
            declick += f"; {self._crowded} stretches crackle all over and were left alone"
        declip = f"{self._tops} flat tops rounded up" if self._tops else "not clipped"
        return [
            Treatment(name="declick", applied=self._clicks > 0, effect={"clicks": float(self._clicks)}, why=declick),
            Treatment(name="declip", applied=self._tops > 0, effect={"tops": float(self._tops)}, why=declip),
        ]


def clicks(block: Samples) -> Spans:
    """Where lone spikes are: (start, stop) of what has to be filled."""
    if block.size < 8 * FRAME:
        return []
    rough = np.abs(np.diff(block, 2, prepend=block[:1], append=block[-1:]))
    frames = rough[: rough.size // FRAME * FRAME].reshape(-1, FRAME)
    peaks = frames.max(axis=1)
    usual = np.sqrt(np.einsum("ij,ij->i", frames, frames) / FRAME)
    around = np.minimum(np.roll(usual, 2), np.roll(usual, -2))
    suspects = np.flatnonzero((peaks > FAINTEST) & (peaks > 6.0 * around))
    found: Spans = []
    for frame in suspects[(suspects > 2) & (suspects < len(frames) - 3)].tolist():
        span = _lone(rough, frame * FRAME + int(frames[frame].argmax()))
        if span and (not found or span[0] > found[-1][1]):
            found.append(span)
    return found


def _lone(rough: Samples, at: int) -> tuple[int, int] | None:
    near = rough[at - AROUND : at + AROUND]
    if near.size < 2 * AROUND:
        return None
    peak = near[AROUND]
    if peak < near.max():  # asked first: it costs a thirtieth of the median, and answers for most
        return None
    usual = float(np.median(near)) + 1e-6
    if peak < SPIKE * usual:
        return None
    wide = np.flatnonzero(near > max(peak / LONE, 5.0 * usual))
    start, stop = int(wide[0]), int(wide[-1]) + 1
    if stop - start > WIDEST:
        return None
    return at - AROUND + start - 3, at - AROUND + stop + 3


def fill(sound: Samples, start: int, stop: int) -> None:
    """Replace sound[start:stop] by what an autoregressive model of its surroundings expects there."""
    from scipy.linalg import solve_toeplitz  # most recordings need none

    left, right = max(start - CONTEXT, 0), min(stop + CONTEXT, sound.size)
    piece = sound[left:right].astype(np.float64)
    gap = np.arange(start - left, stop - left)
    piece[gap] = 0.0
    spectrum = np.abs(np.fft.rfft(piece, 2 * piece.size)) ** 2
    correlation = np.fft.irfft(spectrum)[: ORDER + 1]
    correlation[0] *= 1.0 + 1e-6  # band-limited sound leaves the system singular
    if correlation[0] <= 1e-12:
        sound[start:stop] = 0.0
        return
    model = np.concatenate([[1.0], -solve_toeplitz(correlation[:-1], correlation[1:])])
    weights = np.correlate(model, model, "full")[ORDER:]
    lags = np.abs(gap[:, None] - gap[None, :])
    B = np.where(lags <= ORDER, weights[np.minimum(lags, ORDER)], 0.0)
    known = np.convolve(piece, np.concatenate([weights[::-1], weights[1:]]), "same")[gap]
    sound[start:stop] = np.linalg.solve(B + 1e-9 * np.eye(gap.size), -known)


def clipped(block: Samples) -> Spans:
    """Flat tops: runs of at least 3 samples within 2 % of the block's own top, if they pile up there."""
    magnitude = np.abs(block)
    top = float(magnitude.max(initial=0.0))
    if top < LOWEST_TOP:
        return []
    flat = magnitude > TOP * top
    many = int(np.count_nonzero(flat))
    if many < 30 or many < int(np.count_nonzero(magnitude > NEXT * top)) - many:
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat.view(np.int8), [0]])))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(a, b) for a, b in runs if 3 <= b - a <= LONGEST_TOP and a > 4 and b < block.size - 4]


def round_up(block: Samples, tops: Spans) -> Samples:
    """Each top continued by the cubic that leaves and arrives with the slopes beside it, at most doubled (6 dB)."""
    out = block.copy()
    for a, b in tops:
        length = b - a + 1
        t = np.arange(1, length) / length
        y0, y1 = float(block[a - 1]), float(block[b])
        m0, m1 = (y0 - float(block[a - 3])) / 2 * length, (float(block[b + 2]) - y1) / 2 * length
        cubic = (
            (2 * t**3 - 3 * t**2 + 1) * y0
            + (t**3 - 2 * t**2 + t) * m0
            + (3 * t**2 - 2 * t**3) * y1
            + (t**3 - t**2) * m1
        )
        flat = block[a:b]
        sign = 1.0 if y0 + y1 > 0 else -1.0
        higher = np.maximum(sign * cubic, sign * flat)
        out[a:b] = sign * np.minimum(higher, 2.0 * np.abs(flat))
    return out
