"""Loudness and true peak as FFmpeg's ebur128 measures them, and as EBU Tech 3341 expects them."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph

from chasqui.clean.loudness import Loudness, TruePeak

from .conftest import RATE_HZ, babble, load, mixed, speech, tone


def ours(sound: np.ndarray, cut: int = 480_000) -> tuple[float | None, float]:
    loudness, peak = Loudness(), TruePeak()
    for start in range(0, sound.size, cut):
        loudness.add(sound[start : start + cut])
        peak.add(sound[start : start + cut])
    return loudness.integrated_lufs(), peak.dbtp


def ebur128(sound: np.ndarray) -> tuple[float, float]:
    graph = Graph()
    source = graph.add_abuffer(sample_rate=RATE_HZ, format="fltp", layout="mono")
    meter, sink = graph.add("ebur128", "metadata=1:peak=true"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    facts: dict[str, str] = {}
    # Whole measuring steps only: ebur128 reports the state after each.
    for start in range(0, sound.size // 4800 * 4800, 4800):
        frame = av.AudioFrame.from_ndarray(sound[None, start : start + 4800], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = RATE_HZ, start
        graph.push(frame)
        while True:
            try:
                facts = dict(graph.pull().metadata)
            except (av.BlockingIOError, av.EOFError):
                break
    return float(facts["lavfi.r128.I"]), 20 * np.log10(float(facts["lavfi.r128.true_peaks_ch0"]))


@pytest.mark.parametrize("index", range(4))
def test_agrees_with_ffmpeg_on_speech(media: Path, index: int) -> None:
    sound = load(speech(media, 4)[index])
    loudness, peak = ours(sound)
    expected, expected_peak = ebur128(sound)
    assert loudness == pytest.approx(expected, abs=0.1)
    assert peak == pytest.approx(expected_peak, abs=0.2)


def test_agrees_with_ffmpeg_where_gates_matter(media: Path) -> None:
    voice = load(speech(media, 1)[0])
    sound = np.concatenate([voice, np.zeros(RATE_HZ * 8, np.float32), voice * 0.1, voice])
    assert ours(sound)[0] == pytest.approx(ebur128(sound)[0], abs=0.1)


@pytest.mark.parametrize("dbfs", [-23.0, -33.0])
def test_a_tone_of_1000_hz_has_its_own_level(dbfs: float) -> None:
    """EBU Tech 3341, cases 1 and 2; one channel instead of two counts 3 LU less."""
    assert ours(tone(1000, 20, 10 ** (dbfs / 20)))[0] == pytest.approx(dbfs - 3.01, abs=0.1)


def test_how_it_is_cut_changes_nothing() -> None:
    sound = mixed(babble(12.3), babble(3, seed=1), 10)
    assert ours(sound, 480_000) == pytest.approx(ours(sound, 7_777), abs=1e-4)


def test_peaks_between_samples_are_seen() -> None:
    """A quarter of the rate, 45° off the samples: they read 3 dB too little (EBU Tech 3341, case 15 ff.)."""
    sound = (0.5 * np.sin(np.pi / 2 * np.arange(RATE_HZ) + np.pi / 4)).astype(np.float32)
    assert ours(sound)[1] == pytest.approx(-6.02, abs=0.3)


def test_nothing_to_measure_says_so() -> None:
    assert ours(np.zeros(RATE_HZ * 5, np.float32))[0] is None
    assert ours(tone(1000, 0.3))[0] is None
