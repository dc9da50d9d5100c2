"""Golden: MFCC, mel spectra, YIN and the shapes of spectra are librosa's (0.11), on real recordings.

`bench/golden_features.py` made the golden file; nothing here needs librosa.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from chasqui import features
from chasqui.features import Settings

GOLDEN = json.loads((Path(__file__).parent / "golden" / "librosa.json").read_text(encoding="utf-8"))
CLIPS: list[dict[str, Any]] = GOLDEN["clips"]
FRAME, BAND = GOLDEN["every_frame"], GOLDEN["every_band"]

clips = pytest.mark.parametrize("clip", CLIPS, ids=[Path(clip["path"]).stem for clip in CLIPS])


def sound_of(clip: dict[str, Any], media: Path) -> np.ndarray:
    with av.open(str(media / clip["path"])) as container:
        stream = container.streams.audio[0]
        plain = av.AudioResampler("flt", "mono", stream.rate)
        parts = [part for frame in container.decode(stream) for part in plain.resample(frame)]
        whole = np.concatenate([part.to_ndarray()[0] for part in [*parts, *plain.resample(None)]])
    start, rate_hz = clip["start_s"], clip["rate_hz"]
    sound = whole[round(start * rate_hz) : round((start + clip["seconds"]) * rate_hz)]
    assert hashlib.sha256(sound.tobytes()).hexdigest() == clip["sha256"]
    return sound


def usual(clip: dict[str, Any], media: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(ours, librosa's), both [frames kept, width]."""
    rate_hz = clip["rate_hz"]
    ours = features.extract(sound_of(clip, media), rate_hz, (name,), settings=Settings.librosa(rate_hz))
    return ours.values[name][0], np.array(clip["usual"][name])


@clips
@pytest.mark.parametrize(
    "name", ["mel", "mfcc", "mfcc_delta", "mfcc_delta2", "centroid_hz", "spread_hz", "flatness", "rms"]
)
def test_what_librosa_says_when_told_nothing(clip: dict[str, Any], media: Path, name: str) -> None:
    ours, theirs = usual(clip, media, name)
    ours = ours[::FRAME, ::BAND] if name == "mel" else ours[::FRAME]
    assert ours.shape == theirs.shape
    scale = np.abs(theirs).max()
    np.testing.assert_allclose(ours / scale, theirs / scale, atol=1e-5)


@clips
def test_rolloff(clip: dict[str, Any], media: Path) -> None:
    ours, theirs = usual(clip, media, "rolloff_hz")
    np.testing.assert_allclose(ours[::FRAME], theirs, atol=0.1)  # six digits were kept; a bin is 8 Hz or more


@clips
def test_zero_crossings(clip: dict[str, Any], media: Path) -> None:
    ours, theirs = usual(clip, media, "zero_crossings")
    inner = slice(1, -1)  # at the ends librosa repeats the first and the last sample, we put zeros
    np.testing.assert_allclose(ours[::FRAME][inner], theirs[inner], atol=1e-6)


@clips
def test_yin(clip: dict[str, Any], media: Path) -> None:
    ours, theirs = usual(clip, media, "f0_any_hz")
    close = np.abs(ours[:, 0] / theirs - 1) < 1e-4
    # Where no period stands out, two may be equally good, and the last bit decides between them.
    assert close.mean() >= 0.97
    aperiodicity = features.extract(
        sound_of(clip, media), clip["rate_hz"], ("aperiodicity",), settings=Settings.librosa(clip["rate_hz"])
    ).values["aperiodicity"][0, :, 0]
    assert close[aperiodicity < 0.3].all()
    assert np.mean(aperiodicity < 0.3) > 0.3  # there was pitch to compare


@clips
@pytest.mark.parametrize("name", ["mel", "mfcc"])
def test_the_conventions_of_htk(clip: dict[str, Any], media: Path, name: str) -> None:
    rate_hz = clip["rate_hz"]
    chosen = Settings.at(rate_hz, density=False)
    ours = features.extract(sound_of(clip, media), rate_hz, (name,), settings=chosen).values[name][0][::FRAME]
    ours = ours[:, ::BAND] if name == "mel" else ours
    theirs = np.array(clip["htk"][name])
    assert ours.shape == theirs.shape
    scale = np.abs(theirs).max()
    np.testing.assert_allclose(ours / scale, theirs / scale, atol=1e-5)


def test_the_golden_file_says_where_it_is_from() -> None:
    assert GOLDEN["versions"]["librosa"].startswith("0.11.")
