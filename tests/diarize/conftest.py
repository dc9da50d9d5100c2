"""A conversation of two real speakers with known turns, and the stages before run on it once."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from clips import Pcm, excerpt

from chasqui.config import load
from chasqui.ingest import accept
from chasqui.metrics.threads import one_blas_thread
from chasqui.records import Turns
from chasqui.run import run_stage
from chasqui.store import Store, open_store

#: A woman and a man, none of whose speech anything was fitted on.
FILES = ("speech/resemblyzer/1088-129236-0000.flac", "speech/resemblyzer/8238-274553-0000.flac")
RATE_HZ = 48_000


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """As the stage does it: threads of matrices this small only wait for each other."""
    with one_blas_thread():
        yield


class Talk(NamedTuple):
    sound: Pcm
    turns: list[tuple[float, float, str]]


@pytest.fixture(scope="session")
def talk(media: Path) -> Talk:
    """a b a b, 4 s each with a pause of half a second; the last turn of b begins a second before a has ended."""
    first, second = (excerpt(media / name, 0.5, 8.0) for name in FILES)
    level = [np.float32(0.08 / np.sqrt(np.mean(sound**2))) for sound in (first, second)]
    parts = [(first[:192000] * level[0], "a"), (second[:192000] * level[1], "b")]
    parts += [(first[192000:] * level[0], "a"), (second[192000:] * level[1], "b")]
    starts = [0.5, 5.0, 9.5, 12.5]
    dice = np.random.default_rng(1)
    sound = dice.normal(0, 10 ** (-65 / 20), round(17.5 * RATE_HZ)).astype(np.float32)
    turns = []
    for (part, speaker), start_s in zip(parts, starts, strict=True):
        at = round(start_s * RATE_HZ)
        sound[at : at + len(part)] += part
        turns.append((start_s, start_s + len(part) / RATE_HZ, speaker))
    return Talk(sound, turns)


class Analyzed(NamedTuple):
    """A store in which a recording has been analyzed, and what runs further stages on it."""

    store: Store
    recording_id: str

    def diarize(self, **options: Any) -> Turns:
        settings = {f"diarize__{name}": value for name, value in options.items()}
        return run_stage("diarize", self.recording_id, self.store, load(**settings))  # type: ignore[return-value]


@pytest.fixture(scope="session")
def analyzed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Pcm], Analyzed]:
    """Takes in sound at 48 kHz, cleans and analyzes it."""

    def make(sound: Pcm) -> Analyzed:
        path = tmp_path_factory.mktemp("talk") / "talk.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
            file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
        store = open_store("memory:")
        recording_id = accept(path, store, folder="").recording_id
        for stage in ("ingest", "clean", "analyze"):
            run_stage(stage, recording_id, store, load())
        return Analyzed(store, recording_id)

    return make


@pytest.fixture(scope="session")
def conversation(talk: Talk, analyzed: Callable[[Pcm], Analyzed]) -> Analyzed:
    return analyzed(talk.sound)
