"""The sound of a data set: the master as it is wanted outside. Rate, container and loudness are chosen here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from chasqui.codecs.opus import RUNGS
from chasqui.errors import BadConfig
from chasqui.media import export, lame
from chasqui.media.flac import read_master, samples_in
from chasqui.records import Master

Container = Literal["flac", "wav", "wav-float", "opus", "mp3"]
#: Recognisers take 16 kHz, telephones 8, speech synthesis 22.05 or 24, music 44.1 or 48.
Rate = Literal[8_000, 16_000, 22_050, 24_000, 44_100, 48_000]
CONTAINERS: tuple[Container, ...] = get_args(Container)
RATES_HZ: tuple[int, ...] = get_args(Rate)
SUFFIXES: dict[Container, str] = {"flac": ".flac", "wav": ".wav", "wav-float": ".wav", "opus": ".opus", "mp3": ".mp3"}
MEDIA_TYPES: dict[Container, str] = {
    "flac": "audio/flac",
    "wav": "audio/wav",
    "wav-float": "audio/wav",
    "opus": "audio/ogg; codecs=opus",
    "mp3": "audio/mpeg",
}
#: Wideband speech that recognisers hear as the original; Opus files need fewer bytes below it.
RUNG = "voice-32"
#: A legal constant rate at each of the rates above, and transparent for speech.
MP3_BPS = 64_000
#: No gain lifts the true peak over this: resampling and codecs overshoot, and 16 bits clip.
MOST_DBTP = -1.0


@dataclass(frozen=True)
class Sound:
    """A file that was made."""

    path: Path
    container: Container
    media_type: str
    rate_hz: int  # what a reader gets: Opus is always 48,000
    samples: int  # per channel, at that rate
    duration_s: float  # of the master, which may end between two samples
    clipped: int  # samples cut off at full scale; 0 unless the gain was too high


def render(
    master_path: Path,
    gain_db: float,
    out: Path,
    rate_hz: int = 16_000,
    container: Container = "flac",
    *,
    rung: str = RUNG,
    bitrate_bps: int = MP3_BPS,
) -> Sound:
    """Write the master with this gain (`Master.gain_db`, or `gain_for`) as a mono file; whole or not at all.

    FLAC and WAV hold exactly ⌈samples × rate ÷ 48,000⌉ samples, Opus exactly the master's; MP3 may be up to 46 samples
    longer (docs/media.md). The same master, gain and form give the same bytes.
    `rung` is for Opus, `bitrate_bps` for MP3.

    Raises:
        BadConfig: a rate, container or rung that there is not.
    """
    _check(rate_hz, container, rung)
    aside = out.with_name(out.name + ".part")
    try:
        samples, clipped = _written(master_path, gain_db, aside, rate_hz, container, rung, bitrate_bps)
        aside.replace(out)
    finally:
        aside.unlink(missing_ok=True)
    return Sound(
        path=out,
        container=container,
        media_type=MEDIA_TYPES[container],
        rate_hz=48_000 if container == "opus" else rate_hz,
        samples=samples,
        duration_s=samples_in(master_path) / 48_000,
        clipped=clipped,
    )


def gain_for(master: Master, level: Literal["master", "source"] | float = "master") -> tuple[float, str]:
    """(gain for `render`, why): as loud as the master is published, as the source was, or at so many LUFS.

    Never so much that the true peak passes −1 dBTP: then loudness gives way, and the reason says so.
    """
    if level == "master":
        return master.gain_db, "as loud as the master"
    aim = master.source_loudness_lufs if level == "source" else float(level)
    if aim is None or master.loudness_lufs is None:
        return master.gain_db, "as loud as the master: too quiet or too short to measure"
    wanted = master.gain_db + aim - master.loudness_lufs
    allowed = master.gain_db + MOST_DBTP - master.true_peak_dbtp
    if wanted > allowed:
        return round(allowed, 3), f"{wanted - allowed:.1f} LU under {aim:g} LUFS: more would break {MOST_DBTP:g} dBTP"
    return round(wanted, 3), "as loud as the source" if level == "source" else f"{aim:g} LUFS"


def _written(
    master: Path, gain_db: float, out: Path, rate_hz: int, container: Container, rung: str, bitrate_bps: int
) -> tuple[int, int]:
    """(samples at the file's rate, samples cut off)."""
    blocks = read_master(master, gain_db)
    if container == "opus":
        return export.write_opus(blocks, out, rung=RUNGS[rung], samples=samples_in(master)), 0
    if container == "mp3":
        return export.length_at(lame.encode(blocks, out, bitrate_bps=bitrate_bps, rate_hz=rate_hz), rate_hz), 0
    return export.write_pcm(export.at_rate(blocks, rate_hz), out, kind=container, rate_hz=rate_hz)


def _check(rate_hz: int, container: str, rung: str) -> None:
    if rate_hz not in RATES_HZ:
        raise BadConfig(why=f"there is no sound at {rate_hz} Hz; known: {', '.join(map(str, RATES_HZ))}")
    if container not in CONTAINERS:
        raise BadConfig(why=f"there is no container {container!r}; known: {', '.join(CONTAINERS)}")
    if container == "opus" and rung not in RUNGS:
        raise BadConfig(why=f"there is no rung {rung!r}; known: {', '.join(RUNGS)}")
