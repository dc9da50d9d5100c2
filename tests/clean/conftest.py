"""Sounds to clean, and a short way through the whole room."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.signal import resample_poly

from chasqui import clean
from chasqui.clean.step import Step, chain, stretches
from chasqui.events import Report
from chasqui.media.flac import FlacWriter, read_master
from chasqui.media.source import blocks
from chasqui.records import Blob, Master, Recording

RATE_HZ = 48_000
NOISES = {
    "rain": "noise_music/max-audio-classifier/rain.wav",
    "applause": "noise_music/max-audio-classifier/applause.wav",
    "train": "noise_music/max-audio-classifier/train.wav",
    "typing": "noise_music/max-audio-classifier/typing.wav",
}


class Bench:
    """A workspace in a temporary folder, for a source that lies where it lies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, blob: Blob) -> Path:
        return Path(blob.path)

    def keep(self, path: Path, media_type: str = "application/octet-stream") -> Blob:
        data = path.read_bytes()
        return Blob(path=str(path), bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), media_type=media_type)


class Cleaned(NamedTuple):
    master: Master
    sound: np.ndarray  # with its gain

    def effect(self, name: str) -> dict[str, float]:
        return next(treatment for treatment in self.master.treatments if treatment.name == name).effect

    def applied(self, name: str) -> bool:
        return next(treatment for treatment in self.master.treatments if treatment.name == name).applied


Clean = Callable[..., Cleaned]


@pytest.fixture
def cleaned(tmp_path: Path) -> Clean:
    """`cleaned(path or samples, **options)` runs the room."""

    def run(source: Path | np.ndarray, **options: Any) -> Cleaned:
        if isinstance(source, np.ndarray):
            source = written(source, tmp_path / "source.flac")
        (folder := tmp_path / "work").mkdir(exist_ok=True)
        options = {"threads": 1, **options}
        work: Any = Bench(folder)
        master = clean.run(
            recording(source), options=clean.Options(**options), work=work, report=Report("clean", "0" * 16)
        )
        return Cleaned(master, np.concatenate(list(read_master(Path(master.audio.path), master.gain_db))))

    return run


def written(sound: np.ndarray, path: Path) -> Path:
    writer = FlacWriter(path, bits=24)
    writer.write(sound.astype(np.float32))
    writer.close()
    return path


def recording(path: Path) -> Recording:
    source = Blob(path=str(path), bytes=path.stat().st_size, sha256="0" * 64)
    return Recording(
        recording_id="0" * 16,
        source=source,
        container="?",
        audio_index=0,
        codec="?",
        rate_hz=RATE_HZ,
        channels=1,
        duration_s=1.0,
        declared_duration_s=None,
        streams=(),
        tags={},
        why="a test",
    )


@cache
def load(path: Path) -> np.ndarray:
    """Mono at 48 kHz."""
    return np.concatenate(list(blocks(path, 0)), axis=1).mean(axis=0)


def speech(media: Path, count: int, first: int = 0) -> list[Path]:
    """LibriSpeech utterances, spread over the speakers."""
    paths = sorted((media / "speech" / "resemblyzer").glob("*.flac"))
    return paths[first :: len(paths) // count][:count]


def mixed(voice: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Voice with noise under it, scaled so that nothing clips."""
    noise = np.resize(noise, voice.size)
    noise = noise * np.sqrt(np.mean(voice**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    both = voice + noise
    return (both * min(1.0, 0.9 / np.abs(both).max())).astype(np.float32)


def estoi(clean: np.ndarray, heard: np.ndarray) -> float:
    """ESTOI by pystoi, which is what our own is compared with elsewhere."""
    from pystoi import stoi

    size = min(clean.size, heard.size)
    return float(stoi(resample_poly(clean[:size], 5, 24), resample_poly(heard[:size], 5, 24), 10_000, extended=True))


def through(sound: np.ndarray, *steps: Step, cut: int | None = None) -> np.ndarray:
    """The sound after these steps; `cut`: length of the pieces it arrives in."""
    size = cut or sound.shape[-1]
    pieces: Iterable[np.ndarray] = (sound[i : i + size] for i in range(0, sound.size, size))
    return np.concatenate(list(chain(stretches(iter(pieces)), list(steps))))


def tone(hz: float, seconds: float, amplitude: float = 0.1) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def babble(seconds: float, seed: int = 0, level: float = 0.05) -> np.ndarray:
    """Something with the rhythm of speech: noise under 4 kHz that comes and goes four times a second."""
    rng = np.random.default_rng(seed)
    size = int(seconds * RATE_HZ)
    rough = np.convolve(rng.normal(size=size), np.hanning(24) / 12, "same")
    rhythm = np.clip(np.sin(2 * np.pi * 4 * np.arange(size) / RATE_HZ), 0, 1) ** 0.5
    return (level * rough * rhythm).astype(np.float32)
