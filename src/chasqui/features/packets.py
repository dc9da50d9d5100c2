"""What sequence models see: a few numbers per Opus packet of 60 ms, from a stretch of a master alone."""

from __future__ import annotations

from chasqui.errors import BadSound
from chasqui.features import lower, mel, pitch, shapes, spectrum
from chasqui.features.arrays import Array, frames, namespace, padded, table
from chasqui.features.levels import energy
from chasqui.features.pitch import Yin
from chasqui.features.spectrum import FLOOR

RATE_HZ = 48_000
PACKET = 2_880  # samples
BANDS = 24
#: log-mel in dB relative to full scale, level in dBFS, periodicity (1 − aperiodicity by YIN) and flatness, 0–1.
PACKET_NAMES: tuple[str, ...] = (
    *(f"logmel_{band:02d}" for band in range(BANDS)),
    "level_dbfs",
    "periodicity",
    "flatness",
)

# At 16 kHz: windows of 25 ms every 10 ms, centred on their 10 ms. At 8 kHz: YIN every 20 ms.
LOW_HZ, HIGH_HZ = 20.0, 7600.0
SPEECH_HZ, HOP, WINDOW, FFT = 16_000, 160, 400, 512
PITCH = Yin.speech(8_000)
PITCH_HOP = 160


def packet_features(sound: Array) -> Array:
    """[..., samples] at 48 kHz → float32 [..., ⌈samples / 2880⌉, PACKET_NAMES]; zeros are assumed beyond both ends.

    Means over the packet's six spectra and three pitch frames; bands and level are means of power, in dB, −100 in
    digital silence. Any library of the array-API standard; never NaN for finite sound.

    Raises:
        BadSound: no samples.
    """
    if sound.shape[-1] == 0:
        raise BadSound(name="the stretch", why="it is empty")
    xp = namespace(sound)
    packets = -(-sound.shape[-1] // PACKET)
    whole = padded(sound, 0, packets * PACKET - sound.shape[-1])
    at_16k, at_8k = lower.lower(whole)
    power = spectrum.power(_centred(at_16k, WINDOW, HOP, 6 * packets), FFT)
    bands = power @ table(power, mel.matrix, SPEECH_HZ, FFT, BANDS, LOW_HZ, HIGH_HZ)
    lifted = shapes.lifted(power, FLOOR / FFT)
    flat = shapes.flatness(lifted, xp.log(lifted))
    _, aperiodicity = pitch.yin(_centred(at_8k, PITCH.size, PITCH_HOP, 3 * packets), PITCH)
    level = energy(xp.reshape(whole, (*whole.shape[:-1], packets, PACKET)))
    columns = [
        spectrum.decibels(_mean(bands, 6)),
        spectrum.decibels(level)[..., None],
        1.0 - _mean(aperiodicity[..., None], 3),
        _mean(flat[..., None], 6),
    ]
    return xp.concat(columns, axis=-1)


def _centred(sound: Array, size: int, hop: int, count: int) -> Array:
    """Frames in the middle of each hop."""
    margin = size // 2
    return frames(padded(sound, margin, margin), size, hop, count, margin + hop // 2 - size // 2)


def _mean(columns: Array, per_packet: int) -> Array:
    """[..., packets · n, width] → [..., packets, width]."""
    xp = namespace(columns)
    return xp.mean(xp.reshape(columns, (*columns.shape[:-2], -1, per_packet, columns.shape[-1])), axis=-2)
