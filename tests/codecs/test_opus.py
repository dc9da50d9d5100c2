"""What is legal, and the ladder: complete, in order, one name per rung."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.codecs.opus import (
    FRAME_MS,
    LADDER,
    PACKET_SAMPLES,
    PACKETS_PER_S,
    RATE_HZ,
    RUNGS,
    Application,
    Rung,
    ladder,
)

APPLICATIONS: tuple[Application, ...] = ("voip", "audio")


@pytest.mark.parametrize("bitrate_bps", [500, 6_000, 256_000])
@pytest.mark.parametrize("frame_ms", [10, 20, 40, 60])
@pytest.mark.parametrize("cutoff_hz", [None, 4_000, 6_000, 8_000, 12_000, 20_000])
def test_legal(bitrate_bps: int, frame_ms: int, cutoff_hz: int | None) -> None:
    assert Rung("x", bitrate_bps, "voip", cutoff_hz, frame_ms=frame_ms).frame_ms == frame_ms


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"bitrate_bps": 499}, "499 b/s is outside"),
        ({"bitrate_bps": 256_001}, "256001 b/s is outside"),
        ({"bitrate_bps": -6_000}, "-6000 b/s is outside"),
        ({"frame_ms": 30}, "30 ms is not a frame duration"),
        ({"frame_ms": 0}, "0 ms is not a frame duration"),
        ({"cutoff_hz": 7_000}, "7000 Hz is not a bandwidth"),
        ({"cutoff_hz": 0}, "0 Hz is not a bandwidth"),
        ({"complexity": 11}, "complexity 11 is outside"),
        ({"complexity": -1}, "complexity -1 is outside"),
    ],
)
def test_illegal_settings_are_refused_in_words(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Rung(**{"name": "x", "bitrate_bps": 8_000, "application": "voip", **wrong})


@given(bitrate_bps=st.integers(-(10**6), 10**6))
def test_a_rung_exists_exactly_for_legal_rates(bitrate_bps: int) -> None:
    if 500 <= bitrate_bps <= 256_000:
        assert Rung("x", bitrate_bps, "audio").bitrate_bps == bitrate_bps
    else:
        with pytest.raises(ValueError, match="outside"):
            Rung("x", bitrate_bps, "audio")


def test_the_ladder_is_long_enough() -> None:
    assert len(LADDER) >= 10
    rates = [rung.bitrate_bps for rung in LADDER]
    assert min(rates) <= 5_500
    assert max(rates) == 48_000


@pytest.mark.parametrize("application", APPLICATIONS)
def test_rungs_go_from_cheap_to_dear(application: Application) -> None:
    rates = [rung.bitrate_bps for rung in ladder(application)]
    assert all(low < high for low, high in pairwise(rates))
    assert rates[-1] == 48_000


@pytest.mark.parametrize("application", APPLICATIONS)
def test_no_step_is_a_leap(application: Application) -> None:
    """The search interpolates between rungs: above half as much again it would guess."""
    assert all(high.bitrate_bps <= 1.5 * low.bitrate_bps for low, high in pairwise(ladder(application)))


def test_names_are_unique_and_say_what_they_are() -> None:
    assert len(RUNGS) == len(LADDER)
    for rung in LADDER:
        kind, rate = rung.name.split("-")
        assert kind == {"voip": "voice", "audio": "audio"}[rung.application]
        assert float(rate) * 1000 == rung.bitrate_bps
        assert RUNGS[rung.name] is rung


def test_each_rung_is_in_one_ladder() -> None:
    assert sorted(rung.name for one in APPLICATIONS for rung in ladder(one)) == sorted(RUNGS)


def test_all_rungs_share_the_packet_grid() -> None:
    assert {rung.frame_ms for rung in LADDER} == {FRAME_MS}
    assert PACKET_SAMPLES == 2880
    assert round(PACKETS_PER_S * PACKET_SAMPLES) == RATE_HZ
