"""One row per segment: right where the answer is known, finite everywhere, the same bytes each time."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from chasqui.analyze import features
from chasqui.analyze.features import NAMES

from .conftest import CALL, LIBRI, Load, analyze, silence

SECONDS = np.arange(48_000 * 8) / 48_000


def first(sound: np.ndarray) -> dict[str, float]:
    return dict(zip(NAMES, analyze(sound.astype(np.float32)).values[0].tolist(), strict=True))


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_every_column_is_explained() -> None:
    page = (Path(__file__).parents[2] / "docs" / "analyze.md").read_text(encoding="utf-8")
    for name in NAMES:
        family = re.sub(r"^(mfcc|logmel)_\d\d", r"\1_00", re.sub(r"_(mean|std)$", "", name))
        family = re.sub(r"^above_\d+khz", "above_2khz", re.sub(r"^level_p\d\d_dbfs$", "level_p05_dbfs", family))
        assert family in page, name
    assert features.FEATURE_VERSION in page


def test_a_tone() -> None:
    found = first(0.5 * np.sin(2 * np.pi * 300 * SECONDS))
    assert found["duration_s"] == pytest.approx(8.04, abs=0.001)
    assert found["level_dbfs"] == pytest.approx(-9.03, abs=0.1)
    assert found["peak_dbfs"] == pytest.approx(-6.02, abs=0.05)
    assert found["f0_median_hz"] == pytest.approx(300, rel=0.01)
    assert found["f0_iqr_hz"] < 2
    assert found["bandwidth_hz"] < 700
    assert found["rolloff99_hz"] < 700


@pytest.mark.parametrize("edge", [4000, 8000, 16_000])
def test_bandwidth_is_where_sound_ends(edge: int) -> None:
    spectrum = np.fft.rfft(np.random.default_rng(1).normal(size=SECONDS.size))
    spectrum[np.fft.rfftfreq(SECONDS.size, 1 / 48_000) > edge] = 0
    found = first(0.05 * np.fft.irfft(spectrum))
    assert found["bandwidth_hz"] == pytest.approx(edge, abs=400)
    assert found["rolloff99_hz"] == pytest.approx(edge, abs=400)


@pytest.mark.parametrize("edge", [4000, 8000])
def test_shares_above_an_edge(edge: int) -> None:
    found = first(0.05 * np.random.default_rng(1).normal(size=SECONDS.size))
    assert found[f"above_{edge // 1000}khz_db"] == pytest.approx(10 * np.log10(1 - edge / 24_000), abs=0.05)
    low = first(0.05 * np.sin(2 * np.pi * 500 * SECONDS))
    assert low[f"above_{edge // 1000}khz_db"] < -60


def test_bands_are_relative_to_the_level(load: Load) -> None:
    loud, soft = first(load(LIBRI[0])), first(0.1 * load(LIBRI[0]))
    for name in ("logmel_05_mean", "logmel_12_std", "logmel_12_p10", "mfcc_02_delta_std", "modulation_8hz"):
        assert soft[name] == pytest.approx(loud[name], rel=0.02, abs=0.1), name
    assert soft["level_dbfs"] == pytest.approx(loud["level_dbfs"] - 20, abs=0.01)


def test_a_gliding_voice_spreads() -> None:
    steady = sum(np.sin(2 * np.pi * 150 * k * SECONDS) / k for k in range(1, 5))
    turns = 150 * SECONDS + 10 * np.sin(2 * np.pi * SECONDS) / (2 * np.pi) * 3  # 120–180 Hz
    gliding = sum(np.sin(2 * np.pi * k * turns) / k for k in range(1, 5))
    still, moving = first(0.1 * steady), first(0.1 * gliding)
    assert still["f0_std_semitones"] < 0.2
    assert moving["f0_std_semitones"] == pytest.approx(2.5, abs=0.5)
    assert moving["f0_p05_hz"] == pytest.approx(120, abs=4)
    assert moving["f0_p95_hz"] == pytest.approx(180, abs=4)


def test_narrow_and_wide_recordings_differ(load: Load) -> None:
    narrow, wide = first(load(CALL)), first(load("speech/speech-to-text-nodejs/en-US_Broadband_sample2.wav"))
    assert narrow["bandwidth_hz"] < 4500 < wide["bandwidth_hz"]


@pytest.mark.parametrize("snr_db", [10, 20, 30])
@pytest.mark.parametrize("name", LIBRI)
def test_snr_follows_the_noise(load: Load, name: str, snr_db: float) -> None:
    talk = load(name)
    column = NAMES.index("snr_db")
    own = np.mean(analyze(talk).values[:, column])
    both = -10 * np.log10(10 ** (-own / 10) + 10 ** (-snr_db / 10))
    noise = np.random.default_rng(4).normal(size=talk.size) * np.sqrt(np.mean(talk**2)) * 10 ** (-snr_db / 20)
    values = analyze((talk + noise).astype(np.float32)).values[:, column]
    assert np.mean(values) == pytest.approx(both, abs=3)


@pytest.mark.parametrize("sound", [silence(6), silence(0.001), np.ones(48_000, np.float32)], ids=["6 s", "1 ms", "dc"])
def test_nothing_to_measure_is_still_a_row(sound: np.ndarray) -> None:
    found = analyze(sound)
    assert found.values.shape == (1, len(NAMES))
    assert np.isfinite(found.values).all()


def test_the_file_is_plain_and_always_the_same(load: Load, tmp_path: Path) -> None:
    for name in ("a", "b"):
        found = analyze(load(CALL))
        features.save(tmp_path / name, found.values, found.cuts, found.speech_probability, found.second_class)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with np.load(tmp_path / "a", allow_pickle=False) as table:
        assert str(table["version"]) == features.FEATURE_VERSION
        assert table["names"].tolist() == list(NAMES)
        assert table["values"].dtype == np.float32
        assert table["values"].shape == (table["start_packet"].size, len(NAMES))
        assert table["packets"].sum() == found.packets
        assert table["speech_probability"].size == -(-found.samples // 1536)
        assert table["second_class"].size == -(-found.samples // 48_000)
