"""Meetings with known turns, made of real speakers: LibriSpeech utterances cut at pauses and laid in turn, some of them
over each other. And meetings that were recorded, with the turns that people wrote down (RTTM)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.recordings import RATE_HZ, read

Pcm = npt.NDArray[np.float32]

SPEAKERS = "speech/resemblyzer/*.flac"  # one utterance each of 160 speakers of LibriSpeech's train-clean-100
#: Every second speaker was looked at while thresholds were set; nothing is reported on those.
TUNED, HELD_OUT = 0, 1
OVERLAPPING = 0.25  # of the turns begin before the one before has ended
_STEP = RATE_HZ // 100


class Meeting(NamedTuple):
    """Sound at 48 kHz and who speaks when: (start, end, speaker), seconds."""

    name: str
    sound: Pcm
    turns: list[tuple[float, float, str]]
    speakers: int


def made(media: Path, part: int, count: int, seed: int = 1) -> Iterator[Meeting]:
    """`count` meetings of 2 to 5 speakers of one half of the speakers, 12 s of each in turns of 1 to 6 s."""
    files = sorted(media.glob(SPEAKERS))[part::2]
    dice = random.Random(seed)
    for number in range(count):
        chosen = dice.sample(files, 2 + number % 4)
        yield _meeting(f"made-{len(chosen)}-{number:02d}", chosen, dice)


def _meeting(name: str, files: list[Path], dice: random.Random) -> Meeting:
    left = {path.stem.split("-")[0]: _pieces(path, dice) for path in files}
    noise = np.random.default_rng(dice.randrange(1 << 30))
    turns: list[tuple[float, float, str]] = []
    laid: list[tuple[int, Pcm]] = []
    before, end_s = "", 0.5
    while any(left.values()):
        others = [speaker for speaker, pieces in left.items() if pieces and speaker != before]
        speaker = dice.choice(others or [speaker for speaker, pieces in left.items() if pieces])
        piece = left[speaker].pop(0)
        seconds = len(piece) / RATE_HZ
        start_s = end_s + dice.uniform(0.1, 0.8)
        if turns and speaker != before and dice.random() < OVERLAPPING:
            last = turns[-1]
            # Never two turns before, where the same speaker may be heard.
            back_s = min(dice.uniform(0.3, 1.5), (last[1] - last[0]) / 2, seconds / 2)
            start_s = max(end_s - back_s, turns[-2][1] + 0.1 if len(turns) > 1 else 0.0)
        start_s = round(start_s * 100) / 100
        turns.append((start_s, start_s + seconds, speaker))
        laid.append((round(start_s * RATE_HZ), piece))
        before, end_s = speaker, max(end_s, start_s + seconds)
    sound = noise.normal(0, 10 ** (-60 / 20), round((end_s + 0.5) * RATE_HZ)).astype(np.float32)
    for start, piece in laid:
        sound[start : start + len(piece)] += piece
    return Meeting(name, sound, turns, len(files))


def _pieces(path: Path, dice: random.Random) -> list[Pcm]:
    """An utterance in turns of 1 to 6 s that begin and end with speech, at a level of its own."""
    sound = read(path)
    sound = sound[: len(sound) // _STEP * _STEP]
    level = 10 * np.log10(np.mean(sound.reshape(-1, _STEP) ** 2, axis=1) + 1e-10)
    heard = level > np.percentile(level, 95) - 30
    gain = np.float32(10 ** ((dice.uniform(-29, -23) - 10 * np.log10(np.mean(sound**2))) / 20))
    found, at = [], 0
    while at < len(heard):
        rest = np.flatnonzero(heard[at:])
        if not rest.size:
            break
        start = at + int(rest[0])
        wanted = start + round(100 * dice.uniform(1.5, 5.0))
        if len(heard) - wanted < 150:
            end = len(heard)
        else:  # at the quietest place within half a second either way
            around = np.convolve(level, np.ones(15) / 15, "same")[wanted - 50 : wanted + 50]
            end = wanted - 50 + int(np.argmin(around))
        inside = np.flatnonzero(heard[start:end])
        if inside.size and (stop := start + int(inside[-1]) + 1) - start >= 80:
            found.append(sound[start * _STEP : stop * _STEP] * gain)
        at = end
    return found


def recorded(folder: Path) -> Iterator[Meeting]:
    """WAV files of a folder whose name stands in one of its RTTM files."""
    known: dict[str, list[tuple[float, float, str]]] = {}
    for table in sorted(folder.glob("*.rttm")):
        heard: dict[str, set[tuple[float, float, str]]] = {}
        for line in table.read_text(encoding="utf-8").splitlines():
            fields = line.split()
            start_s = float(fields[3])
            heard.setdefault(fields[1], set()).add((start_s, start_s + float(fields[4]), fields[7]))
        known |= {name: sorted(turns) for name, turns in heard.items()}
    for path in sorted(folder.glob("*.wav")):
        if path.stem in known:
            turns = known[path.stem]
            yield Meeting(path.stem, read(path), turns, len({speaker for _, _, speaker in turns}))
