"""What is measured on a batch of clips, each thing once and only when somebody asks for it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from chasqui.features import cepstrum, levels, mel, modulation, pitch, shapes, spectrum
from chasqui.features.arrays import Array, frames, namespace, padded, table
from chasqui.features.settings import Settings
from chasqui.features.spectrum import FLOOR

WIDE_BANDS = 128  # bands of the whole rate, for the bandwidth
WIDE_FFT = 2048
WIDE_S = 0.06
LEAST = 1e-30  # stands for nothing where a floor would be heard: keeps sums above zero


class Sheet:
    """Clips of sound [clips, samples], zeros behind each one's own `samples`; all arrays are [clips, frames, …]."""

    def __init__(self, sound: Array, samples: list[int], settings: Settings) -> None:
        self.sound, self.samples, self.settings = sound, samples, settings
        self.xp: Any = namespace(sound)
        self.counts = [1 + n // settings.hop for n in samples]  # frames of each clip
        self.count = 1 + sound.shape[-1] // settings.hop

    def framed(self, size: int) -> Array:
        """[clips, frames, size], centred on multiples of the hop."""
        return frames(self._wide, size, self.settings.hop, self.count, self._margin - size // 2)

    @cached_property
    def _margin(self) -> int:
        return self.settings.widest // 2 + 1

    @cached_property
    def _wide(self) -> Array:
        return padded(self.sound, self._margin, self._margin + self.settings.hop)

    @cached_property
    def windows(self) -> Array:
        """The samples of each window, not weighted."""
        return self.framed(self.settings.window)

    @cached_property
    def power(self) -> Array:
        """Power spectra."""
        return spectrum.power(self.windows, self.settings.fft, density=self.settings.density)

    @cached_property
    def mels(self) -> Array:
        """Power in mel bands."""
        chosen = self.settings
        how = (chosen.rate_hz, chosen.fft, chosen.mels, chosen.low_hz, chosen.high_hz)
        return self.power @ table(self.power, mel.matrix, *how, chosen.mel_scale, chosen.mel_norm)

    @cached_property
    def log_mels(self) -> Array:
        """Logarithms of the bands, as the settings have them."""
        if self.settings.log == "db":
            return mel.topped_db(self.mels, top_db=self.settings.top_db)
        return mel.natural(self.mels)

    @cached_property
    def mfcc(self) -> Array:
        """Cepstra."""
        return cepstrum.mfcc(self.log_mels, self.settings.mfccs)

    def delta(self, columns: Array, order: int = 1) -> Array:
        """How columns change, each clip as if alone."""
        counts = self.xp.astype(self._counts, columns.dtype)
        return cepstrum.delta(cepstrum.held(columns, counts), self.settings.delta_reach, order)

    @cached_property
    def _counts(self) -> Array:
        from array_api_compat import device

        return self.xp.asarray(self.counts, device=device(self.sound))

    @cached_property
    def lifted(self) -> Array:
        """Power without DC and above zero."""
        return shapes.lifted(self.power, FLOOR / self.settings.fft)

    @cached_property
    def logs(self) -> Array:
        """Natural logarithms of `lifted`."""
        return self.xp.log(self.lifted)

    @cached_property
    def weights(self) -> Array:
        """What centroid, spread and roll-off weigh with."""
        power = shapes.raised(self.power, LEAST) if self.settings.dc else self.lifted
        return self.xp.sqrt(power) if self.settings.shape_of == "magnitude" else power

    @cached_property
    def hertz(self) -> Array:
        """Frequencies of the bins of `weights`."""
        make = spectrum.bin_hz if self.settings.dc else shapes.above_dc_hz
        return table(self.power, make, self.settings.rate_hz, self.settings.fft)

    @cached_property
    def centroid(self) -> Array:
        """Hz."""
        return shapes.centroid(self.weights, self.hertz)

    @cached_property
    def flatness(self) -> Array:
        """0–1."""
        if not self.settings.dc:
            return shapes.flatness(self.lifted, self.logs)
        power = shapes.raised(self.power, FLOOR)
        return shapes.flatness(power, self.xp.log(power))

    @cached_property
    def units(self) -> Array:
        """Magnitude spectra of length 1."""
        return shapes.unit(self.lifted)

    @cached_property
    def energy(self) -> Array:
        """Mean square of each window."""
        return levels.energy(self.windows)

    @cached_property
    def yin(self) -> tuple[Array, Array]:
        """(F0 in Hz, aperiodicity)."""
        return pitch.yin(self.framed(self.settings.pitch.size), self.settings.pitch)

    @cached_property
    def modulations(self) -> dict[str, Array]:
        """[clips, 1] each: mean over the whole seconds of a clip, 0 for clips shorter than one."""
        per_second = round(self.settings.rate_hz / self.settings.hop)
        seconds = [count // per_second for count in self.counts]
        most = max(seconds)
        if most == 0:
            zeros = self.xp.zeros_like(self.energy[:, :1])
            return dict.fromkeys(modulation.BANDS, zeros)
        found = modulation.depths(self.mels[:, : most * per_second, :], per_second)
        return {name: self._mean(depth, seconds) for name, depth in found.items()}

    def _mean(self, columns: Array, counts: list[int]) -> Array:
        means = [
            self.xp.mean(row[:count]) if count else self.xp.zeros_like(row[0])
            for row, count in zip([columns[i, :] for i in range(columns.shape[0])], counts, strict=True)
        ]
        return self.xp.stack(means)[:, None]

    @cached_property
    def snr(self) -> Array:
        """[clips, 1] dB."""
        logs = spectrum.decibels(self.energy)
        return self._per_clip(lambda clip: levels.snr_db(logs[clip, : self.counts[clip]]))

    @cached_property
    def bandwidth(self) -> Array:
        """[clips, 1] Hz."""
        return self._per_clip(lambda clip: levels.bandwidth_hz(self._bands(clip), self.settings.rate_hz))

    def _bands(self, clip: int) -> Array:
        hop = round(WIDE_S * self.settings.rate_hz)
        samples = self.samples[clip]
        sound = padded(self.sound[clip, :samples], 0, max(hop, WIDE_FFT) + hop)
        return wide_bands(frames(sound, WIDE_FFT, hop, -(-samples // hop)))

    def _per_clip(self, measure: Any) -> Array:
        from array_api_compat import device

        found = [[measure(clip)] for clip in range(len(self.samples))]
        return self.xp.asarray(found, dtype=self.sound.dtype, device=device(self.sound))


def wide_bands(windows: Array) -> Array:
    """Power in WIDE_BANDS equal bands up to half the rate, of windows [..., WIDE_FFT]."""
    power = spectrum.power(windows, WIDE_FFT)[..., : WIDE_FFT // 2]
    xp = namespace(power)
    return xp.sum(xp.reshape(power, (*power.shape[:-1], WIDE_BANDS, -1)), axis=-1)
