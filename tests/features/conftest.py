"""Real clips at 16 kHz, and libraries of arrays to compare NumPy with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from absent import missing
from threadpoolctl import threadpool_limits

SPEECH = "speech/resemblyzer/1088-129236-0000.flac"
SPANISH = "speech/speech-to-text-nodejs/Es_ES_spk19_16khz.wav"
MUSIC = "noise_music/max-audio-classifier/cinematic.wav"
RAIN = "noise_music/max-audio-classifier/rain.wav"

Read = Callable[..., np.ndarray]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def read(media: Path) -> Read:
    """A recording as float32 mono at a rate."""

    @cache
    def get(name: str, rate_hz: int = 16_000, seconds: float = 4.0) -> np.ndarray:
        resampler = av.AudioResampler("flt", "mono", rate_hz)
        with av.open(str(media / name)) as container:
            parts = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        sound = np.concatenate([part.to_ndarray()[0] for part in [*parts, *resampler.resample(None)]])
        return sound[: round(seconds * rate_hz)]

    return get


@pytest.fixture(params=["array_api_strict", "torch", "cuda"])
def library(request: pytest.FixtureRequest) -> Callable[[np.ndarray], Any]:
    """Makes an array of another library from one of NumPy."""
    if request.param == "array_api_strict":
        import array_api_strict

        return lambda values: array_api_strict.asarray(values)
    try:
        import torch
    except ImportError:
        missing("torch (the extra `gpu`)")
    if request.param == "torch":
        return lambda values: torch.from_numpy(np.array(values))
    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    return lambda values: torch.from_numpy(np.array(values)).cuda()
