"""The front door: batches, ends of clips, errors in words, and numbers for whatever comes in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chasqui import features
from chasqui.errors import BadConfig, BadSound
from chasqui.features import CATALOGUE, Settings

from .conftest import MUSIC, RAIN, SPANISH, SPEECH, Read

NAMES = tuple(CATALOGUE)


def test_a_clip_in_a_batch_has_the_numbers_it_has_alone(read: Read) -> None:
    clips = [read(SPEECH), read(MUSIC)[:20_011], read(SPANISH)[:9_000]]
    together = features.extract(clips, 16_000, NAMES)
    for index, clip in enumerate(clips):
        alone, mine = features.extract(clip, 16_000, NAMES).clip(0), together.clip(index)
        assert together.counts[index] == 1 + clip.size // 160
        for name in NAMES:
            scale = np.abs(alone[name]).max() + 1e-9
            np.testing.assert_allclose(mine[name] / scale, alone[name] / scale, atol=1e-5, err_msg=name)


def test_equally_long_clips_come_as_one_array(read: Read) -> None:
    both = np.stack([read(SPEECH), read(SPANISH)])
    listed, stacked = (features.extract(audio, 16_000, ("mfcc",)).values["mfcc"] for audio in (list(both), both))
    np.testing.assert_array_equal(listed, stacked)
    assert listed.shape == (2, 401, 20)


def test_shapes_and_units_are_what_the_catalogue_says(read: Read) -> None:
    frames = features.extract(read(SPEECH), 16_000, NAMES)
    assert frames.seconds_per_frame == 0.01
    for name, value in frames.values.items():
        line = CATALOGUE[name]
        assert value.shape == ((1, 401) if line.grid == "frame" else (1,)) + (line.width(frames.settings),), name
        assert value.dtype == np.float32
        assert line.what and line.source
        if line.unit == "0–1":
            assert value.min() >= -1e-6 and value.max() <= 1 + 1e-6, name


def test_sounds_differ_where_they_should(read: Read) -> None:
    names = ("flatness", "voiced", "snr_db", "bandwidth_hz", "modulation_4hz", "flux")
    found = features.extract([read(SPEECH), read(RAIN)], 16_000, names)
    speech, rain = ({name: float(value.mean()) for name, value in found.clip(index).items()} for index in (0, 1))
    assert speech["flatness"] < 0.5 * rain["flatness"]
    assert speech["voiced"] > 0.3 and rain["voiced"] < 0.02
    assert speech["snr_db"] > rain["snr_db"] + 10
    assert speech["modulation_4hz"] > 1.5 * rain["modulation_4hz"]


def test_a_narrow_recording_is_told_by_its_bandwidth(read: Read) -> None:
    narrow = read("speech/speech-to-text-nodejs/es-ES_Narrowband_sample2.wav")
    wide = read("speech/speech-to-text-nodejs/en-US_Broadband_sample2.wav")
    found = features.extract([narrow, wide], 16_000, ("bandwidth_hz",)).values["bandwidth_hz"]
    assert found[0, 0] < 4200 < 6000 < found[1, 0]


def test_a_gliding_tone_is_followed() -> None:
    hertz = np.linspace(100, 400, 32_000)
    sound = (0.3 * np.sin(2 * np.pi * np.cumsum(hertz) / 16_000)).astype(np.float32)
    found = features.extract(sound, 16_000, ("f0_hz", "centroid_hz"))
    contour = found.values["f0_hz"][0, 10:-10, 0]
    np.testing.assert_allclose(contour, hertz[160 * np.arange(10, 191)], rtol=0.02)


def test_silence_is_said_in_numbers() -> None:
    found = features.extract(np.zeros(16_000, np.float32), 16_000, NAMES).clip(0)
    assert all(np.isfinite(value).all() for value in found.values())
    for name, value in {
        "level_dbfs": -100,
        "f0_hz": 0,
        "aperiodicity": 1,
        "voiced": 0,
        "flatness": 1,
        "flux": 0,
        "rms": 0,
        "zero_crossings": 0,
        "bandwidth_hz": 0,
        "snr_db": -10,
        "modulation_4hz": 0,
    }.items():
        np.testing.assert_allclose(found[name], value, atol=1e-4, err_msg=name)


SAMPLES = st.floats(-1, 1, width=32) | st.sampled_from([0.0, 1.0, -1.0, 1e-30, 1e-7])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(arrays(np.float32, st.integers(400, 1700), elements=SAMPLES, fill=SAMPLES), min_size=1, max_size=3),
    st.sampled_from([1.0, 1e-6, 30.0]),
)
def test_finite_sound_gives_finite_numbers(clips: list[np.ndarray], gain: float) -> None:
    found = features.extract([clip * np.float32(gain) for clip in clips], 16_000, NAMES)
    for index in range(len(clips)):
        for name, value in found.clip(index).items():
            assert np.isfinite(value).all(), name
    table = features.aggregate(found, ("mean", "std", "skew", "kurtosis", "min", "max", "range", "p00", "p33", "p100"))
    assert np.isfinite(table.values).all()
    assert len(set(table.names)) == len(table.names) == table.values.shape[1]


@settings(max_examples=40, deadline=None)
@given(st.floats(0.01, 8.0), st.integers(-9, 2), st.sampled_from([8_000, 16_000, 22_050, 44_100, 48_000]))
def test_every_rate_gives_finite_numbers(seconds: float, power: int, rate_hz: int) -> None:
    sound = np.random.default_rng(1).normal(size=max(round(0.05 * seconds * rate_hz), rate_hz // 20)) * 10.0**power
    found = features.extract(sound.astype(np.float32), rate_hz, NAMES).clip(0)
    assert all(np.isfinite(value).all() for value in found.values())


def test_a_misspelt_name_is_understood() -> None:
    with pytest.raises(BadConfig, match="no feature 'mfc'; did you mean 'mfcc'"):
        features.extract(np.zeros(16_000, np.float32), 16_000, ("mel", "mfc"))
    with pytest.raises(BadConfig, match="known: spectrogram"):
        features.extract(np.zeros(16_000, np.float32), 16_000, ("xyzzy",))
    with pytest.raises(BadConfig, match="no feature was named"):
        features.extract(np.zeros(16_000, np.float32), 16_000, ())


@pytest.mark.parametrize(
    ("audio", "why"),
    [
        ([], "no clip in it"),
        ([np.zeros(500, np.float32), np.zeros(0, np.float32)], "clip 2: it is empty"),
        ([np.zeros(399, np.float32)], "399 samples, and one window takes 400"),
        ([np.full(500, np.nan, np.float32)], "NaN or infinity"),
        ([np.full(500, np.inf, np.float32)], "NaN or infinity"),
        ([np.zeros(500, np.int16)], "int16, not real numbers"),
        ([np.full(500, 32767, np.float32)], "reach 32767, and full scale is 1"),
        ([np.zeros((2, 500), np.float32)], "shape"),
        (np.zeros((1, 2, 500), np.float32), "shape"),
        ("lesson.wav", "shape"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_words(audio: object, why: str) -> None:
    with pytest.raises(BadSound, match=why):
        features.extract(audio, 16_000, ("mel",))


def test_settings_that_do_not_fit_are_refused() -> None:
    for changes, why in (
        ({"window": 600}, "does not fit into a transform of 512"),
        ({"high_hz": 9000.0}, "between 0 and 8000 Hz"),
        ({"mfccs": 41}, "40 bands make no 41 cepstra"),
        ({"hop": 0}, "at least 1"),
    ):
        with pytest.raises(BadConfig, match=why):
            Settings.at(16_000, **changes)
    with pytest.raises(BadConfig, match="for 16000 Hz and the sound has 8000"):
        features.extract(np.zeros(8_000, np.float32), 8_000, ("mel",), settings=Settings.at(16_000))
    with pytest.raises(BadConfig, match="holds no speech"):
        Settings.at(1_000)


def test_every_name_is_on_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "features.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}`" not in page] == []
