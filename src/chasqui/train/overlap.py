"""Learns to hear that two speak at once: `python -m chasqui.train.overlap MEDIA` writes models/speaker/overlap.npz.

Utterances of two speakers (LibriSpeech, one each) begin one after the other and lie over each other for a while, the
second up to 6 dB above or below the first, half of the pairs in noise, half in a room. Where either speaks is known
from each alone. A logistic regression on what the layers of the speaker encoder hold tells one from two. It is fitted
on every other speaker; `bench/speakers.py` measures it on the rest.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from chasqui.media.source import blocks
from chasqui.metrics.resample import third
from chasqui.models import voiceprint

Pcm = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]

SPEAKERS = "speech/resemblyzer/*.flac"
PAIRS = 160
LONGEST_S = 9
#: Below the loud moments of an utterance by more than this, nobody speaks. Pauses of up to 150 ms are speech.
QUIET_DB, BRIDGE_FRAMES = 28.0, 15
#: Strong, as 768 numbers are many for a quarter of an hour: chosen among 0.1 to 0.001.
REGULAR = 0.003
_FRAME = 160


class Pair(NamedTuple):
    """Two speakers, 16 kHz, and how many of them speak in each 10 ms."""

    sound: Pcm
    speaking: Counts


def pairs(media: Path, part: int, count: int, seed: int) -> list[Pair]:
    """`count` pairs of every other speaker, from the first or the second."""
    files, dice = sorted(media.glob(SPEAKERS))[part::2], random.Random(seed)
    chosen = (dice.sample(files, 2) for _ in range(count))
    return [_pair(_read(first), _read(second), dice) for first, second in chosen]


def moments(pair: Pair) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """(what the layers hold [moments, 768], whether two speak [moments]) wherever anybody speaks.

    Of each window only the second half, so that at least 0.8 s have been heard.
    """
    spoken = pair.sound.reshape(-1, _FRAME)[pair.speaking > 0]
    level = np.float32(10 ** (-24 / 20) / max(float(np.sqrt(np.mean(spoken**2))), 1e-6))
    half = voiceprint.WINDOW_FRAMES // 2
    mels = voiceprint.mels(np.pad(pair.sound * level, voiceprint.WINDOW // 2))
    padded = np.pad(mels, ((half, half), (0, 0)))
    windows = np.stack([padded[at : at + 2 * half] for at in range(0, len(mels) - half, half)])
    held = voiceprint.states(windows)[:, voiceprint.MOMENTS // 2 :].reshape(-1, 3 * voiceprint.SIZE)
    frame = np.arange(len(held)) * voiceprint.MOMENT_FRAMES + 9 - round(voiceprint.LATE_S * 100)
    inside = (frame >= 0) & (frame < len(pair.speaking))
    speaking = pair.speaking[np.clip(frame, 0, len(pair.speaking) - 1)]
    return held[inside & (speaking > 0)], speaking[inside & (speaking > 0)] > 1


def fit(media: Path, target: Path) -> None:
    """Fit on the first half of the speakers, and write the weights."""
    from sklearn.linear_model import LogisticRegression

    found = [moments(pair) for pair in pairs(media, 0, PAIRS, 5)]
    held, two = (np.concatenate(column) for column in zip(*found, strict=True))
    mean, scale = held.mean(axis=0), held.std(axis=0) + 1e-6
    model = LogisticRegression(C=REGULAR, max_iter=500).fit((held - mean) / scale, two)
    weight = model.coef_[0] / scale
    bias = model.intercept_[0] - mean @ weight
    with target.open("wb") as file:
        np.savez(file, weight=weight.astype(np.float32), bias=np.float32(bias))


def _read(path: Path) -> Pcm:
    found = np.concatenate([block.mean(axis=0) for block in blocks(path, 0)])
    return np.asarray(third()(found)[: LONGEST_S * voiceprint.RATE_HZ])


def _pair(first: Pcm, second: Pcm, dice: random.Random) -> Pair:
    samples = min(len(first), len(second)) // _FRAME * _FRAME
    first, second = first[:samples], second[:samples]
    beside = 10 ** (dice.uniform(-6, 6) / 20) * np.sqrt(np.mean(first**2) / np.mean(second**2))
    frames = samples // _FRAME
    later = dice.randint(min(200, frames // 2), max(201, frames - 100))
    sound, speaking = np.zeros((later + frames) * _FRAME, np.float32), np.zeros(later + frames, np.int64)
    sound[:samples] += first
    sound[later * _FRAME :] += (second * beside).astype(np.float32)
    speaking[:frames] += _active(first)
    speaking[later:] += _active(second)
    noise = np.random.default_rng(dice.randrange(1 << 30))
    if dice.random() < 0.5:
        deviation = 10 ** (-dice.uniform(20, 40) / 20) * np.sqrt(np.mean(sound**2))
        sound += noise.normal(0, deviation, len(sound)).astype(np.float32)
    if dice.random() < 0.5:
        sound = _in_room(sound, dice, noise)
    return Pair(sound, speaking)


def _in_room(sound: Pcm, dice: random.Random, noise: np.random.Generator) -> Pcm:
    """Under a decaying tail of 0.1 to 0.35 s, beside the direct sound."""
    seconds = np.arange(round(0.3 * voiceprint.RATE_HZ)) / voiceprint.RATE_HZ
    tail = noise.normal(0, 1, seconds.size) * 10 ** (-3 * seconds / dice.uniform(0.1, 0.35))
    tail[0] = 3 * np.sqrt(np.sum(tail**2)) * dice.uniform(0.3, 1)
    return np.convolve(sound, tail / np.sqrt(np.sum(tail**2)))[: len(sound)].astype(np.float32)


def _active(sound: Pcm) -> npt.NDArray[np.bool_]:
    level = 10 * np.log10(np.mean(sound.reshape(-1, _FRAME) ** 2, axis=1) + 1e-10)
    loud, ones = level > np.percentile(level, 95) - QUIET_DB, np.ones(BRIDGE_FRAMES)
    wide = np.convolve(loud, ones, "same") > 0
    return np.asarray(np.convolve(~wide, ones, "same") == 0)


if __name__ == "__main__":
    from chasqui.metrics.threads import one_blas_thread

    with one_blas_thread():
        fit(Path(sys.argv[1]), voiceprint.FOLDER / "overlap.npz")
