"""Per packet of 60 ms: as many rows as packets, levels that are levels, and no surprise in silence."""

from __future__ import annotations

import numpy as np
import pytest

from chasqui import features
from chasqui.errors import BadSound
from chasqui.features import PACKET_NAMES

from .conftest import RAIN, SPEECH, Read


@pytest.mark.parametrize("samples", [1, 2880, 2881, 67 * 2880, 100_001])
def test_a_row_per_packet(samples: int) -> None:
    sound = np.random.default_rng(1).normal(size=samples).astype(np.float32) * 0.1
    found = features.packet_features(sound)
    assert found.shape == (-(-samples // 2880), len(PACKET_NAMES))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_a_tone_lies_in_its_band() -> None:
    sound = (0.5 * np.sin(2 * np.pi * 1000 * np.arange(96_000) / 48_000)).astype(np.float32)
    found = features.packet_features(sound)[3:-3]
    level, periodicity = (found[:, PACKET_NAMES.index(name)] for name in ("level_dbfs", "periodicity"))
    np.testing.assert_allclose(level, -9.03, atol=0.01)
    assert periodicity.min() > 0.95
    loudest = found[:, :24].argmax(axis=1)
    assert set(loudest) == {8}  # 24 bands from 20 to 7600 Hz: the ninth triangle peaks at 994 Hz
    assert -10.5 < found[:, 8].min() <= found[:, 8].max() < -9.03  # a triangle lets most of a line through


def test_speech_and_rain_differ(read: Read) -> None:
    speech, rain = (features.packet_features(read(name, 48_000)).mean(axis=0) for name in (SPEECH, RAIN))
    periodicity, flatness = PACKET_NAMES.index("periodicity"), PACKET_NAMES.index("flatness")
    assert speech[periodicity] > rain[periodicity] + 0.3
    assert speech[flatness] < rain[flatness]


def test_a_stretch_has_the_numbers_it_has_in_the_whole(read: Read) -> None:
    sound = read(SPEECH, 48_000)
    whole, part = features.packet_features(sound), features.packet_features(sound[10 * 2880 : 40 * 2880])
    np.testing.assert_allclose(part[2:-2], whole[12:38], atol=0.05)


def test_silence_is_silent() -> None:
    found = features.packet_features(np.zeros(28_800, np.float32))
    np.testing.assert_allclose(found[:, :25], -100, atol=1e-3)
    np.testing.assert_allclose(found[:, 25], 0, atol=1e-3)
    np.testing.assert_allclose(found[:, 26], 1, atol=1e-3)


def test_nothing_is_refused() -> None:
    with pytest.raises(BadSound, match="the stretch: it is empty"):
        features.packet_features(np.zeros(0, np.float32))


def test_batches(read: Read) -> None:
    sound = read(SPEECH, 48_000)[: 20 * 2880]
    both = features.packet_features(np.stack([sound, sound * 0.5]))
    np.testing.assert_allclose(both[0], features.packet_features(sound), atol=1e-3)
    np.testing.assert_allclose(both[0, 5:15, 24] - both[1, 5:15, 24], 6.02, atol=0.01)
