"""How features are measured: windows, bands, conventions. The defaults are those of `analyze` at 16 kHz."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from chasqui.errors import BadConfig
from chasqui.features.mel import Norm, Scale
from chasqui.features.pitch import Yin


@dataclass(frozen=True)
class Settings:
    """Lengths in samples. `at(rate_hz)` and `librosa(rate_hz)` make sets that fit together; `but` changes some.

    Frame t is centred on sample t·hop, with zeros beyond both ends, so n samples give 1 + n // hop frames (librosa's
    `center=True, pad_mode="constant"`).
    """

    rate_hz: int
    window: int  # samples under the Hann window
    hop: int
    fft: int
    mels: int = 40
    low_hz: float = 20.0
    high_hz: float = 7600.0
    mel_scale: Scale = "htk"
    mel_norm: Norm = "peak"
    log: Literal["ln", "db"] = "ln"  # of the bands that cepstra are made of
    top_db: float | None = None  # with `db`: bands further below the loudest of a clip are raised to that
    mfccs: int = 20
    density: bool = True  # bins of white noise add up to its mean square; False: plain |X|²
    shape_of: Literal["power", "magnitude"] = "power"  # what centroid, spread and roll-off weigh with
    dc: bool = False  # whether DC counts in centroid, spread, roll-off and flatness; a microphone's offset is no sound
    rolloff: float = 0.85
    delta_reach: int = 4
    yin: Yin | None = None  # None: Yin.speech(rate_hz)

    def __post_init__(self) -> None:
        """Raises:
        BadConfig: lengths or bands that do not fit together.
        """
        whole = (self.rate_hz, self.window, self.hop, self.fft, self.mels, self.mfccs, self.delta_reach)
        problems = {
            "every length and count must be at least 1": min(whole) < 1,
            f"a window of {self.window} samples does not fit into a transform of {self.fft}": self.window > self.fft,
            f"the bands must lie between 0 and {self.rate_hz / 2:g} Hz, the lowest below the highest": not (
                0 <= self.low_hz < self.high_hz <= self.rate_hz / 2
            ),
            f"{self.mels} bands make no {self.mfccs} cepstra": self.mfccs > self.mels,
            "the pitch is looked for at another rate": self.pitch.rate_hz != self.rate_hz,
        }
        wrong = [why for why, is_wrong in problems.items() if is_wrong]
        if wrong:
            raise BadConfig(why="; ".join(wrong))

    @property
    def pitch(self) -> Yin:
        """How the pitch is looked for."""
        return self.yin or Yin.speech(self.rate_hz)

    @property
    def widest(self) -> int:
        """Samples in the longest frame."""
        return max(self.window, self.pitch.size)

    def but(self, **changes: Any) -> Settings:
        """The same with some values changed."""
        return replace(self, **changes)

    @staticmethod
    def at(rate_hz: int, **changes: Any) -> Settings:
        """Windows of 25 ms every 10 ms, 40 bands up to 7.6 kHz or 95 % of what the rate can hold."""
        if rate_hz < 4000:
            raise BadConfig(why=f"a rate of {rate_hz} Hz holds no speech; 4000 Hz is the least")
        window = round(0.025 * rate_hz)
        fft = 1 << (window - 1).bit_length()
        settings = Settings(rate_hz, window, round(0.01 * rate_hz), fft, high_hz=min(7600.0, 0.475 * rate_hz))
        return settings.but(**changes)

    @staticmethod
    def librosa(rate_hz: int, n_fft: int = 2048, hop_length: int = 512, **changes: Any) -> Settings:
        """What `librosa.feature` (0.11) does when told nothing: 128 Slaney bands of equal area, dB, top_db 80."""
        settings = Settings(
            rate_hz,
            n_fft,
            hop_length,
            n_fft,
            mels=128,
            low_hz=0.0,
            high_hz=rate_hz / 2,
            mel_scale="slaney",
            mel_norm="area",
            log="db",
            top_db=80.0,
            density=False,
            shape_of="magnitude",
            dc=True,
            yin=Yin.librosa(rate_hz, 65.0, min(2093.0, rate_hz / 2)),
        )
        return settings.but(**changes)
