"""clean: the same recording, easier to hear, in one streaming pass.

Channels become one, rumble, clicks and noise go where they are measured, levels come closer, loudness becomes −19 LUFS.
It must never make things worse: what is already clean passes almost untouched (ESTOI against the source ≥ 0.98).
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from chasqui.events import Report
from chasqui.records import Master, Recording
from chasqui.store import Workspace


class Options(BaseModel):
    """What may be told to `clean`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Noise reduction: auto is RNNoise where noise is measured under speech. afftdn gains next to nothing.
    denoise: Literal["auto", "rnnoise", "afftdn", "off"] = "auto"
    # Clicks and clipped tops; costs nothing where there are none.
    repair: bool = True
    # Far and near speakers brought closer.
    level: bool = True
    # Longest silence that is kept, in seconds; None keeps all, because cutting moves every time after it.
    silence_max_s: float | None = Field(default=None, ge=0.2)
    # −19 LUFS mono sounds as loud as the −16 LUFS stereo of podcasts (AES TD1008).
    loudness_lufs: float = Field(default=-19.0, ge=-40.0, le=-10.0)
    # Lossy codecs overshoot by up to 1 dB: this leaves them room (EBU R128 s2).
    true_peak_dbtp: float = Field(default=-1.5, ge=-12.0, le=-0.5)
    # How fast, not what: 0 is as many as there are cores.
    threads: int = Field(default=0, exclude=True)


def run(recording: Recording, *, options: Options, work: Workspace, report: Report) -> Master:
    """The cleaned recording: mono, 48 kHz, FLAC, with its loudness known.

    Raises:
        OnlySilence: nothing in it is louder than −70 dBFS.
    """
    from chasqui.clean.master import make
    from chasqui.metrics.threads import one_blas_thread

    with one_blas_thread():  # a second BLAS thread spins between our small matrices: a third of all processor time
        return make(recording, options, work, report)
