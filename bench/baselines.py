"""What others give their listeners: one row per baseline, each encoded and decoded through the same library.

Every baseline gets Chasqui's own master (cleaned, loudness set) and is scored against it, so that the codec alone is
compared. Where the original command keeps the sampling rate and channels of the uploaded file, so does the row here:
the master is brought back to the source's rate and channel count first. Settings were read from the projects' sources.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import av
import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.float32]

RATE_HZ = 48_000
#: Rates that MP3 knows (MPEG 1, 2 and 2.5); a source at another rate goes to the next one up, as LAME does.
MP3_RATES_HZ = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
BLOCK = 4_800


class Shape(NamedTuple):
    """Rate and channels of the file that a teacher uploaded."""

    rate_hz: int
    channels: int


@dataclass(frozen=True)
class Setting:
    """How one encode is done."""

    codec: str
    container: str
    bitrate_bps: int
    rate_hz: int
    channels: int
    options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Baseline:
    """One row: a name, the command it stands for, and the setting for a source of that shape."""

    name: str
    how: str
    setting: Callable[[Shape], Setting]


class Encoded(NamedTuple):
    """`size` bytes of file, `pcm` decoded from it (mono 48 kHz, as long as the input), `seconds` to encode."""

    size: int
    pcm: Pcm
    seconds: float


def encode(pcm: Pcm, setting: Setting) -> bytes:
    """The finished file. `pcm` is mono float32 at 48 kHz; resampling to the setting's rate is part of the work."""
    out = io.BytesIO()
    with av.open(out, "w", format=setting.container, container_options=setting.container_options) as container:
        stream: Any = container.add_stream(setting.codec, rate=setting.rate_hz)
        stream.layout = "mono" if setting.channels == 1 else "stereo"
        stream.bit_rate = setting.bitrate_bps
        stream.options = setting.options
        stream.codec_context.thread_count = 1
        resampler = av.AudioResampler(format=_sample_format(setting.codec), layout=stream.layout, rate=setting.rate_hz)
        for frame in _frames(pcm, setting.channels):
            for ready in resampler.resample(frame):
                container.mux(stream.encode(ready))
        for ready in resampler.resample(None):
            container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    return out.getvalue()


def decode(file: bytes, samples: int) -> Pcm:
    """Mono float32 at 48 kHz, exactly `samples` long. The decoder drops the encoder's delay, as players do.

    Opus is decoded by libopus, as in phones and browsers; FFmpeg's own decoder upsamples low rates differently, which
    moves ViSQOL by up to 0.1.
    """
    parts: list[Pcm] = []
    with av.open(io.BytesIO(file), "r") as container:
        resampler = av.AudioResampler(format="fltp", rate=RATE_HZ)
        for frame in _decoded(container):
            parts.extend(ready.to_ndarray().mean(axis=0) for ready in resampler.resample(frame))
        parts.extend(ready.to_ndarray().mean(axis=0) for ready in resampler.resample(None))
    whole = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    return np.pad(whole[:samples], (0, max(0, samples - len(whole)))).astype(np.float32)


def _decoded(container: av.container.InputContainer) -> Iterator[av.AudioFrame]:
    stream = container.streams.audio[0]
    if stream.codec_context.name != "opus":
        yield from container.decode(stream)
        return
    codec: Any = av.CodecContext.create("libopus", "r")
    codec.extradata = stream.codec_context.extradata
    for packet in container.demux(stream):
        yield from codec.decode(packet)


def measure(pcm: Pcm, setting: Setting) -> Encoded:
    """Encode, timed, and decode again."""
    started = time.perf_counter()
    file = encode(pcm, setting)
    seconds = time.perf_counter() - started
    return Encoded(len(file), decode(file, len(pcm)), seconds)


def _sample_format(codec: str) -> str:
    return {"libopus": "s16", "libmp3lame": "fltp", "aac": "fltp"}[codec]


def _frames(pcm: Pcm, channels: int) -> Iterator[av.AudioFrame]:
    for start in range(0, len(pcm), BLOCK):
        block = pcm[start : start + BLOCK]
        frame = av.AudioFrame.from_ndarray(np.tile(block, (channels, 1)), "fltp", "mono" if channels == 1 else "stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, start, Fraction(1, RATE_HZ)
        yield frame


# --- the rows ---------------------------------------------------------------------------------------------------------


def mp3(bitrate_bps: int) -> Callable[[Shape], Setting]:
    """LAME at a bit rate, with the source's own rate and channels."""

    def setting(shape: Shape) -> Setting:
        rate_hz = next((rate for rate in MP3_RATES_HZ if rate >= shape.rate_hz), MP3_RATES_HZ[-1])
        return Setting("libmp3lame", "mp3", bitrate_bps, rate_hz, min(shape.channels, 2))

    return setting


def aac(bitrate_bps: int) -> Callable[[Shape], Setting]:
    """FFmpeg's AAC-LC, mono, with the source's own rate (at least 16 kHz, at most 48 kHz)."""

    def setting(shape: Shape) -> Setting:
        rate_hz = next((rate for rate in MP3_RATES_HZ[3:] if rate >= shape.rate_hz), MP3_RATES_HZ[-1])
        return Setting("aac", "mp4", bitrate_bps, rate_hz, 1)

    return setting


def opus(bitrate_bps: int, application: str = "voip") -> Callable[[Shape], Setting]:
    """What an expert does by hand: mono, VBR, complexity 10, 60 ms frames (best below 12 kb/s), long Ogg pages."""
    options = {"application": application, "frame_duration": "60", "compression_level": "10", "vbr": "on"}
    pages = {"page_duration": "5000000"}  # 5 s: 2.3 % less on disk than the default of 1 s
    return lambda shape: Setting("libopus", "ogg", bitrate_bps, RATE_HZ, 1, options, pages)


def fixed_opus(kbps: int) -> Baseline:
    """One fixed rate for everything."""
    return Baseline(
        f"Opus {kbps}k fixed", f"libopus voip {kbps}k, VBR, 60 ms frames, 5 s pages, mono", opus(kbps * 1000)
    )


BASELINES: tuple[Baseline, ...] = (
    # ricecooker passes 96 without the k: 96 bit/s, which LAME answers with its default (128 kb/s at 44.1 kHz stereo).
    Baseline("Kolibri as shipped", "libmp3lame -b:a 96 (the missing k: LAME's default rate)", mp3(96)),
    Baseline("Kolibri as meant", "libmp3lame -b:a 96k", mp3(96_000)),
    Baseline(
        "openZIM voice low",
        "libmp3lame -b:a 48k -ar 44100 -ac 2",
        lambda shape: Setting("libmp3lame", "mp3", 48_000, 44_100, 2),
    ),
    Baseline("AAC 32k", "FFmpeg aac -b:a 32k -ac 1, m4a", aac(32_000)),
    fixed_opus(12),
    fixed_opus(16),
    fixed_opus(24),
)
