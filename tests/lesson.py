"""One short real lesson, taken through the stages once per session: two speakers, a noisy stretch, a little music."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import excerpt

from chasqui import config, ingest
from chasqui.media.flac import FlacWriter
from chasqui.pipeline import GIVES
from chasqui.run import run_stage
from chasqui.store import Store, lines, open_store


@dataclass(frozen=True)
class Packed:
    """A store with a recording in it, and how to go on from there."""

    store: Store
    recording_id: str
    models: Path  # the stand-ins, unless a flag says otherwise

    def run(self, stage: str, **flags: Any) -> Any:
        settings = {"choose__models": self.models, **flags}
        return run_stage(stage, self.recording_id, self.store, config.load(env={}, threads=2, **settings))

    def get(self, name: str) -> Any:
        return self.store.get(self.recording_id, name, GIVES[name])

    def lines(self, blob: Any, kind: Any) -> list[Any]:
        return lines.read(self.store.path(blob), kind)


@pytest.fixture(scope="session")
def sound_of_lesson(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About 40 s: LibriSpeech, a Spanish speaker with rain behind her, cello."""
    rain = excerpt(media / "noise_music" / "max-audio-classifier" / "rain.wav", 0, 9)
    spanish = excerpt(media / "asr" / "cuttledoc" / "fleurs-es-002.ogg", 0, 9)
    parts = [
        excerpt(media / "speech" / "resemblyzer" / "1069-133699-0000.flac", 0, 13),
        np.zeros(24_000, np.float32),
        spanish + 0.2 * rain[: len(spanish)],
        np.zeros(24_000, np.float32),
        excerpt(media / "noise_music" / "sms-tools" / "cello-phrase.wav", 0, 8),
    ]
    path = tmp_path_factory.mktemp("lesson") / "lesson.flac"
    with FlacWriter(path) as writer:
        for part in parts:
            writer.write(np.asarray(part, np.float32))
    return path


@pytest.fixture(scope="session")
def analyzed(sound_of_lesson: Path, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """The lesson up to and with analyze."""
    store = open_store(f"file:{tmp_path_factory.mktemp('store')}")
    lesson = Packed(store, ingest.accept(sound_of_lesson, store).recording_id, models)
    for stage in ("ingest", "clean", "analyze"):
        lesson.run(stage)
    return lesson
