"""The MP3 fallback: mono, small, and as long as the recording to the sample of its own rate."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from clips import SPEECH, excerpt, lag
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sounds import babble

from chasqui.media import lame

RATE_HZ = 24_000


def encoded(path: Path, samples: int, bitrate_bps: int = 24_000, piece: int = 48_000) -> Path:
    sound = babble(samples / 48_000 + 0.1)[0][:samples]
    pieces = (sound[start : start + piece] for start in range(0, samples, piece))
    assert lame.encode(pieces, path, bitrate_bps=bitrate_bps, rate_hz=RATE_HZ) == samples
    return path


def decoded_samples(path: Path) -> int:
    """At the file's own rate, as a player with a gapless header counts."""
    with av.open(str(path)) as container:
        return sum(frame.samples for frame in container.decode(audio=0))


@pytest.mark.parametrize("samples", [24_000, 48_000, 48_001, 61_344, 123_457, 480_000])
def test_decodes_to_every_sample_of_its_own_rate(tmp_path: Path, samples: int) -> None:
    """24 kHz has a sample for two of ours, so an odd one out is rounded up: 20 µs, not a frame of 24 ms."""
    assert decoded_samples(encoded(tmp_path / "voice.mp3", samples)) == -(-samples // 2)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples=st.integers(24_000, 60_000), piece=st.integers(500, 20_000))
def test_is_never_2_ms_too_long_nor_a_sample_too_short(tmp_path: Path, samples: int, piece: int) -> None:
    """Where the end lies 1–46 samples into a frame, LAME's padding does not reach the end of the next, and the header
    cannot say so: the file is up to 46 samples longer.
    """
    path = encoded(tmp_path / "voice.mp3", samples, piece=piece)
    own = -(-samples // 2)
    longer = 47 - own % 576 if 1 <= own % 576 <= 46 else 0
    assert decoded_samples(path) - own in (0, longer)
    assert samples <= len(lame.decode_file(path)) <= samples + 2 * longer + 1


def test_the_same_sound_gives_the_same_bytes(tmp_path: Path) -> None:
    one = encoded(tmp_path / "one.mp3", 100_000).read_bytes()
    assert one == encoded(tmp_path / "two.mp3", 100_000).read_bytes()


def test_sound_stays_where_it_was(media: Path, tmp_path: Path) -> None:
    sound = excerpt(media / SPEECH[0], 0, 4)
    lame.encode([sound], tmp_path / "voice.mp3", bitrate_bps=24_000, rate_hz=RATE_HZ)
    got = lame.decode_file(tmp_path / "voice.mp3")
    assert abs(lag(sound, got)) <= 2
    assert np.corrcoef(sound, got[: len(sound)])[0, 1] > 0.95


@pytest.mark.parametrize("bitrate_bps", [16_000, 24_000, 32_000])
def test_mono_at_the_rate_asked_for(tmp_path: Path, bitrate_bps: int) -> None:
    path = encoded(tmp_path / "voice.mp3", 480_000, bitrate_bps)
    with av.open(str(path)) as container:
        context = container.streams.audio[0].codec_context
        assert (context.sample_rate, context.layout.nb_channels, context.name) == (RATE_HZ, 1, "mp3float")
    assert path.stat().st_size * 8 / 10 == pytest.approx(bitrate_bps, rel=0.03)


def test_begins_with_the_gapless_header_and_no_tag(tmp_path: Path) -> None:
    data = encoded(tmp_path / "voice.mp3", 100_000).read_bytes()
    assert data[:2] == b"\xff\xf3"  # MPEG-2 layer III, no ID3 before it
    at = data.index(b"Info", 0, 200)
    frames = struct.unpack_from(">I", data, at + 8)[0]
    assert frames * 576 >= 50_000
    assert b"Lavf" in data[at : at + 160] or b"Lavc" in data[at : at + 160] or b"LAME" in data[at : at + 160]
