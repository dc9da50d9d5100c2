"""The pass: source in, master out. Everything is a stream; what is held in memory does not grow with the recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from chasqui.clean.ahead import ahead
from chasqui.clean.denoise import Denoise
from chasqui.clean.downmix import Downmix
from chasqui.clean.level import Level
from chasqui.clean.limit import Limit
from chasqui.clean.loudness import Loudness, TruePeak
from chasqui.clean.repair import Repair
from chasqui.clean.rnnoise import TOGETHER
from chasqui.clean.rumble import Rumble
from chasqui.clean.silence import Silence
from chasqui.clean.step import RATE_HZ, Samples, Step, chain, stretches
from chasqui.errors import OnlySilence
from chasqui.events import Report
from chasqui.media.flac import FlacWriter, read_master
from chasqui.media.source import blocks
from chasqui.records import Master, Recording, Treatment
from chasqui.store import Workspace

if TYPE_CHECKING:
    from chasqui.clean import Options

#: During the pass peaks may stand this high: it works 1.7 LU over the published loudness, so the gain lowers them.
WORKING_DBTP = -0.1
#: Nothing in a recording is louder than this: there is nothing to hear.
SILENT_DBFS = -70.0
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
            yield block


class Source:
    """The recording, mixed down, with its own loudness and peak measured on the way."""

    def __init__(self, recording: Recording, work: Workspace, report: Report) -> None:
        self.downmix = Downmix()
        self.loudness = Loudness()
        self.peak = 0.0
        self._recording, self._work, self._report = recording, work, report

    def mono(self) -> Iterator[Samples]:
        path = self._work.path(self._recording.source)
        name = self._recording.source.name
        done = 0
        source: Iterator[npt.NDArray[np.float32]] = blocks(
            path, self._recording.audio_index, name=name, rate_hz=RATE_HZ
        )
        for stretch in stretches(source):
            block = self.downmix.mono(stretch)
            self.peak = max(self.peak, float(np.abs(stretch).max(initial=0.0)))
            self.loudness.add(block)
            done += block.size
            yield block
            self._report.advanced(round(done / RATE_HZ, 1), self._recording.duration_s)


def make(recording: Recording, options: Options, work: Workspace, report: Report) -> Master:
    """The master of a recording.

    Raises:
        OnlySilence: no sample of it is louder than −70 dBFS.
    """
    source = Source(recording, work, report)
    denoise = Denoise(options.denoise, options.threads)
    steps = _steps(denoise, options)
    # Three threads of about equal work, and one that measures. Denoise gives a group of stretches at once: there is
    # room for all of them.
    at = steps.index(denoise)
    heard = chain(ahead(chain(source.mono(), steps[:at])), steps[at : at + 1])
    treated = chain(ahead(heard, depth=TOGETHER), steps[at + 1 :])
    written = Measured(work.folder / "master.flac").write(treated)
    _refuse_silence(recording, source.peak)
    treatments = [source.downmix.treatment(), *(one for step in steps for one in step.treatments())]
    written, gain_db, said = _to_target(written, options, work.folder)
    if written.path.name != "master.flac":
        written.path.replace(work.folder / "master.flac")
    loudness = written.loudness.integrated_lufs()
    return Master(
        recording_id=recording.recording_id,
        audio=work.keep(work.folder / "master.flac", "audio/flac"),
        rate_hz=RATE_HZ,
        samples=written.samples,
        duration_s=written.samples / RATE_HZ,
        gain_db=gain_db,
        loudness_lufs=None if loudness is None else round(loudness + gain_db, 2),
        true_peak_dbtp=round(written.peak.dbtp + gain_db, 2),
        source_loudness_lufs=_rounded(source.loudness.integrated_lufs()),
        snr_db=denoise.snr_db(),
        bandwidth_hz=denoise.spectrum.bandwidth_hz(),
        damage=recording.damage,
        treatments=(*treatments, said),
    )


def _steps(denoise: Denoise, options: Options) -> list[Step]:
    steps: list[Step] = [Rumble()]
    if options.repair:
        steps.append(Repair())
    steps.append(denoise)
    if options.denoise == "afftdn":
        from chasqui.clean.spectral import Afftdn

        steps.append(Afftdn())
    steps.append(Level(options.level))
    if options.silence_max_s is not None:
        steps.append(Silence(options.silence_max_s))
    return [*steps, Limit(WORKING_DBTP)]


def _refuse_silence(recording: Recording, peak: float) -> None:
    peak_dbfs = 20.0 * float(np.log10(max(peak, 1e-6)))
    if peak_dbfs < SILENT_DBFS:
        raise OnlySilence(name=recording.source.name, peak_dbfs=peak_dbfs)


def _to_target(written: Measured, options: Options, folder: Path) -> tuple[Measured, float, Treatment]:
    """(the master's file, its gain, what was done): both promises hold, or loudness gives way and it is said."""
    rounds = 0
    while True:
        loudness = written.loudness.integrated_lufs()
        wanted = 0.0 if loudness is None else options.loudness_lufs - loudness
        allowed = options.true_peak_dbtp - written.peak.dbtp
        if wanted <= allowed + CLOSE_LU / 2 or rounds == ROUNDS:
            break
        rounds += 1
        again = Measured(folder / f"again-{rounds}.flac")
        limit = Limit(options.true_peak_dbtp - 0.1)
        written = again.write(ahead(chain(read_master(written.path, gain_db=wanted), [limit])))
    gain_db = round(min(wanted, allowed), 3)
    effect = {"gain_db": gain_db, "limited_again": float(rounds)}
    return (
        written,
        gain_db,
        Treatment(name="loudness", applied=True, effect=effect, why=_why(loudness, wanted, gain_db, options)),
    )


def _why(loudness: float | None, wanted: float, gain_db: float, options: Options) -> str:
    if loudness is None:
        return "too quiet or too short for EBU R128 to measure; no gain but what the peak allows"
    if wanted - gain_db > CLOSE_LU:
        short = f"{wanted - gain_db:.1f} LU under {options.loudness_lufs:g} LUFS"
        return f"{short}: more would break {options.true_peak_dbtp:g} dBTP"
    return f"{options.loudness_lufs:g} LUFS for mono speech, true peak at most {options.true_peak_dbtp:g} dBTP"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
