"""The treatments for data sets: each does what its name says to a sound that has the fault, and leaves others alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, fftconvolve, sosfilt, sosfiltfilt

from chasqui.clean import Options
from chasqui.clean.dynamics import Compress
from chasqui.clean.echo import Echo
from chasqui.clean.low import Air
from chasqui.clean.room import Dereverb
from chasqui.clean.sibilants import Deess
from chasqui.clean.spectra import explained, sound_of, spectra
from chasqui.clean.step import Step
from chasqui.clean.trim import Trim
from chasqui.media.source import blocks
from chasqui.metrics.threads import one_blas_thread
from chasqui.records import Master
from chasqui.records.cuts import Cuts

from .conftest import RATE_HZ, Clean, babble, estoi, load, speech, through, tone

STEPS: dict[str, Callable[[], Step]] = {
    "air": lambda: Air(True, True),
    "dereverb": Dereverb,
    "deess": Deess,
    "compress": Compress,
    "trim": Trim,
}
ROOM = "noise_music/audiomentations/impulse_response_0.wav"


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As in `clean.run`: small matrices on two threads wait for one another."""
    with one_blas_thread():
        yield


def voice(media: Path, seconds: float, first: int = 0) -> np.ndarray:
    """Several readers one after the other, each as loud as the others."""
    sounds = [load(path) for path in speech(media, 6, first)]
    return np.concatenate([0.05 * sound / sound.std() for sound in sounds])[: int(seconds * RATE_HZ)]


def room(media: Path) -> np.ndarray:
    """A real room's answer, from its direct sound on, with a power of 1."""
    answer = np.concatenate(list(blocks(media / ROOM, 0)), axis=1)[0]
    answer = answer[max(int(np.argmax(np.abs(answer))) - 48, 0) :]
    return answer / np.sqrt(np.sum(answer**2))


def level_db(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(sound.astype(np.float64) ** 2) + 1e-15))


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("samples", [1, 479, 504_000, 964_321])
def test_as_many_samples_come_out_as_went_in(name: str, samples: int) -> None:
    sound = babble(samples / RATE_HZ + 0.01)[:samples]
    assert through(sound, STEPS[name]()).size == samples


@pytest.mark.parametrize("name", STEPS)
def test_how_the_sound_arrives_changes_nothing(name: str) -> None:
    sound = babble(21.5) + tone(40, 21.5, 0.2) * (babble(21.5, 3) > 0.03)
    step, again = STEPS[name](), STEPS[name]()
    pieces = [sound[at : at + 33_333] for at in range(0, sound.size, 33_333)]
    parts = [out for piece in pieces for out in again.process(piece)] + list(again.flush())
    np.testing.assert_array_equal(through(sound, step), np.concatenate(parts))


@pytest.mark.parametrize("name", STEPS)
def test_silence_stays_silence(name: str) -> None:
    assert not through(np.zeros(12 * RATE_HZ, np.float32), STEPS[name]()).any()


def test_spectra_are_undone_to_rounding() -> None:
    sound = babble(1.2345)
    np.testing.assert_allclose(sound_of(spectra(sound), sound.size), sound, atol=1e-6)


def test_what_the_past_explains_is_found_to_the_last_tap() -> None:
    rng = np.random.default_rng(0)
    own, past = (rng.normal(size=(3, 900)) + 1j * rng.normal(size=(3, 900)) for _ in range(2))
    own = own * np.repeat(10 ** rng.uniform(-2, 0, size=60), 15)  # it comes and goes, as speech does
    for lag in (3, 5):
        meant = np.zeros_like(past)
        meant[:, lag:] = 0.5 * past[:, :-lag]
        told = explained((own + meant).astype(np.complex64), past.astype(np.complex64), taps=3, delay=3, rounds=3)
        assert np.mean(np.abs(told - meant) ** 2) < 0.05 * np.mean(np.abs(meant) ** 2)


def test_dereverb_brings_a_voice_in_a_real_room_nearer(media: Path) -> None:
    dry = voice(media, 20)
    wet = fftconvolve(dry, room(media))[: dry.size].astype(np.float32)
    step = Dereverb()
    out = through(wet, step)
    assert estoi(dry, out) > estoi(dry, wet) + 0.03
    assert step.treatments()[0].applied


def test_a_dry_voice_passes_dereverb_untouched(media: Path) -> None:
    dry = voice(media, 20)
    step = Dereverb()
    np.testing.assert_array_equal(through(dry, step), dry)
    assert not step.treatments()[0].applied


def cancelled(near: np.ndarray, far: np.ndarray) -> tuple[np.ndarray, Echo]:
    """The near channel, after the far one, in the left, has been taken out."""
    step, both = Echo(0), np.stack([far, near]).astype(np.float32)
    parts = [out for at in range(0, far.size, 100_000) for out in step.process(both[:, at : at + 100_000])]
    return np.concatenate([*parts, *step.flush()]), step


@pytest.mark.parametrize("delay_s", [0.25])
def test_the_echo_of_the_far_end_goes_and_the_near_one_stays(media: Path, delay_s: float) -> None:
    far, near = voice(media, 16), voice(media, 16, first=3)
    speaking = np.arange(far.size) // (4 * RATE_HZ) % 2 == 1  # the near end, every other four seconds
    near = near * speaking
    echo = 0.5 * np.roll(fftconvolve(far, room(media))[: far.size], int(delay_s * RATE_HZ))
    out, step = cancelled(near + echo, far)
    assert out.size == far.size
    assert level_db((near + echo)[~speaking]) - level_db(out[~speaking]) > 10
    assert estoi(near[speaking], out[speaking]) > estoi(near[speaking], (near + echo)[speaking]) + 0.1
    assert step.treatments()[0].effect["delay_ms"] == pytest.approx(1000 * delay_s, abs=15)


def test_without_an_echo_the_near_end_is_left_as_it_is(media: Path) -> None:
    far, near = voice(media, 12), voice(media, 12, first=3)
    out, step = cancelled(near, far)
    np.testing.assert_array_equal(out, near)
    assert not step.treatments()[0].applied
    np.testing.assert_array_equal(cancelled(near, np.zeros_like(far))[0], near)


def test_pops_are_found_and_lowered(media: Path) -> None:
    clear = voice(media, 20)
    rng = np.random.default_rng(1)
    air = sosfilt(butter(1, [20, 80], "band", fs=RATE_HZ, output="sos"), rng.normal(size=clear.size))
    burst = np.zeros(clear.size)
    places = range(RATE_HZ, clear.size - RATE_HZ, 2 * RATE_HZ)
    for at in places:
        burst[at : at + 2_880] = air[at : at + 2_880] * np.hanning(2_880)
    burst *= 0.5 / np.abs(burst).max()
    step = Air(pops=True, wind=False)
    out = through((clear + burst).astype(np.float32), step)
    assert level_db(burst) - level_db(out - clear) > 4
    assert estoi(clear, out) > estoi(clear, clear + burst)
    (told,) = step.treatments()
    assert told.name == "depop"
    assert told.effect["places"] == pytest.approx(len(places), abs=2)
    assert not [one for one in _told(Air(False, True), (clear + burst).astype(np.float32)) if one.effect["places"] > 2]


def test_wind_is_found_and_lowered(media: Path) -> None:
    clear = voice(media, 20)
    rng = np.random.default_rng(1)
    gusts = np.repeat(np.clip(rng.normal(size=41), 0, None), RATE_HZ // 2)[: clear.size]
    gusts = np.convolve(gusts, np.hanning(9_600) / 4_800, "same")
    wind = sosfilt(butter(1, [15, 60], "band", fs=RATE_HZ, output="sos"), rng.normal(size=clear.size)) * gusts
    wind *= 2 * clear.std() / wind.std()
    step = Air(pops=False, wind=True)
    out = through((clear + wind).astype(np.float32), step)
    assert level_db(wind) - level_db(out - clear) > 5
    assert [one.name for one in step.treatments()] == ["dewind"]


def _told(step: Step, sound: np.ndarray) -> list:
    through(sound, step)
    return step.treatments()


@pytest.mark.parametrize("index", range(3))
def test_clear_voices_are_left_nearly_alone(media: Path, index: int) -> None:
    sound = load(speech(media, 8, first=1)[index])
    for step in (Air(True, True), Deess()):
        assert estoi(sound, through(sound, step)) > 0.97


def test_hissing_is_lowered_and_vowels_are_not(media: Path) -> None:
    clear = voice(media, 20)
    hiss = sosfiltfilt(butter(4, 5_000, "high", fs=RATE_HZ, output="sos"), clear)
    harsh = (clear + 5 * hiss).astype(np.float32)
    step = Deess()
    out = through(harsh, step)
    frames = harsh[: harsh.size // 960 * 960].reshape(-1, 960)
    loud = np.einsum("ij,ij->i", frames, frames)
    hissing = np.repeat(
        np.einsum("ij,ij->i", *[(5 * hiss)[: harsh.size // 960 * 960].reshape(-1, 960)] * 2) > 0.5 * loud, 960
    )
    change = out[: hissing.size] - harsh[: hissing.size]
    strong = hissing & np.repeat(loud > np.percentile(loud, 80), 960)
    assert level_db(harsh[: hissing.size][strong]) - level_db(out[: hissing.size][strong]) > 3
    assert level_db(change[~hissing]) < level_db(harsh[: hissing.size][~hissing]) - 15
    assert step.treatments()[0].applied


def test_compression_brings_loud_and_soft_closer(media: Path, cleaned: Clean) -> None:
    sound = voice(media, 12)
    plain, got = cleaned(sound), cleaned(sound, compress=True)
    effect = got.effect("compress")
    assert effect["range_after_db"] < effect["range_before_db"] - 2
    assert got.master.loudness_lufs == pytest.approx(-19.0, abs=0.1)
    assert estoi(plain.sound, got.sound) > 0.9


def test_what_is_cut_can_be_traced_back(media: Path, cleaned: Clean) -> None:
    quiet = lambda seconds: np.zeros(int(seconds * RATE_HZ), np.float32)  # noqa: E731
    said = voice(media, 8)
    sound = np.concatenate([quiet(3), said[: 4 * RATE_HZ], quiet(6), said[4 * RATE_HZ :], quiet(2.5)])
    got = cleaned(sound, trim_silence=True, silence_max_s=1.0)
    assert got.master.cuts is not None
    cuts = Cuts.model_validate_json(Path(got.master.cuts.path).read_text(encoding="utf-8"))
    assert sum(samples for _, samples in cuts.kept) == got.master.samples == got.sound.size
    assert got.effect("trim")["end_s"] == pytest.approx(0.8, abs=0.05)  # of the second that is kept of the silence
    # A second in the middle of each half is found again where it was.
    for source_s in (5.0, 15.0):
        master_s = cuts.master_s(source_s)
        assert master_s is not None
        assert cuts.source_s(master_s) == pytest.approx(source_s, abs=1e-6)
        heard = got.sound[int(master_s * RATE_HZ) :][:RATE_HZ]
        meant = sound[int(source_s * RATE_HZ) :][:RATE_HZ]
        assert np.dot(heard, meant) > 0.95 * np.linalg.norm(heard) * np.linalg.norm(meant)
    assert cuts.master_s(1.0) is None


def test_a_channel_alone(tmp_path: Path, media: Path, cleaned: Clean) -> None:
    import soundfile

    one, other = voice(media, 10), voice(media, 10, first=3)
    path = tmp_path / "call.wav"
    soundfile.write(path, np.stack([one, other], axis=1), RATE_HZ)
    for channel, sound in (("left", one), ("right", other)):
        got = cleaned(path, channel=channel)
        assert estoi(sound, got.sound) > 0.98
        assert got.effect("downmix") == {"channels": 2.0}
    assert estoi(one, cleaned(path).sound) < 0.9


def test_one_channel_has_no_other(media: Path, cleaned: Clean) -> None:
    got = cleaned(voice(media, 3), channel="right", echo="left")
    assert not got.applied("downmix")
    assert not got.applied("echo")


def test_an_echo_is_taken_out_on_the_way(tmp_path: Path, media: Path, cleaned: Clean) -> None:
    import soundfile

    far = voice(media, 12)
    echo = 0.5 * fftconvolve(far, room(media))[: far.size]
    near = voice(media, 12, first=3) * (np.arange(far.size) > 6 * RATE_HZ)
    path = tmp_path / "call.wav"
    soundfile.write(path, np.stack([far, near + echo], axis=1), RATE_HZ)
    got = cleaned(path, echo="left")
    assert got.applied("echo")
    assert got.sound.size == far.size
    with_echo = cleaned(path, channel="right")
    said = slice(6 * RATE_HZ, None)
    assert estoi(near[said], got.sound[said]) > estoi(near[said], with_echo.sound[said]) + 0.02


@pytest.mark.parametrize("target", [-26.0, -20.0])
def test_rms_is_where_it_was_asked_for(media: Path, cleaned: Clean, target: float) -> None:
    assert level_db(cleaned(voice(media, 8), target_dbfs=target).sound) == pytest.approx(target, abs=0.1)


def test_what_is_off_is_no_part_of_the_key() -> None:
    assert set(Options().model_dump(mode="json")) == {
        "denoise", "repair", "level", "silence_max_s", "loudness_lufs", "true_peak_dbtp",
    }  # fmt: skip
    asked = Options(dereverb=True, channel="left", target_dbfs=-20.0).model_dump(mode="json")
    assert {"dereverb": True, "channel": "left", "target_dbfs": -20.0}.items() <= asked.items()
    assert Options(**asked) == Options(dereverb=True, channel="left", target_dbfs=-20.0)


def test_a_master_without_cuts_reads_as_before(cleaned: Clean) -> None:
    master = cleaned(babble(3)).master
    assert "cuts" not in json.loads(master.model_dump_json())
    assert Master.model_validate_json(master.model_dump_json()) == master
