"""libopus called directly makes what FFmpeg makes of it, and does what it is told beyond that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench import libopus
from chasqui.codecs.opus import RUNGS
from chasqui.media import opus
from tests import clips


@pytest.mark.parametrize("rung", ["voice-6", "voice-9", "voice-12"])
def test_the_packets_are_those_of_the_ladder(media: Path, rung: str) -> None:
    sound = clips.excerpt(media / clips.SPEECH[0], 0, 4)
    assert libopus.encode(sound, {"bitrate_bps": RUNGS[rung].bitrate_bps}) == opus.encode(sound, RUNGS[rung])


@pytest.mark.parametrize(("bandwidth", "configuration"), [(libopus.NARROWBAND, 3), (libopus.WIDEBAND, 11)])
@pytest.mark.parametrize("bitrate_bps", [6_000, 12_000])
def test_bandwidth_is_forced(media: Path, bandwidth: int, configuration: int, bitrate_bps: int) -> None:
    sound = clips.excerpt(media / clips.SPEECH[0], 0, 4)
    packets = libopus.encode(sound, {"bitrate_bps": bitrate_bps, "bandwidth": bandwidth})
    assert {packet[0] >> 3 for packet in packets} == {configuration}  # RFC 6716, table 2: 60 ms of SILK


def test_silence_is_next_to_nothing_with_dtx() -> None:
    silence = np.zeros(48_000 * 6, np.float32)
    plain, silent = (sum(map(len, libopus.encode(silence, {"bitrate_bps": 9_000, "dtx": dtx}))) for dtx in (0, 1))
    assert silent < plain / 3


def test_what_libopus_does_not_take() -> None:
    with pytest.raises(RuntimeError, match="refuses complexity = 11"):
        libopus.encode(np.zeros(2880, np.float32), {"complexity": 11})
