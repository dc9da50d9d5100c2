"""Real recordings as masters would sound: mono, 48 kHz, at a usual loudness."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from chasqui.analyze import blocks, stream

Load = Callable[[str], np.ndarray]
LOUDNESS_LUFS = -19.0

LIBRI = tuple(
    f"speech/resemblyzer/{name}.flac"
    for name in ("103-1240-0000", "1034-121119-0000", "1069-133699-0000", "1081-125237-0000", "1088-129236-0000")
)
CALL = "speech/speech-to-text-nodejs/es-ES_Narrowband_sample2.wav"
HUNGARIAN = "noise_music/data/Hungarian_Dance_number_5_-_Allegro_in_F_sharp_minor_(string_orchestra).hq.ogg"
PLUM_FAIRY = "noise_music/data/Kevin_MacLeod_-_P_I_Tchaikovsky_Dance_of_the_Sugar_Plum_Fairy.hq.ogg"
CINEMATIC = "noise_music/max-audio-classifier/cinematic.wav"
RAIN = "noise_music/max-audio-classifier/rain.wav"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def load(media: Path) -> Load:
    """Samples of a recording, its louder parts at −22 dBFS."""

    @cache
    def read(name: str) -> np.ndarray:
        return levelled(decode(media / name))

    return read


def decode(path: Path) -> np.ndarray:
    resampler = av.AudioResampler("flt", "mono", 48_000)
    with av.open(str(path)) as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate([part.to_ndarray()[0] for part in [*frames, *resampler.resample(None)]])


def levelled(sound: np.ndarray) -> np.ndarray:
    power = np.square(sound[: sound.size // 480 * 480]).reshape(-1, 480).mean(axis=1)
    active = power[power > power.max() * 1e-4].mean()
    return (sound * 10 ** (-22 / 20) / np.sqrt(active)).astype(np.float32)


def analyze(sound: np.ndarray, loudness_lufs: float | None = LOUDNESS_LUFS) -> stream.Outcome:
    pieces = (sound[start : start + blocks.SAMPLES] for start in range(0, sound.size, blocks.SAMPLES))
    return stream.analyze(pieces, loudness_lufs)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * 48_000), np.float32)
