"""The sound of a data set as others read it: libsndfile is the third party."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from absent import missing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chasqui.collect import audio
from chasqui.errors import BadConfig
from chasqui.media.flac import FlacWriter
from chasqui.records import Blob, Master

RATE_HZ = 48_000


@pytest.fixture(scope="session")
def read() -> Any:
    """`read(path)` → (samples, rate), as libsndfile gives them."""
    try:
        import soundfile
    except ImportError:
        missing("soundfile")
    return soundfile.read


def written(path: Path, sound: np.ndarray) -> Path:
    with FlacWriter(path, bits=24) as writer:
        writer.write(sound.astype(np.float32))
    return path


def tone(hz: float, samples: int, amplitude: float = 0.5, rate_hz: int = RATE_HZ) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(samples) / rate_hz)


def level_db(sound: np.ndarray) -> float:
    middle = sound[len(sound) // 8 : -len(sound) // 8]
    return float(10 * np.log10(np.mean(middle**2) + 1e-20))


def a_master(**facts: Any) -> Master:
    told: dict[str, Any] = {
        "recording_id": "0" * 16,
        "audio": Blob(path="master.flac", bytes=1, sha256="0" * 64),
        "rate_hz": RATE_HZ,
        "samples": RATE_HZ,
        "duration_s": 1.0,
        "gain_db": -2.0,
        "loudness_lufs": -19.0,
        "true_peak_dbtp": -4.0,
        "source_loudness_lufs": -30.0,
        "snr_db": None,
        "bandwidth_hz": 8_000.0,
        "treatments": (),
    }
    return Master(**{**told, **facts})


@pytest.mark.parametrize("rate_hz", audio.RATES_HZ)
@pytest.mark.parametrize("container", ["flac", "wav", "wav-float"])
def test_every_rate_is_the_same_sound(
    tmp_path: Path, read: Any, rate_hz: audio.Rate, container: audio.Container
) -> None:
    samples = 3 * RATE_HZ + 1
    master = written(tmp_path / "master.flac", tone(440, samples))
    made = audio.render(master, -6.0, tmp_path / "sound", rate_hz, container)
    heard, rate = read(made.path)
    assert (rate, len(heard)) == (rate_hz, made.samples)
    assert made.samples == -(-samples * rate_hz // RATE_HZ)
    assert made.duration_s == samples / RATE_HZ
    meant = tone(440, made.samples, 0.5 * 10 ** (-6 / 20), rate_hz)
    assert level_db(heard - meant) < level_db(meant) - 60
    assert made.clipped == 0


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples=st.integers(1, 100_000), rate_hz=st.sampled_from(audio.RATES_HZ))
def test_odd_lengths_are_kept_to_the_sample(tmp_path: Path, read: Any, samples: int, rate_hz: int) -> None:
    master = written(tmp_path / "master.flac", tone(300, samples))
    made = audio.render(master, 0.0, tmp_path / "sound.flac", rate_hz)
    assert len(read(made.path)[0]) == made.samples == -(-samples * rate_hz // RATE_HZ)
    opus = audio.render(master, 0.0, tmp_path / "sound.opus", rate_hz, "opus")
    assert len(read(opus.path)[0]) == opus.samples == samples


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050])
def test_nothing_folds_back_from_above_the_new_band(tmp_path: Path, read: Any, rate_hz: int) -> None:
    inside = written(tmp_path / "inside.flac", tone(0.94 * rate_hz / 2, 2 * RATE_HZ))
    above = written(tmp_path / "above.flac", tone(1.03 * rate_hz / 2, 2 * RATE_HZ))
    kept = read(audio.render(inside, 0.0, tmp_path / "kept.flac", rate_hz).path)[0]
    gone = read(audio.render(above, 0.0, tmp_path / "gone.flac", rate_hz).path)[0]
    assert level_db(kept) == pytest.approx(10 * np.log10(0.125), abs=0.05)
    assert level_db(gone) < -90


@pytest.mark.parametrize("container", audio.CONTAINERS)
def test_the_same_master_gives_the_same_bytes(tmp_path: Path, read: Any, container: audio.Container) -> None:
    sound = tone(440, 12 * RATE_HZ + 777) * tone(3, 12 * RATE_HZ + 777, 1.0)
    master = written(tmp_path / "master.flac", sound)
    first, second = (audio.render(master, 0.0, tmp_path / name, 16_000, container) for name in ("one", "two"))
    assert first.path.read_bytes() == second.path.read_bytes()
    heard, rate = read(first.path)
    assert rate == first.rate_hz
    assert len(heard) - first.samples in (range(47) if container == "mp3" else (0,))
    shift = {"mp3": 0.1, "opus": 0.2}.get(container, 0.001)
    meant = sound[:: RATE_HZ // rate]
    assert np.sqrt(np.mean((heard[: len(meant)] - meant[: len(heard)]) ** 2)) < shift * np.sqrt(np.mean(meant**2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["master.flac", "one", "two"]


def test_what_is_cut_off_is_counted(tmp_path: Path, read: Any) -> None:
    master = written(tmp_path / "master.flac", tone(100, RATE_HZ, 0.9))
    made = audio.render(master, 6.0, tmp_path / "loud.flac", 48_000)
    heard = read(made.path)[0]
    assert made.clipped > RATE_HZ // 10
    assert made.clipped == pytest.approx(np.count_nonzero(np.abs(heard) > 0.99996), rel=0.02)
    assert audio.render(master, 6.0, tmp_path / "loud.wav", 48_000, "wav-float").clipped == 0
    assert np.abs(read(tmp_path / "loud.wav")[0]).max() > 1.7  # floats hold what is over full scale


def test_loudness_as_published_as_it_was_or_as_asked() -> None:
    master = a_master()
    assert audio.gain_for(master)[0] == -2.0
    assert audio.gain_for(master, "source")[0] == pytest.approx(-13.0)
    assert audio.gain_for(master, -23.0)[0] == pytest.approx(-6.0)
    gain, why = audio.gain_for(master, -10.0)
    assert gain == pytest.approx(1.0)  # the peak stands at −4 dBTP and may rise to −1
    assert why == "6.0 LU under -10 LUFS: more would break -1 dBTP"
    assert audio.gain_for(a_master(loudness_lufs=None), -23.0)[0] == -2.0


@pytest.mark.parametrize(("rate_hz", "container", "rung"), [(11_025, "flac", "voice-8"), (16_000, "ogg", "voice-8")])
def test_what_there_is_not_is_refused(tmp_path: Path, rate_hz: int, container: Any, rung: str) -> None:
    master = written(tmp_path / "master.flac", tone(100, RATE_HZ))
    with pytest.raises(BadConfig, match="known: "):
        audio.render(master, 0.0, tmp_path / "no", rate_hz, container, rung=rung)
    with pytest.raises(BadConfig, match="no rung"):
        audio.render(master, 0.0, tmp_path / "no", 16_000, "opus", rung="voice-1")
    assert not (tmp_path / "no").exists()
