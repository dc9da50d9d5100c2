"""What was written, with its loudness, and the way to the loudness that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chasqui.clean.ahead import ahead
from chasqui.clean.limit import Limit
from chasqui.clean.loudness import Loudness, TruePeak
from chasqui.clean.step import Samples, chain
from chasqui.media.flac import FlacWriter, read_master
from chasqui.records import Treatment

if TYPE_CHECKING:
    from chasqui.clean import Options

#: When the gain would break the peak, the limiter is asked again, at most this often: a read and a write each time.
ROUNDS = 3
CLOSE_LU = 0.1


class Measured:
    """Loudness and peak of a stream, while it is written to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.loudness = Loudness()
        self.peak = TruePeak()
        self.samples = 0
        self._energy = 0.0

    def write(self, source: Iterator[Samples]) -> Measured:
        with FlacWriter(self.path) as writer:
            for block in ahead(self._heard(source)):  # measuring and writing take about as long as one another
                writer.write(block)
                self.samples += block.size
        return self

    def _heard(self, source: Iterator[Samples]) -> Iterator[Samples]:
        for block in source:
            self.loudness.add(block)
            self.peak.add(block)
            self._energy += float(np.dot(block, block))
            yield block

    def level(self, options: Options) -> float | None:
        """LUFS, or RMS in dBFS where that is the target; None where it cannot be measured."""
        if options.target_dbfs is None:
            return self.loudness.integrated_lufs()
        return 10.0 * float(np.log10(self._energy / self.samples)) if self._energy else None


def to_target(written: Measured, options: Options, folder: Path) -> tuple[Measured, float, Treatment]:
    """(the master's file, its gain, what was done): both promises hold, or loudness gives way and it is said."""
    target = options.loudness_lufs if options.target_dbfs is None else options.target_dbfs
    rounds = 0
    while True:
        level = written.level(options)
        wanted = 0.0 if level is None else target - level
        allowed = options.true_peak_dbtp - written.peak.dbtp
        if wanted <= allowed + CLOSE_LU / 2 or rounds == ROUNDS:
            break
        rounds += 1
        again = Measured(folder / f"again-{rounds}.flac")
        limit = Limit(options.true_peak_dbtp - 0.1)
        written = again.write(ahead(chain(read_master(written.path, gain_db=wanted), [limit])))
    gain_db = round(min(wanted, allowed), 3)
    effect = {"gain_db": gain_db, "limited_again": float(rounds)}
    why = _why(level, wanted, gain_db, options)
    return written, gain_db, Treatment(name="loudness", applied=True, effect=effect, why=why)


def _why(level: float | None, wanted: float, gain_db: float, options: Options) -> str:
    if level is None:
        return "too quiet or too short for EBU R128 to measure; no gain but what the peak allows"
    if options.target_dbfs is not None:
        if wanted - gain_db > CLOSE_LU:
            short = f"{wanted - gain_db:.1f} dB under {options.target_dbfs:g} dBFS"
            return f"{short}: more would break {options.true_peak_dbtp:g} dBTP"
        return f"{options.target_dbfs:g} dBFS on the average, true peak at most {options.true_peak_dbtp:g} dBTP"
    if wanted - gain_db > CLOSE_LU:
        short = f"{wanted - gain_db:.1f} LU under {options.loudness_lufs:g} LUFS"
        return f"{short}: more would break {options.true_peak_dbtp:g} dBTP"
    return f"{options.loudness_lufs:g} LUFS for mono speech, true peak at most {options.true_peak_dbtp:g} dBTP"
