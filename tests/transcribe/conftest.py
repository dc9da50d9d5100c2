"""Three and a half minutes of fifteen people reading, with the times of their words.

The words in `spoken.json` are what pocketsphinx heard, with its times: right or wrong, they lie where something was
said. Kept as a file, because hearing them again takes a minute.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from clips import excerpt
from lesson import Packed

from chasqui import ingest
from chasqui.captions import Cue
from chasqui.captions.cues import cues
from chasqui.media.flac import FlacWriter
from chasqui.records import Word
from chasqui.store import open_store

FACTS = json.loads((Path(__file__).parent / "spoken.json").read_text())


@pytest.fixture(scope="session")
def words() -> list[Word]:
    return [Word(text=text, start_s=start_s, end_s=end_s) for text, start_s, end_s in FACTS["words"]]


@pytest.fixture(scope="session")
def spoken(media: Path, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """The recording, up to and with analyze."""
    path = tmp_path_factory.mktemp("spoken") / "spoken.flac"
    with FlacWriter(path) as writer:
        writer.write(np.zeros(round(48_000 * FACTS["lead_s"]), np.float32))
        for name, gap_s in zip(FACTS["files"], [*FACTS["gaps_s"], 0.5], strict=True):
            writer.write(np.asarray(excerpt(media / "speech" / "resemblyzer" / name, 0, 40), np.float32))
            writer.write(np.zeros(round(48_000 * gap_s), np.float32))
    store = open_store(f"file:{tmp_path_factory.mktemp('store')}")
    lesson = Packed(store, ingest.accept(path, store).recording_id, models)
    for stage in ("ingest", "clean", "analyze"):
        lesson.run(stage)
    return lesson


@pytest.fixture(scope="session")
def speech(spoken: Packed) -> np.ndarray:
    """Its probability of speech per 32 ms, 0–1."""
    with np.load(spoken.store.path(spoken.get("analyze").features)) as table:
        return np.asarray(table["speech_probability"], np.float32) / 255


@pytest.fixture(scope="session")
def captions(words: list[Word]) -> list[Cue]:
    """As somebody sets them by hand: beginnings and ends are off by a third of a second or so."""
    random = Random(1)
    made: list[Cue] = []
    for cue in cues(words):
        start_s = max(cue.start_s + random.gauss(0, 0.3), made[-1].start_s + 0.2 if made else 0.0)
        end_s = max(cue.end_s + random.gauss(0, 0.3), start_s + 0.5)
        if made and made[-1].end_s > start_s:
            made[-1] = replace(made[-1], end_s=start_s)
        made.append(replace(cue, start_s=start_s, end_s=end_s))
    return made


def moved(cues: list[Cue], offset_s: float, rate: float = 1.0) -> list[Cue]:
    """Captions for which sound = rate × caption + offset_s; those that would begin before 0 are lost, as in a file."""
    changed = [replace(c, start_s=(c.start_s - offset_s) / rate, end_s=(c.end_s - offset_s) / rate) for c in cues]
    return [cue for cue in changed if cue.start_s >= 0]


def foreign(cues: list[Cue]) -> list[Cue]:
    """Captions of something else: the same, from the end to the beginning."""
    last_s = cues[-1].end_s + cues[0].start_s
    return [replace(c, start_s=last_s - c.end_s, end_s=last_s - c.start_s) for c in reversed(cues)]


def webvtt(cues: list[Cue]) -> bytes:
    from chasqui.captions import write

    return write.webvtt(cues).encode()
