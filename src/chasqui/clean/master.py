"""The pass: source in, master out. Everything is a stream; what is held in memory does not grow with the recording."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from chasqui.clean import asked
from chasqui.clean.ahead import ahead
from chasqui.clean.denoise import Denoise
from chasqui.clean.downmix import Downmix
from chasqui.clean.level import Level
from chasqui.clean.limit import Limit
from chasqui.clean.loudness import Loudness
from chasqui.clean.repair import Repair
from chasqui.clean.rnnoise import TOGETHER
from chasqui.clean.rumble import Rumble
from chasqui.clean.step import RATE_HZ, Samples, Step, chain, stretches
from chasqui.clean.target import Measured, to_target
from chasqui.errors import OnlySilence
from chasqui.events import Report
from chasqui.media.flac import read_master
from chasqui.media.source import blocks
from chasqui.records import Blob, Master, Recording, Treatment
from chasqui.records.cuts import Cuts
from chasqui.store import Workspace

if TYPE_CHECKING:
    from chasqui.clean import Options

#: During the pass peaks may stand this high: it works 1.7 LU over the published loudness, so the gain lowers them.
WORKING_DBTP = -0.1
#: Nothing in a recording is louder than this: there is nothing to hear.
SILENT_DBFS = -70.0


class Source:
    """The recording, mixed down, with its own loudness and peak measured on the way."""

    def __init__(self, recording: Recording, options: Options, work: Workspace, report: Report) -> None:
        self.downmix = Downmix(options.channel)
        self._near = asked.Near(options)
        self.loudness = Loudness()
        self.peak = 0.0
        self._all = options.channel == "mix"  # one channel that is silent is silence, whatever the other holds
        self._recording, self._work, self._report = recording, work, report

    def mono(self) -> Iterator[Samples]:
        path = self._work.path(self._recording.source)
        name = self._recording.source.name
        done = 0
        source: Iterator[npt.NDArray[np.float32]] = blocks(
            path, self._recording.audio_index, name=name, rate_hz=RATE_HZ
        )
        for stretch in stretches(self._near.blocks(source)):
            block = self.downmix.mono(stretch)
            heard = stretch if self._all else block
            self.peak = max(self.peak, float(np.abs(heard).max(initial=0.0)))
            self.loudness.add(block)
            done += block.size
            yield block
            self._report.advanced(round(done / RATE_HZ, 1), self._recording.duration_s)

    def treatments(self) -> list[Treatment]:
        return [*self._near.treatments(), self.downmix.treatment()]


def make(recording: Recording, options: Options, work: Workspace, report: Report) -> Master:
    """The master of a recording.

    Raises:
        OnlySilence: no sample of it is louder than −70 dBFS.
    """
    source = Source(recording, options, work, report)
    denoise = Denoise(options.denoise, options.threads)
    end = asked.End(options)
    steps = _steps(denoise, end, options)
    # Three threads of about equal work, and one that measures. Denoise gives a group of stretches at once: there is
    # room for all of them.
    at = steps.index(denoise)
    heard = chain(ahead(chain(source.mono(), steps[:at])), steps[at : at + 1])
    treated = chain(ahead(heard, depth=TOGETHER), steps[at + 1 :])
    written = Measured(work.folder / "master.flac").write(treated)
    _refuse_silence(recording, source.peak)
    treatments = [*source.treatments(), *(one for step in steps for one in step.treatments())]
    cuts = _kept(end.cuts(written.samples), work)
    start, stop = end.span(written.samples)
    if (start, stop) != (0, written.samples):
        trimmed = Measured(work.folder / "trimmed.flac")
        written = trimmed.write(asked.between(read_master(written.path), start, stop))
    written, gain_db, said = to_target(written, options, work.folder)
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
        cuts=cuts,
    )


def _steps(denoise: Denoise, end: asked.End, options: Options) -> list[Step]:
    steps: list[Step] = [*asked.first(options), Rumble()]
    if options.repair:
        steps.append(Repair())
    steps += [*asked.before_noise(options), denoise, *asked.behind_noise(options), Level(options.level)]
    return [*steps, *end.steps, Limit(WORKING_DBTP)]


def _kept(cuts: Cuts | None, work: Workspace) -> Blob | None:
    if cuts is None:
        return None
    path = work.folder / "cuts.json"
    path.write_text(cuts.model_dump_json(), encoding="utf-8")
    return work.keep(path, "application/json")


def _refuse_silence(recording: Recording, peak: float) -> None:
    peak_dbfs = 20.0 * float(np.log10(max(peak, 1e-6)))
    if peak_dbfs < SILENT_DBFS:
        raise OnlySilence(name=recording.source.name, peak_dbfs=peak_dbfs)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
