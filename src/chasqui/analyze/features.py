"""One row of numbers per segment, and the file they travel in.

The names in order are NAMES; what each means stands in docs/analyze.md. A new feature gets a name and a value here, and
a new FEATURE_VERSION, because predictors are trained on exactly these columns.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from chasqui.analyze import blocks
from chasqui.analyze.blocks import Floats
from chasqui.analyze.frames import CEPSTRA, FRAME, FRAMES_PER_PACKET, LOGMEL, LOGMELS, MFCC, SECOND
from chasqui.analyze.segments import Cut
from chasqui.analyze.voice import Bytes, Flags
from chasqui.features import arrays, cepstrum, levels, statistics
from chasqui.features.spectrum import FLOOR

FEATURE_VERSION = "segments-2"

#: Columns of cepstra whose change is told: the regression over ±4 frames, 90 ms.
DELTAS = 13
ACTIVE_DB = 40.0  # frames further below the loudest one say nothing about the voice (the range that STOI looks at)
SPECTRAL = FRAME[2:8]
SPREAD = FRAME.index("spread_hz")
ABOVE_KHZ = (2, 4, 6, 8, 12, 16)  # 4, 6, 8 and 12 are where Opus' bandwidths end
NAMES: tuple[str, ...] = (
    "duration_s",
    "level_dbfs",
    "peak_dbfs",
    *(f"level_p{percent:02d}_dbfs" for percent in (5, 25, 50, 75, 95)),
    "dynamic_range_db",
    "snr_db",
    "bandwidth_hz",
    "rolloff99_hz",
    *(f"{name}_{kind}" for kind in ("mean", "std") for name in SPECTRAL),
    "f0_median_hz",
    "f0_iqr_hz",
    "voiced_share",
    "aperiodicity_mean",
    "speech_share",
    "music_share",
    *SECOND,
    *(f"mfcc_{index:02d}_{kind}" for kind in ("mean", "std") for index in range(MFCC)),
    "active_share",
    "level_skew",
    "level_delta_std_db",
    "spread_hz_mean",
    "spread_hz_std",
    *(f"logmel_{index:02d}_{kind}" for kind in ("mean", "std", "p10") for index in range(LOGMEL)),
    *(f"mfcc_{index:02d}_delta_std" for index in range(DELTAS)),
    "f0_p05_hz",
    "f0_p95_hz",
    "f0_std_semitones",
    "aperiodicity_std",
    *(f"above_{edge}khz_db" for edge in ABOVE_KHZ),
)


class Rows(NamedTuple):
    """Everything that was measured on some packets, grid by grid."""

    frames: Floats  # [6 × packets, FRAME]
    pitch: Floats  # [3 × packets, 2]
    wide: Floats  # [packets, 128]
    seconds: Floats  # [packets, SECOND], repeated
    speech: Floats  # [packets] 0 or 1
    music: Floats  # [packets] 0 or 1

    def part(self, start: int, stop: int) -> Rows:
        """Packets `start` to `stop` (exclusive)."""
        packets = len(self.speech)
        return Rows(*(grid[start * len(grid) // packets : stop * len(grid) // packets] for grid in self))

    @staticmethod
    def join(parts: list[Rows]) -> Rows:
        """One after the other."""
        return Rows(*(np.concatenate(grids) for grids in zip(*parts, strict=True)))


def summarize(rows: Rows) -> Floats:
    """The features of one segment, float32 [NAMES]."""
    loud = rows.frames[:, 0] > rows.frames[:, 0].max() - ACTIVE_DB
    active = rows.frames[loud]
    cepstra = active[:, CEPSTRA]
    return np.concatenate(
        [
            _levels(rows),
            [levels.bandwidth_hz(rows.wide, blocks.RATE_HZ), levels.rolloff99_hz(rows.wide, blocks.RATE_HZ)],
            active[:, 2:8].mean(axis=0),
            active[:, 2:8].std(axis=0),
            _pitch(rows.pitch),
            [rows.speech.mean(), rows.music.mean()],
            rows.seconds.mean(axis=0),
            cepstra.mean(axis=0),
            cepstra.std(axis=0),
            _swings(rows.frames[:, 0], loud),
            [active[:, SPREAD].mean(), active[:, SPREAD].std()],
            _bands(rows, loud),
            cepstrum.delta(rows.frames[:, CEPSTRA][:, :DELTAS])[loud].std(axis=0),
            _intonation(rows.pitch),
            _above(rows.wide),
        ]
    ).astype(np.float32)


def _swings(level: Floats, loud: Flags) -> list[float]:
    """How much of the time something is heard, how lopsided the levels are, how fast they change."""
    skew = float(statistics.skew(level[:, None])[0])
    return [float(loud.mean()), skew, float(cepstrum.delta(level[:, None])[loud].std())]


def _bands(rows: Rows, loud: Flags) -> Floats:
    """Mean and deviation of the log-mel bands while something is heard, and their floor; relative to the level."""
    bands = rows.frames[:, LOGMELS] - np.float32(_level(rows))
    return np.concatenate([bands[loud].mean(axis=0), bands[loud].std(axis=0), *arrays.percentiles(bands, (10,))])


def _level(rows: Rows) -> float:
    return _db(float(np.mean(10 ** (rows.frames[:, 0].astype(np.float64) / 10))))


def _intonation(pitch: Floats) -> list[float]:
    voiced = pitch[pitch[:, 0] > 0, 0]
    low, high = _percentiles(voiced, (5, 95))
    spread = float(np.std(12 * np.log2(voiced))) if voiced.size else 0.0
    return [low, high, spread, float(pitch[:, 1].std())]


def _percentiles(values: Floats, wanted: tuple[int, ...]) -> list[float]:
    """0 where there are no values."""
    return [float(value) for value in arrays.percentiles(values, wanted)] if values.size else [0.0] * len(wanted)


def _above(wide: Floats) -> list[float]:
    """Share of the power above each of ABOVE_KHZ, in dB, −100 where there is none."""
    mean = wide.mean(axis=0, dtype=np.float64)
    upper = np.arange(1, mean.size + 1) * blocks.RATE_HZ / 2 / mean.size
    inside = [np.clip((upper - 1000 * edge) / upper[0], 0, 1) for edge in ABOVE_KHZ]
    return [_db(float(part @ mean) / max(float(mean.sum()), FLOOR)) for part in inside]


def _levels(rows: Rows) -> list[float]:
    level = rows.frames[:, 0]
    percentiles = [float(value) for value in arrays.percentiles(level, (5, 25, 50, 75, 95))]
    peak = 20 * np.log10(max(float(rows.frames[:, 1].max()), np.sqrt(FLOOR)))
    snr = levels.snr_db(level.astype(np.float64), np.repeat(rows.speech > 0, FRAMES_PER_PACKET))
    return [len(rows.speech) * 0.06, _level(rows), peak, *percentiles, percentiles[-1] - percentiles[0], snr]


def _db(power: float) -> float:
    return float(10 * np.log10(power + FLOOR))


def _pitch(pitch: Floats) -> list[float]:
    voiced = pitch[pitch[:, 0] > 0, 0]
    low, middle, high = _percentiles(voiced, (25, 50, 75))
    return [middle, high - low, voiced.size / len(pitch), float(pitch[:, 1].mean())]


def save(path: Path, values: Floats, cuts: list[Cut], speech_probability: Bytes, second_class: Bytes) -> None:
    """Write the file, without pickles. NumPy dates every member 1980, so the same numbers give the same bytes."""
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            version=np.array(FEATURE_VERSION),
            names=np.array(NAMES),
            values=values,
            start_packet=np.array([cut.start for cut in cuts], np.uint32),
            packets=np.array([cut.stop - cut.start for cut in cuts], np.uint16),
            kind=np.array([cut.kind for cut in cuts], np.uint8),
            speech_probability=speech_probability,
            second_class=second_class,
        )
