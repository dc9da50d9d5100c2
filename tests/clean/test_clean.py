"""The promise of the room: clean stays as it is, noisy gets better, and loudness is where it should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chasqui.errors import OnlySilence

from .conftest import NOISES, RATE_HZ, Clean, babble, estoi, load, mixed, speech, tone


@pytest.mark.parametrize("index", range(15))
def test_clean_speech_stays_as_it_is(media: Path, cleaned: Clean, index: int) -> None:
    path = speech(media, 15)[index]
    got = cleaned(path)
    assert got.sound.size == load(path).size
    assert estoi(load(path), got.sound) >= 0.98
    assert got.master.loudness_lufs == pytest.approx(-19.0, abs=0.1)
    assert got.master.true_peak_dbtp <= -1.5


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("snr_db", [5, 10, 15])
def test_speech_in_noise_gets_better(media: Path, cleaned: Clean, name: str, snr_db: int) -> None:
    voices = [load(path)[: 9 * RATE_HZ] for path in speech(media, 2, first=3)]
    gains = []
    for voice in voices:
        heard = mixed(voice, load(media / NOISES[name]), snr_db)
        gains.append(estoi(voice, cleaned(heard).sound) - estoi(voice, heard))
    assert np.mean(gains) > 0.01
    assert min(gains) > -0.005


@pytest.mark.parametrize(
    "name",
    [
        "max-audio-classifier/cinematic.wav",
        "sms-tools/organ-C3.wav",
        "sms-tools/orchestra.wav",
        "data/Kevin_MacLeod_-_Vibe_Ace.hq.ogg",
    ],
)
def test_music_is_not_noise(media: Path, cleaned: Clean, name: str) -> None:
    source = load(media / "noise_music" / name)[: 12 * RATE_HZ]
    got = cleaned(source)
    assert not got.applied("denoise")
    assert np.dot(got.sound, source) > 0.97 * np.linalg.norm(got.sound) * np.linalg.norm(source)
    for low, high in ((100, 1000), (1000, 4000), (4000, 12_000)):
        assert abs(share(got.sound, low, high) - share(source, low, high)) < 1.5  # dB of the whole


def share(sound: np.ndarray, low_hz: int, high_hz: int) -> float:
    power = np.abs(np.fft.rfft(sound.astype(np.float64))) ** 2
    hz = np.fft.rfftfreq(sound.size, 1 / 48_000)
    band = power[(hz >= low_hz) & (hz < high_hz)].sum()
    return float(10 * np.log10(band / power[hz > 100].sum()))


def test_the_number_of_threads_changes_nothing(media: Path, cleaned: Clean) -> None:
    voice = np.concatenate([load(path) for path in speech(media, 3)])[: 24 * RATE_HZ]
    heard = mixed(voice, load(media / NOISES["rain"]), 10)
    one, three = cleaned(heard, threads=1), cleaned(heard, threads=3)
    assert one.master == three.master


def test_a_recording_that_becomes_noisy_is_treated_from_there(media: Path, cleaned: Clean) -> None:
    voices = [load(path) for path in speech(media, 4, first=1)]
    first, second = np.concatenate(voices[:2])[: 20 * RATE_HZ], np.concatenate(voices[2:])[: 20 * RATE_HZ]
    heard = np.concatenate([first, mixed(second, load(media / NOISES["rain"]), 8)])
    got = cleaned(heard)
    assert got.effect("denoise")["treated_s"] == pytest.approx(second.size / 48_000, abs=0.5)
    assert estoi(first, got.sound[: first.size]) >= 0.98
    noisy = slice(first.size, None)
    assert estoi(second, got.sound[noisy]) > estoi(second, heard[noisy]) + 0.05


def test_off_leaves_noise_alone(media: Path, cleaned: Clean) -> None:
    voice = load(speech(media, 1)[0])
    got = cleaned(mixed(voice, load(media / NOISES["rain"]), 5), denoise="off")
    assert not got.applied("denoise")
    assert got.master.snr_db is not None and got.master.snr_db < 15


def test_afftdn_by_name_keeps_time(media: Path, cleaned: Clean) -> None:
    voice = load(speech(media, 1)[0])
    got = cleaned(voice, denoise="afftdn")
    assert got.applied("denoise")
    assert got.sound.size == voice.size
    assert estoi(voice, got.sound) > 0.95


def test_silence_is_refused(cleaned: Clean) -> None:
    with pytest.raises(OnlySilence):
        cleaned(np.zeros(48_000 * 3, np.float32))
    with pytest.raises(OnlySilence):
        cleaned(tone(300, 3, amplitude=1e-4))


def test_a_source_with_sparse_peaks_keeps_both_promises(cleaned: Clean) -> None:
    sound = babble(25, level=0.01)
    for at in range(48_000, sound.size, 48_000):  # a hammer every second, 30 dB over the voice
        sound[at : at + 480] += tone(900, 0.01, 0.9) * np.hanning(480).astype(np.float32)
    got = cleaned(sound)
    assert got.master.true_peak_dbtp <= -1.5
    assert got.master.loudness_lufs is not None and got.master.loudness_lufs <= -18.9


def test_a_quarter_of_a_second_is_no_problem(cleaned: Clean) -> None:
    got = cleaned(babble(0.25))
    assert got.sound.size == 12_000
    assert got.master.loudness_lufs is None


def test_bandwidth_is_that_of_the_content(cleaned: Clean) -> None:
    narrow = tone(300, 12) + tone(3300, 12, 0.01)
    assert cleaned(narrow).master.bandwidth_hz == pytest.approx(3300, abs=300)
