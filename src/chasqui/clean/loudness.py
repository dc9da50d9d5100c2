"""How loud: EBU R128 integrated loudness and true peak, measured block by block (ITU-R BS.1770-4).

Energies are kept per 100 ms as a histogram in steps of 0.01 LU, so that ten hours weigh as much as ten seconds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from chasqui.clean.step import RATE_HZ, Samples
from chasqui.metrics.filters import Sections, lowpass

#: K-weighting at 48 kHz: shelf, then high-pass (BS.1770-4, tables 1 and 2).
K_WEIGHTING = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585),
    (1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621),
)
HOP = RATE_HZ // 10
OFFSET_LU = -0.691  # BS.1770-4, eq. 2
ABSOLUTE_LUFS = -70.0
RELATIVE_LU = -10.0
STEP_LU = 0.01
TOP_LUFS = 30.0

#: 4× oversampling for true peak (BS.1770-4 annex 2): 12 taps per phase, Kaiser window.
TAPS = 12
_LONG = lowpass(4 * TAPS + 1, 1 / 4, kaiser=6.0)[:-1] * 4
PHASES = np.ascontiguousarray(_LONG.reshape(TAPS, 4).T[:, ::-1].T.astype(np.float32))  # [tap, phase]


class KWeighting:
    """Mean square after K-weighting, per 100 ms. The last incomplete 100 ms are left out."""

    def __init__(self) -> None:
        self._filter = Sections(K_WEIGHTING)
        self._rest = np.zeros(0, np.float64)

    def energies(self, block: Samples) -> npt.NDArray[np.float64]:
        weighted = self._filter(block)
        if self._rest.size:
            weighted = np.concatenate([self._rest, weighted])
        whole = weighted.size // HOP
        self._rest = weighted[whole * HOP :].copy()
        pieces = weighted[: whole * HOP].reshape(whole, HOP)
        return np.asarray(np.einsum("ij,ij->i", pieces, pieces) / HOP)


class Loudness:
    """Integrated loudness of everything that was added."""

    def __init__(self) -> None:
        self._weighting = KWeighting()
        self._recent = np.zeros(0)
        bins = int((TOP_LUFS - ABSOLUTE_LUFS) / STEP_LU) + 1
        self._count = np.zeros(bins)
        self._energy = np.zeros(bins)

    def add(self, block: Samples) -> None:
        hops = np.concatenate([self._recent, self._weighting.energies(block)])
        self._recent = hops[max(hops.size - 3, 0) :]
        if hops.size < 4:
            return
        # Blocks of 400 ms that overlap by 75 %.
        power = np.convolve(hops, np.full(4, 0.25), "valid")
        power = np.maximum(power, 1e-12)
        at = np.floor((lufs(power) - ABSOLUTE_LUFS) / STEP_LU).astype(int)
        heard = (at >= 0) & (at < self._count.size)
        np.add.at(self._count, at[heard], 1)
        np.add.at(self._energy, at[heard], power[heard])

    def integrated_lufs(self) -> float | None:
        """None when every block lies under the absolute gate of −70 LUFS, or there is less than 0.4 s."""
        if not self._count.any():
            return None
        ungated = self._energy.sum() / self._count.sum()
        start = int(np.ceil((float(lufs(ungated)) + RELATIVE_LU - ABSOLUTE_LUFS) / STEP_LU))
        start = max(start, 0)
        count = self._count[start:].sum()
        return float(lufs(self._energy[start:].sum() / count)) if count else None


class TruePeak:
    """The largest magnitude between the samples. Only frames that could hold a new maximum are oversampled."""

    def __init__(self) -> None:
        self.value = 0.0
        self._tail = np.zeros(TAPS - 1, np.float32)

    def add(self, block: Samples) -> None:
        joined = np.concatenate([self._tail, block])
        self._tail = joined[max(joined.size - (TAPS - 1), 0) :]
        self.value = max(self.value, float(oversampled_peaks(joined, 480, self.value).max(initial=0.0)))

    @property
    def dbtp(self) -> float:
        return float(20.0 * np.log10(max(self.value, 1e-6)))


def oversampled_peaks(block: Samples, hop: int, near: float) -> npt.NDArray[np.float32]:
    """The true peak of each `hop` samples (the last ones may be fewer).

    Frames whose largest sample is under 0.6 × `near` cannot matter to who asks and get that sample as their peak:
    the overshoot between samples is under 4.4 dB for anything but test signals.
    """
    size = block.size
    frames = -(-size // hop)
    padded = np.zeros(frames * hop, np.float32)
    np.abs(block, out=padded[:size])
    peaks = np.asarray(padded.reshape(frames, hop).max(axis=1, initial=0.0), np.float32)
    if not size:
        return peaks
    wide = np.zeros(frames * hop + 2 * TAPS, np.float32)
    wide[TAPS : TAPS + size] = block
    asked = np.flatnonzero(peaks > max(0.6 * near, 1e-5))
    most = RATE_HZ // hop  # a second at a time: memory stays flat
    for part in (asked[i : i + most] for i in range(0, asked.size, most)):
        at = part[:, None] * hop + np.arange(hop + TAPS)[None] + TAPS // 2
        pieces = np.lib.stride_tricks.sliding_window_view(wide[at], TAPS, axis=1)
        between = np.abs(pieces @ PHASES)
        peaks[part] = np.maximum(peaks[part], between.reshape(part.size, -1).max(axis=1, initial=0.0))
    return peaks


def lufs(power: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Loudness of a K-weighted mean square."""
    return np.asarray(OFFSET_LU + 10.0 * np.log10(np.maximum(power, 1e-12)))


def power_of(loudness: float) -> float:
    """K-weighted mean square of a loudness."""
    return float(10.0 ** ((loudness - OFFSET_LU) / 10.0))
