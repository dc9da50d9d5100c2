"""Lyra through LiteRT: the networks are the right ones, speech survives, coarser is a part of finer."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from chasqui.codecs.lyra import (
    ABSENT,
    FRAME,
    LEVELS,
    MODELS,
    RATE_HZ,
    STAGES,
    STAGES_OFFERED,
    Codes,
    Lyra,
    Sound,
    _runner,
    checked,
    coarser,
)
from chasqui.codecs.lyra_file import WARM_UP_FRAMES
from chasqui.errors import BadConfig
from chasqui.metrics import estoi
from chasqui.words import explain
from tests import clips


@pytest.fixture(scope="module")
def folder(media: Path) -> Path:
    return media / "models" / "lyra"


@pytest.fixture(scope="module")
def lyra(folder: Path) -> Lyra:
    return Lyra(folder)


@pytest.fixture(scope="module", params=clips.SPEECH)
def speech(request: pytest.FixtureRequest, media: Path) -> Sound:
    return clips.at_rate(clips.excerpt(media / request.param, 0, 6), RATE_HZ)


def test_speech_survives_and_more_stages_keep_more(lyra: Lyra, speech: Sound) -> None:
    codes = lyra.encode(speech)
    assert codes.shape == (-(-len(speech) // FRAME), STAGES)
    reference = estoi.prepare(speech)
    assert reference is not None
    scores = [estoi.score(reference, lyra.decode(coarser(codes, n))[: len(speech)]) for n in (4, *STAGES_OFFERED)]
    assert scores == sorted(scores)
    assert scores[1] > 0.75
    assert scores[-1] > 0.85


def test_the_sound_comes_out_where_it_went_in(lyra: Lyra, speech: Sound) -> None:
    heard = lyra.decode(lyra.encode(speech))[: len(speech)]
    assert abs(clips.lag(speech, heard)) <= 2


def test_the_first_stages_are_what_the_quantiser_gives_for_fewer(lyra: Lyra, speech: Sound) -> None:
    analyse, quantise = _runner(lyra._encoder), _runner(lyra._quantizer, "encode")
    for at in range(0, 50 * FRAME, FRAME):
        features = analyse(input_audio=speech[None, at : at + FRAME])["output_0"]
        whole, part = (
            quantise(input_frames=features, num_quantizers=np.array(n, np.int32))["output_0"].ravel()
            for n in (STAGES, 16)
        )
        assert (whole[:16] == part[:16]).all()


def test_each_call_starts_afresh(lyra: Lyra, speech: Sound) -> None:
    codes = lyra.encode(speech)
    assert (lyra.encode(speech) == codes).all()
    assert (lyra.decode(codes) == lyra.decode(codes)).all()


def test_a_late_start_is_soon_the_same_sound(lyra: Lyra, speech: Sound) -> None:
    codes = coarser(lyra.encode(speech), 16)
    whole, late = lyra.decode(codes), lyra.decode(codes[100:])
    warm = WARM_UP_FRAMES * FRAME
    assert not np.allclose(late[: FRAME * 3], whole[100 * FRAME :][: FRAME * 3], atol=1e-3)
    np.testing.assert_allclose(late[warm:], whole[100 * FRAME + warm :], atol=1e-6)


@pytest.mark.parametrize("samples", [0, 1, FRAME - 1, FRAME, FRAME + 1])
def test_odd_lengths(lyra: Lyra, samples: int) -> None:
    codes = lyra.encode(np.full(samples, 0.1, np.float32))
    assert codes.shape == (-(-samples // FRAME), STAGES)
    assert lyra.decode(codes).shape == (len(codes) * FRAME,)


def test_silence_and_noise_are_no_trouble(lyra: Lyra) -> None:
    noise = np.random.default_rng(1).uniform(-1, 1, RATE_HZ).astype(np.float32)
    for sound in (np.zeros(RATE_HZ, np.float32), noise, 30 * noise):
        heard = lyra.decode(lyra.encode(sound))
        assert np.isfinite(heard).all()
        assert np.abs(heard).max() <= 1


def test_networks_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"soundstream_encoder\.tflite is not in .*google/lyra") as raised:
        Lyra(tmp_path)
    assert explain(raised.value, "es").startswith("Ajuste no válido. soundstream_encoder.tflite no está en ")


@pytest.mark.parametrize("name", MODELS)
def test_a_network_that_was_changed(folder: Path, tmp_path: Path, name: str) -> None:
    for model in MODELS:
        shutil.copyfile(folder / model, tmp_path / model)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadConfig, match=f"{name} in .* is not the network") as raised:
        Lyra(tmp_path)
    assert "no es la red con la que se midió Chasqui" in explain(raised.value, "es")


def codes_of(*frames: list[int]) -> Codes:
    codes = np.full((len(frames), STAGES), ABSENT, np.int8)
    for row, frame in zip(codes, frames, strict=True):
        row[: len(frame)] = frame
    return codes


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((3, 45), np.int8),
        np.zeros(46, np.int8),
        codes_of([0, 1], []),
        codes_of([LEVELS]),
        codes_of([3, ABSENT, 3]),
        codes_of([3, -2]),
    ],
    ids=["narrow", "flat", "frame without stages", "too large", "gap", "negative"],
)
def test_codes_that_are_none(wrong: Codes) -> None:
    with pytest.raises(ValueError, match=r"shape|indices"):
        checked(wrong)


@pytest.mark.parametrize("stages", [0, 47, -1])
def test_stages_that_there_are_not(stages: int) -> None:
    with pytest.raises(ValueError, match="1 to 46 stages"):
        coarser(codes_of([1, 2]), stages)
