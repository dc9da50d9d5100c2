"""Aligned ViSQOL gives the scores of the time-domain method, stored by `bench/golden_visqol.py`."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import SPEECH, Pcm, at_rate, excerpt, heard, packets

from chasqui.codecs.opus import RUNGS
from chasqui.metrics import visqol

GOLDEN: list[dict[str, Any]] = json.loads((Path(__file__).parent / "golden/visqol.json").read_text())["clips"]
RATE_HZ: dict[str, int] = {"speech": 16_000, "audio": 48_000}
#: The lattice has steeper places than the support vectors: a difference in a feature shows more.
TOLERANCE = {"speech": 0.03, "audio": 0.005}
#: With another libopus or processor the packets differ a little, and so do the scores: then only a mistake shows.
OTHER_PACKETS = 0.15


def babble(seconds: float, rate_hz: int, seed: int = 0) -> Pcm:
    """Coloured noise that swells and fades."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    rough = np.convolve(rng.normal(size=t.size), np.hanning(9), "same")
    return (rough * 0.03 * (1 + np.sin(2 * np.pi * 3 * t))).astype(np.float32)


def ours(mode: visqol.Mode, reference: Pcm, degraded: Pcm) -> float:
    prepared = visqol.prepare(reference, mode)
    assert prepared is not None
    return visqol.score(prepared, degraded)


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: f"{row['mode']}-{Path(row['path']).stem}-{row['rung']}")
def test_equals_the_time_domain_method(media: Path, row: dict[str, Any]) -> None:
    rung = RUNGS[row["rung"]]
    sound = excerpt(media / row["path"], row["start_s"], row["seconds"])
    same = hashlib.sha256(b"".join(packets(sound, rung))).hexdigest() == row["sha256"]
    reference, degraded = (at_rate(side, RATE_HZ[row["mode"]]) for side in (sound, heard(sound, rung)))
    tolerance = TOLERANCE[row["mode"]] if same else OTHER_PACKETS
    assert ours(row["mode"], reference, degraded) == pytest.approx(row["mos"], abs=tolerance)


def test_golden_scores_span_the_scale() -> None:
    for mode in ("speech", "audio"):
        scores = [row["mos"] for row in GOLDEN if row["mode"] == mode]
        assert len(scores) >= 5
        assert min(scores) < 2.5
        assert max(scores) > 4


def test_more_bits_sound_better(media: Path) -> None:
    sound = excerpt(media / SPEECH[1], 0, 6)
    reference = at_rate(sound, 16_000)
    rungs = ("voice-6", "voice-9", "voice-14", "voice-48")
    scores = [ours("speech", reference, at_rate(heard(sound, RUNGS[rung]), 16_000)) for rung in rungs]
    assert scores == sorted(scores)
    assert scores[-1] - scores[0] > 1


@pytest.mark.parametrize("mode", ["speech", "audio"])
def test_a_sound_is_as_good_as_itself(mode: visqol.Mode) -> None:
    sound = babble(2, RATE_HZ[mode])
    assert ours(mode, sound, sound) > 4.5


@pytest.mark.parametrize("mode", ["speech", "audio"])
def test_levels_do_not_move_the_score(mode: visqol.Mode) -> None:
    sound = babble(2, RATE_HZ[mode])
    worse = sound + 4 * babble(2, RATE_HZ[mode], seed=1)
    plain = ours(mode, sound, worse)
    assert 1 <= plain < 4.5
    for factor in (0.1, 0.5, 2):
        assert ours(mode, sound, worse * np.float32(factor)) == pytest.approx(plain, abs=0.01)


@pytest.mark.parametrize("mode", ["speech", "audio"])
@pytest.mark.parametrize("seed", range(4))
def test_scores_stay_on_the_scale(mode: visqol.Mode, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sound = babble(1.5, RATE_HZ[mode], seed)
    noise = (rng.normal(size=len(sound)) * 10.0 ** rng.uniform(-3, 1)).astype(np.float32)
    assert 1 <= ours(mode, sound, noise) <= 5
    assert 1 <= ours(mode, sound, sound + noise) <= 5


@pytest.mark.parametrize("mode", ["speech", "audio"])
def test_silence_is_bad(mode: visqol.Mode) -> None:
    sound = babble(2, RATE_HZ[mode])
    assert ours(mode, sound, np.zeros_like(sound)) == 1.0


@pytest.mark.parametrize("mode", ["speech", "audio"])
@pytest.mark.parametrize("seconds", [0, 0.01, 0.1, 0.3, 0.5])
def test_too_short_is_nothing_to_compare(mode: visqol.Mode, seconds: float) -> None:
    assert visqol.prepare(babble(1, RATE_HZ[mode])[: round(seconds * RATE_HZ[mode])], mode) is None


@pytest.mark.parametrize("mode", ["speech", "audio"])
def test_silence_is_nothing_to_compare(mode: visqol.Mode) -> None:
    assert visqol.prepare(np.zeros(RATE_HZ[mode] * 2, np.float32), mode) is None


@pytest.mark.parametrize("difference", [-1, 1, -500])
def test_another_length_is_refused(difference: int) -> None:
    sound = babble(2, 16_000)
    prepared = visqol.prepare(sound)
    assert prepared is not None
    with pytest.raises(ValueError, match=r"degraded has \d+ samples"):
        visqol.score(prepared, np.resize(sound, len(sound) + difference))


def test_threads_share_a_reference_and_agree() -> None:
    sound = babble(2, 16_000)
    worse = [sound + babble(2, 16_000, seed) for seed in range(1, 5)] * 3
    prepared = visqol.prepare(sound)
    assert prepared is not None
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda one: visqol.score(prepared, one), worse))
    assert together == [visqol.score(prepared, one) for one in worse]
