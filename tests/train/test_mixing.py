"""Mixtures sound as their takes say: levels, echoes, bands, and the same bytes every time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from chasqui.errors import ChasquiError
from chasqui.media.flac import read_master
from chasqui.train.material import Take
from chasqui.train.mixing import RATE_HZ, Pcm, render, synthetic

VOICE = "speech/resemblyzer/1088-129236-0000.flac"
RAIN = "noise_music/max-audio-classifier/rain.wav"
WALTZ = "noise_music/max-audio-classifier/piano.wav"

CLEAN = Take(
    sources=(VOICE,), start_s=0.0, seconds=6.0, content="speech", corpus="librispeech", language="en",
    group="libri-1088", part="fit", licence="CC BY 4.0", treatment="clean", seed=7,
)  # fmt: skip


@pytest.fixture
def sound(media: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    """What a take sounds like."""

    def listen(take: Take) -> Pcm:
        return np.concatenate(list(read_master(render(take, media, tmp_path / "take.flac"))))

    return listen


def test_a_take_is_the_same_bytes_every_time(media: Path, tmp_path: Path) -> None:
    take = replace(CLEAN, noise=RAIN, noise_files=(RAIN,), snr_db=10.0, room="room-03:0.45", channel="opus-8")
    one, two = (render(take, media, tmp_path / name).read_bytes() for name in ("a.flac", "b.flac"))
    assert one == two
    assert render(replace(take, seed=8), media, tmp_path / "c.flac").read_bytes() != one


def test_noise_lies_as_far_below_the_voice_as_the_take_says(sound) -> None:  # type: ignore[no-untyped-def]
    clean = sound(CLEAN)
    for snr_db in (0.0, 15.0):
        noisy = sound(replace(CLEAN, noise=RAIN, noise_files=(RAIN,), snr_db=snr_db))
        gain = float(noisy @ clean / (clean @ clean))  # a mixture may be turned down as a whole
        noise = noisy / gain - clean
        active = clean[np.abs(clean) > 0.02 * np.abs(clean).max()]
        measured = 10 * np.log10(np.mean(active**2) / np.mean(noise**2))
        assert measured == pytest.approx(snr_db, abs=2.0)  # loud samples stand for loud frames


def test_a_bed_and_a_part_of_a_recording(sound) -> None:  # type: ignore[no-untyped-def]
    clean, later = sound(CLEAN), sound(replace(CLEAN, start_s=2.0, seconds=3.0))
    assert len(later) == 3 * RATE_HZ
    assert np.allclose(later, clean[2 * RATE_HZ : 5 * RATE_HZ], atol=1e-4)
    with_bed = sound(replace(CLEAN, bed=WALTZ, bed_db=10.0))
    assert len(with_bed) == len(clean)
    assert not np.allclose(with_bed, clean, atol=1e-3)


@pytest.mark.parametrize("room", ["room-01:0.30", "room-01:0.90", "speech/speechbrain/rir1.wav"])
def test_a_room_echoes_and_stays_aligned(sound, room: str) -> None:  # type: ignore[no-untyped-def]
    clean, wet = sound(CLEAN), sound(replace(CLEAN, room=room))
    shift = int(np.argmax(signal.correlate(wet, clean, "same"))) - len(clean) // 2
    assert abs(shift) < 0.03 * RATE_HZ  # where the loudest reflection may lie
    assert not np.allclose(wet, clean, atol=1e-3)


def test_a_synthetic_room_decays_as_its_name_says() -> None:
    for decay_s in (0.3, 0.9):
        response = synthetic(f"room-05:{decay_s:.2f}").astype(np.float64)[96:]
        energy = 10 * np.log10(np.cumsum(response[::-1] ** 2)[::-1] / np.sum(response**2))
        t10, t30 = (int(np.argmax(energy < level)) / RATE_HZ for level in (-10, -30))
        assert 3 * (t30 - t10) == pytest.approx(decay_s, rel=0.35)  # high frequencies die sooner


@pytest.mark.parametrize(("channel", "highest_hz"), [("telephone", 4_000), ("mp3-32", 11_100), ("opus-8", 8_200)])
def test_a_channel_cuts_the_band(sound, channel: str, highest_hz: int) -> None:  # type: ignore[no-untyped-def]
    take = replace(CLEAN, sources=("speech/leopard/test_es.wav",), noise=RAIN, noise_files=(RAIN,), snr_db=5.0)
    power = np.abs(np.fft.rfft(sound(replace(take, channel=channel)))) ** 2
    hertz = np.fft.rfftfreq(6 * RATE_HZ, 1 / RATE_HZ)[: len(power)]
    assert power[hertz > highest_hz].sum() < 1e-3 * power.sum()
    open_power = np.abs(np.fft.rfft(sound(take))) ** 2
    assert open_power[hertz > highest_hz].sum() > 10 * power[hertz > highest_hz].sum()


def test_words_get_pauses_between_them(sound, media: Path) -> None:  # type: ignore[no-untyped-def]
    words = ("speech/gcompris-voices/10.ogg", "speech/gcompris-voices/car.ogg", "speech/gcompris-voices/home.ogg")
    joined = sound(replace(CLEAN, sources=words, seconds=4.07))
    alone = [len(sound(replace(CLEAN, sources=(word,), seconds=9.0))) for word in words]
    assert 2 * 0.25 <= (len(joined) - sum(alone)) / RATE_HZ <= 2 * 1.0


def test_a_file_that_cannot_be_read_is_an_error_in_the_users_words(tmp_path: Path) -> None:
    (tmp_path / "voz.flac").write_bytes(b"fLaC" + bytes(100))
    with pytest.raises(ChasquiError, match=r"voz\.flac"):
        render(replace(CLEAN, sources=("voz.flac",)), tmp_path, tmp_path / "out.flac")
