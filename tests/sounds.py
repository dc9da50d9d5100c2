"""Sounds for tests, written by FFmpeg in any container. Speech-like enough to be no silence; nothing is recorded."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

#: container, codec, sample format that the encoder wants (None: its own choice).
CODECS = {
    "wav": ("wav", "pcm_s16le", None),
    "flac": ("flac", "flac", "s16"),
    "mp3": ("mp3", "libmp3lame", "fltp"),
    "m4a": ("mp4", "aac", "fltp"),
    "opus": ("ogg", "libopus", "flt"),
    "mka": ("matroska", "flac", "s16"),
    "webm": ("webm", "libopus", "flt"),
    "aiff": ("aiff", "pcm_s16be", None),
    "wma": ("asf", "wmav2", "fltp"),
    "ts": ("mpegts", "mp2", "s16"),
}


def babble(seconds: float, rate_hz: int = 48000, channels: int = 1, seed: int = 0) -> NDArray[np.float32]:
    """[channels, samples]: gliding tones that come and go, and a little noise; each channel a little different."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    rng = np.random.default_rng(seed)
    tone = np.sin(2 * np.pi * (180 * t + 8 * np.sin(2 * np.pi * t))) * (np.sin(2 * np.pi * 1.3 * t) > -0.5)
    noise = rng.standard_normal((channels, t.size)) * 0.01
    return (0.3 * tone * (1 - 0.1 * np.arange(channels)[:, None]) + noise).astype(np.float32)


def write(
    path: Path, sound: NDArray[np.float32], rate_hz: int = 48000, kind: str = "", tags: dict[str, str] | None = None
) -> Path:
    """`sound` [channels, samples] as a file of `kind` (by default what the suffix says)."""
    container, codec, sample_format = CODECS[kind or path.suffix[1:]]
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[sound.shape[0]]
    with av.open(str(path), "w", format=container) as out:
        out.metadata.update(tags or {})
        stream = out.add_stream(codec, rate=rate_hz)
        stream.layout = layout
        if codec == "wmav2":  # has no rate of its own
            stream.bit_rate = 96_000
        if sample_format:
            stream.format = sample_format
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(sound.T).reshape(1, -1), format="flt", layout=layout)
        frame.sample_rate = rate_hz
        stream.codec_context.open()
        size = stream.codec_context.frame_size or 1024
        shaped = av.AudioResampler(format=stream.format.name, layout=layout, rate=rate_hz, frame_size=size)
        done = 0
        for piece in [*shaped.resample(frame), *shaped.resample(None)]:
            piece.pts, piece.time_base = done, Fraction(1, rate_hz)
            done += piece.samples
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return path


def write_wav(path: Path, samples: NDArray[np.int16], rate_hz: int = 8000, channels: int = 1) -> Path:
    """A plain WAV without FFmpeg; samples interleaved."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(samples.astype("<i2").tobytes())
    return path
