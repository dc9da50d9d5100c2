"""clean: the same recording, easier to hear, in one streaming pass.

Channels become one, rumble, clicks and noise go where they are measured, levels come closer, loudness becomes −19 LUFS.
It must never make things worse: what is already clean passes almost untouched (ESTOI against the source ≥ 0.98).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from chasqui.events import Report
from chasqui.records import Master, Recording
from chasqui.store import Workspace

#: Options that count in the key only where they are used.
OPTIONAL = frozenset(
    {"channel", "echo", "depop", "dewind", "dereverb", "deess", "compress", "trim_silence", "target_dbfs"}
)


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
    # What follows is for data sets, off unless asked for: a lesson is left as it was recorded where that is clear.
    # One channel alone, where each holds one speaker (calls, interviews); mix takes them all.
    channel: Literal["mix", "left", "right"] = "mix"
    # The channel that holds the far end of a call: what of it comes back in the other one is taken out.
    echo: Literal["off", "left", "right"] = "off"
    # Bursts of air on the microphone, short and long.
    depop: bool = False
    dewind: bool = False
    # The late echo of the room.
    dereverb: bool = False
    # Hissing s.
    deess: bool = False
    # Loud and soft syllables closer: changes how speech sounds.
    compress: bool = False
    # Silence at both ends cut off; `Master.cuts` tells what was.
    trim_silence: bool = False
    # RMS over everything, in dBFS, in place of `loudness_lufs`: some toolkits count so.
    target_dbfs: float | None = Field(default=None, ge=-60.0, le=-6.0)
    # How fast, not what: 0 is as many as there are cores.
    threads: int = Field(default=0, exclude=True)

    @model_serializer(mode="wrap")
    def _without_what_is_off(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What is off is not part of the key: masters made before these options were there stay good."""
        kept: dict[str, Any] = handler(self)
        return {k: v for k, v in kept.items() if k not in OPTIONAL or v != type(self).model_fields[k].default}


def run(recording: Recording, *, options: Options, work: Workspace, report: Report) -> Master:
    """The cleaned recording: mono, 48 kHz, FLAC, with its loudness known.

    Raises:
        OnlySilence: nothing in it is louder than −70 dBFS.
    """
    from chasqui.clean.master import make
    from chasqui.metrics.threads import one_blas_thread

    with one_blas_thread():  # a second BLAS thread spins between our small matrices: a third of all processor time
        return make(recording, options, work, report)
