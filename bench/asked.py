"""The treatments of `clean` that somebody has to ask for: what each does to its fault, to a clear voice, and its speed.

Readers of LibriSpeech; rooms and the echo's path are measured impulse responses, wind and pops are shaped noise,
hissing is the voice's own band over 5 kHz lifted by 15 dB. Speed is each step alone in processor time of one thread.

python bench/asked.py [--media DIR] [--voices 4] [--dnsmos]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from clean import RATE_HZ, estoi, load, mos
from scipy.signal import butter, fftconvolve, sosfilt, sosfiltfilt

from chasqui.clean.dynamics import Compress
from chasqui.clean.echo import Echo
from chasqui.clean.low import Air
from chasqui.clean.room import Dereverb
from chasqui.clean.sibilants import Deess
from chasqui.clean.step import stretches
from chasqui.clean.trim import Trim
from chasqui.media.filters import Filter
from chasqui.media.source import blocks
from chasqui.metrics.threads import one_blas_thread

ROOMS = {
    "room, 0.4 s": "impulse_response_0.wav",
    "hall, 0.8 s": "rir48000.wav",
    "church, 1.5 s": "stereo_impulse_response.wav",
}
Sound = np.ndarray


class Ffmpeg:
    """A filter of FFmpeg as a step, to compare with."""

    def __init__(self, name: str, options: str) -> None:
        self._filter = Filter(name, options)

    def process(self, block: Sound) -> Iterator[Sound]:
        return self._filter.process(block)

    def flush(self) -> Iterator[Sound]:
        return self._filter.flush()


def through(step: Any, sound: Sound) -> tuple[Sound, float]:
    """(what comes out, how many times real time)."""
    start = time.process_time()
    source = np.atleast_2d(sound.astype(np.float32))
    parts: list[Sound] = []
    for stretch in stretches(iter([source])):
        parts += step.process(stretch if len(source) > 1 else stretch[0])
    parts += step.flush()
    seconds = time.process_time() - start
    return np.concatenate(parts), source.shape[1] / RATE_HZ / max(seconds, 1e-6)


def db(sound: Sound) -> float:
    return float(10 * np.log10(np.mean(sound.astype(np.float64) ** 2) + 1e-15))


def answer(media: Path, name: str) -> Sound:
    sound = np.concatenate(list(blocks(media / "noise_music" / "audiomentations" / name, 0)), axis=1)[0]
    sound = sound[max(int(np.argmax(np.abs(sound))) - 48, 0) :]
    return sound / np.sqrt(np.sum(sound**2))


def line(what: str, rows: list[tuple[float, ...]], measure: str, speeds: list[float]) -> str:
    means = np.mean(rows, axis=0)
    heard = "" if np.isnan(means[2]) else f"{means[2]:.2f} → {means[3]:.2f}"
    return f"| {what} | {means[0]:.3f} → {means[1]:.3f} | {heard} | {measure} | {np.median(speeds):.0f}× |"


def scored(reference: Sound, before: Sound, after: Sound, dnsmos: bool) -> tuple[float, ...]:
    both = (mos(before), mos(after)) if dnsmos else (np.nan, np.nan)
    return estoi(reference, before), estoi(reference, after), *both


def rooms(media: Path, voices: list[Sound], dnsmos: bool) -> Iterator[str]:
    for name, place in ROOMS.items():
        room, rows, speeds = answer(media, place), [], []
        early = np.where(np.arange(room.size) < 0.05 * RATE_HZ, room, 0)
        nearer = []
        for voice in voices:
            wet = fftconvolve(voice, room)[: voice.size]
            out, speed = through(Dereverb(), wet)
            rows.append(scored(voice, wet, out, dnsmos))
            reference = fftconvolve(voice, early)[: voice.size]
            nearer.append((estoi(reference, wet), estoi(reference, out)))
            speeds.append(speed)
        before, after = np.mean(nearer, axis=0)
        yield line(f"dereverb, {name}", rows, f"against its first 50 ms {before:.3f} → {after:.3f}", speeds)


def echoes(media: Path, voices: list[Sound], dnsmos: bool) -> Iterator[str]:
    for name, place in ROOMS.items():
        room, rows, speeds, erle = answer(media, place), [], [], []
        for far, near in zip(voices, voices[1:] + voices[:1], strict=True):
            size = min(far.size, near.size)
            far, near = far[:size], near[:size] * (np.arange(size) // (4 * RATE_HZ) % 2)
            echo = 0.5 * np.roll(fftconvolve(far, room)[:size], RATE_HZ // 4)
            out, speed = through(Echo(0), np.stack([far, near + echo]))
            both = near != 0
            rows.append(scored(near[both], (near + echo)[both], out[both], dnsmos))
            erle.append(db((near + echo)[~both]) - db(out[~both]))
            speeds.append(speed)
        yield line(f"echo, {name}", rows, f"echo alone {np.mean(erle):.1f} dB less", speeds)


def air(voices: list[Sound], dnsmos: bool) -> Iterator[str]:
    rng = np.random.default_rng(1)
    for name, pops in (("depop", True), ("dewind", False)):
        rows, speeds, lowered = [], [], []
        for voice in voices:
            noise = sosfilt(butter(1, [20, 70], "band", fs=RATE_HZ, output="sos"), rng.normal(size=voice.size))
            shape = np.zeros(voice.size)
            if pops:
                for at in range(RATE_HZ, voice.size - RATE_HZ, 2 * RATE_HZ):
                    shape[at : at + 2_880] = np.hanning(2_880)
                fault = noise * shape
                fault *= 0.5 / np.abs(fault).max()
            else:
                shape = np.repeat(np.clip(rng.normal(size=voice.size // 24_000 + 1), 0, None), 24_000)[: voice.size]
                fault = noise * np.convolve(shape, np.hanning(9_600) / 4_800, "same")
                fault *= 2 * voice.std() / fault.std()
            out, speed = through(Air(pops, not pops), voice + fault)
            rows.append(scored(voice, voice + fault, out, dnsmos))
            lowered.append(db(fault) - db(out - voice))
            speeds.append(speed)
        yield line(name, rows, f"fault {np.mean(lowered):.1f} dB less", speeds)


def hisses(voices: list[Sound], dnsmos: bool) -> Iterator[str]:
    steps: dict[str, Callable[[], Any]] = {
        "deess": Deess,
        "FFmpeg's deesser, i=0.5": lambda: Ffmpeg("deesser", "i=0.5"),
        "FFmpeg's deesser, i=1": lambda: Ffmpeg("deesser", "i=1"),
    }
    for name, step in steps.items():
        rows, speeds, lowered, clear = [], [], [], []
        for voice in voices:
            hiss = sosfiltfilt(butter(4, 5_000, "high", fs=RATE_HZ, output="sos"), voice)
            harsh = voice + 5 * hiss
            out, speed = through(step(), harsh)
            rows.append(scored(voice, harsh, out, dnsmos))
            high = sosfiltfilt(butter(4, 5_000, "high", fs=RATE_HZ, output="sos"), np.stack([harsh, out]))
            lowered.append(_loud(high[0]) - _loud(high[1]))
            clear.append(estoi(voice, through(step(), voice)[0]))
            speeds.append(speed)
        measure = f"loud hisses {np.mean(lowered):.1f} dB less; clear voice min {min(clear):.3f}"
        yield line(name, rows, measure, speeds)


def _loud(sound: Sound) -> float:
    """Level of the loudest twentieth of the frames of 20 ms, in dB."""
    frames = sound[: sound.size // 960 * 960].reshape(-1, 960)
    return float(10 * np.log10(np.percentile(np.einsum("ij,ij->i", frames, frames) / 960, 95)))


def clear_voices(voices: list[Sound]) -> Iterator[str]:
    steps: dict[str, Callable[[], Any]] = {
        "depop and dewind": lambda: Air(True, True),
        "dereverb": Dereverb,
        "deess": Deess,
        "compress": Compress,
        "trim_silence": Trim,
    }
    for name, step in steps.items():
        got = [through(step(), voice) for voice in voices]
        scores = [estoi(voice, out) for voice, (out, _) in zip(voices, got, strict=True)]
        speed = np.median([speed for _, speed in got])
        yield f"| {name}, clear voices | min {min(scores):.3f}, mean {np.mean(scores):.4f} | | | {speed:.0f}× |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=Path, default=Path(__file__).parents[2] / "shared" / "media")
    parser.add_argument("--voices", type=int, default=4, help="voices of 20 s, of three readers each")
    parser.add_argument("--dnsmos", action="store_true", help="also what DNSMOS thinks (slow)")
    given = parser.parse_args()
    paths = sorted((given.media / "speech" / "resemblyzer").glob("*.flac"))[1 :: 160 // (3 * given.voices)]
    sounds = [load(path) for path in paths[: 3 * given.voices]]
    sounds = [0.05 * sound / sound.std() for sound in sounds]
    voices = [np.concatenate(sounds[at : at + 3])[: 20 * RATE_HZ] for at in range(0, len(sounds), 3)]
    print("| what | ESTOI | DNSMOS | effect | real time |\n|---|---|---|---|---|")
    with one_blas_thread():
        for rows in (
            rooms(given.media, voices, given.dnsmos),
            echoes(given.media, voices, given.dnsmos),
            air(voices, given.dnsmos),
            hisses(voices, given.dnsmos),
            clear_voices(voices),
        ):
            for row in rows:
                print(row, flush=True)


if __name__ == "__main__":
    main()
