"""Recognisers for tests: all of them real, with what is theirs to need."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import pytest
from absent import missing
from numpy.typing import NDArray

from chasqui.asr import Recogniser, Settings, open_recogniser

from .service import Service
from .tiny_whisper import write

SAID = "Hola, esto es una clase de química."


def needs(package: str) -> None:
    if find_spec(package) is None:
        missing(f"the package {package}")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper of 4 MB that says SAID to whatever it hears."""
    needs("faster_whisper")
    return write(tmp_path_factory.mktemp("whisper") / "tiny", " " + SAID)


@pytest.fixture(scope="session")
def speech(media: Path) -> Callable[[str], NDArray[np.float32]]:
    """Recorded English of known words, by name, as 16 kHz mono."""

    def read(name: str) -> NDArray[np.float32]:
        with av.open(str(media / "asr" / "cuttledoc" / f"{name}.ogg")) as container:
            resampler = av.AudioResampler("flt", "mono", 16000)
            frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
            return np.concatenate([frame.to_ndarray()[0] for frame in [*frames, *resampler.resample(None)]])

    return read


@pytest.fixture(scope="session")
def noise() -> NDArray[np.float32]:
    return (np.random.default_rng(5).standard_normal(16000 * 6) * 0.05).astype(np.float32)


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for the in-memory twin: a word every half second, for two minutes."""
    words = [{"text": f"w{n}", "start_s": n / 2, "end_s": n / 2 + 0.4, "probability": 0.9} for n in range(240)]
    file = tmp_path_factory.mktemp("memory") / "words.json"
    file.write_text(json.dumps({"words": words, "language": "en", "languages": ["en", "es"]}))
    return file


@pytest.fixture(scope="session")
def listener(tiny: Path) -> Recogniser:
    """The tiny Whisper in this process."""
    return open_recogniser(f"whisper:{tiny}", Settings(apart=False, threads=1))


@pytest.fixture
def service(listener: Recogniser) -> Iterator[Service]:
    """A service with the tiny Whisper behind it."""
    needs("requests")
    with Service(listener) as running:
        yield running
