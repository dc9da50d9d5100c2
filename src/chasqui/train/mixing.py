"""Takes made audible: reverberation, noise, music beds and earlier lossy passes, as one FLAC file.

The order is that of the world: a voice in a room, noise beside it, music put under it, and at last the device that
recorded or sent it on. Levels are those of the sounding stretches; the same take always gives the same bytes.
"""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import signal

from chasqui.codecs.opus import PACKET_SAMPLES, RATE_HZ, Rung
from chasqui.media import lame, opus, probe
from chasqui.media.flac import FlacWriter
from chasqui.media.source import blocks
from chasqui.train.material import GAP_S, Take

Pcm = npt.NDArray[np.float32]

ACTIVE_DB = 30.0  # 20 ms frames further below the loudest one are pauses
TOP = 0.98  # of full scale: mixtures are turned down rather than clipped
TELEPHONE_HZ = (300.0, 3400.0)  # ITU-T G.712
OPUS_8 = Rung("messenger", 8_000, "voip", frame_ms=60)
MP3_BPS, MP3_RATE_HZ = 32_000, 22_050


def render(take: Take, folder: Path, out: Path) -> Path:
    """Write a take as mono FLAC at 48 kHz; `folder` holds the recordings.

    Raises:
        ChasquiError: one of its files cannot be read.
    """
    dice = np.random.default_rng(take.seed)
    sound = _joined(take, folder, dice)
    if take.room:
        sound = _in_room(sound, take.room, folder)
    level = _level(sound)
    if take.noise and take.snr_db is not None:
        noise = np.sum([_laid(whole(folder / file), len(sound), dice) for file in take.noise_files], axis=0)
        sound = sound + noise * _scale(level, take.snr_db, noise)
    if take.bed and take.bed_db is not None:
        bed = _laid(whole(folder / take.bed), len(sound), dice)
        sound = sound + bed * _scale(level, take.bed_db, bed)
    peak = float(np.abs(sound).max(initial=0.0))
    if peak > TOP:
        sound = sound * np.float32(TOP / peak)
    sound = np.asarray(sent(sound, take.channel, dice), np.float32)
    with FlacWriter(out) as writer:
        writer.write(np.ascontiguousarray(sound))
    return out


def _joined(take: Take, folder: Path, dice: np.random.Generator) -> Pcm:
    """The sources one after the other, with pauses as between the words of a list."""
    if len(take.sources) == 1:
        start = round(take.start_s * RATE_HZ)
        return whole(folder / take.sources[0])[start : start + round(take.seconds * RATE_HZ)]
    parts: list[Pcm] = []
    for path in take.sources:
        parts += [whole(folder / path), np.zeros(round(dice.uniform(*GAP_S) * RATE_HZ), np.float32)]
    return np.concatenate(parts[:-1])


@lru_cache(maxsize=24)  # the same noises, rooms and beds come again and again
def whole(path: Path) -> Pcm:
    """Mono float32 at 48 kHz, whole."""
    index = probe.look(path, path.name).audio[0]
    sound: Pcm = np.concatenate([block.mean(axis=0) for block in blocks(path, index)]).astype(np.float32)
    sound.flags.writeable = False
    return sound


def _in_room(sound: Pcm, room: str, folder: Path) -> Pcm:
    """The sound as heard in a room, aligned with the direct sound, at the level it had."""
    response = synthetic(room) if room.startswith("room-") and ":" in room else whole(folder / room)
    direct = int(np.argmax(np.abs(response)))
    response = response[max(direct - 48, 0) :]  # a millisecond before the direct sound is kept
    wet = signal.fftconvolve(sound, response)[: len(sound)]
    return np.asarray(wet * (_level(sound) / max(_level(wet), 1e-9)), np.float32)


def synthetic(room: str) -> Pcm:
    """A room response by its name, `room-03:0.45`: a direct sound and a tail of noise that falls 60 dB in 0.45 s.

    The energy of the tail is from a tenth of the direct sound's (short decays) to all of it (long ones), as in rooms of
    50–200 m³ at two metres; high frequencies die twice as fast (Kuttruff, Room Acoustics, ch. 5).
    """
    name, decay = room.split(":")
    decay_s = float(decay)
    dice = np.random.default_rng(int.from_bytes(name.encode()[-4:], "big"))
    size = round(decay_s * RATE_HZ)
    time = np.arange(size) / RATE_HZ
    low, high = (dice.standard_normal(size) * 10 ** (-3 * time / (decay_s * share)) for share in (1.0, 0.5))
    splitter = signal.butter(2, 2000, "low", fs=RATE_HZ, output="sos")
    tail = signal.sosfilt(splitter, low) + (high - signal.sosfilt(splitter, high))
    tail[: round(0.002 * RATE_HZ)] = 0
    energy_db = -10 + 10 * (decay_s - 0.3) / 0.6
    response = tail * np.sqrt(10 ** (energy_db / 10) / np.sum(tail**2))
    response[0] = 1.0
    return np.asarray(response, np.float32)


def _laid(sound: Pcm, samples: int, dice: np.random.Generator) -> Pcm:
    """As long as wanted: from a random place on, around and around."""
    start = int(dice.integers(len(sound)))
    return np.resize(np.roll(sound, -start), samples)


def _level(sound: npt.NDArray[np.floating]) -> float:
    """Root mean square of the frames that are not pauses."""
    frame = RATE_HZ // 50
    rows = sound[: len(sound) // frame * frame].reshape(-1, frame)
    power = np.mean(rows.astype(np.float64) ** 2, axis=1)
    active = power[power >= power.max(initial=0.0) * 10 ** (-ACTIVE_DB / 10)]
    return float(np.sqrt(active.mean())) if active.size else 0.0


def _scale(level: float, above_db: float, other: npt.NDArray[np.floating]) -> np.float32:
    """What brings `other` that far below `level`."""
    return np.float32(level * 10 ** (-above_db / 20) / max(float(np.sqrt(np.mean(np.square(other)))), 1e-9))


def sent(sound: Pcm, channel: str, dice: np.random.Generator) -> npt.NDArray[np.floating]:
    """What is left after the device that sent it on."""
    if channel == "telephone":
        narrow = signal.resample_poly(sound, 1, 6)
        band = signal.butter(4, TELEPHONE_HZ, "band", fs=RATE_HZ // 6, output="sos")
        return np.asarray(signal.resample_poly(signal.sosfilt(band, narrow), 6, 1)[: len(sound)])
    if channel == "opus-8":
        early = int(dice.integers(PACKET_SAMPLES))  # nobody's packets begin where ours will
        padded = np.pad(sound, (early, 2 * PACKET_SAMPLES))
        return np.concatenate(list(opus.decode(opus.encode(padded, OPUS_8))))[early:][: len(sound)]
    if channel == "mp3-32":
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "sent.mp3"
            lame.encode([sound], file, bitrate_bps=MP3_BPS, rate_hz=MP3_RATE_HZ)
            return lame.decode_file(file)[: len(sound)]
    return sound
