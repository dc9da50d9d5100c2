"""MP3 through PyAV (libmp3lame): the fallback for players without Opus. Mono, constant rate, gapless header."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray


def encode(
    blocks: Iterable[NDArray[np.float32]], path: Path, *, bitrate_bps: int, rate_hz: int, level: int | None = None
) -> int:
    """Write float32 mono blocks at 48 kHz as MP3; returns the number of samples that went in, at 48 kHz.

    At MPEG-2 rates (16, 22.05, 24 kHz) the format takes half the side information it takes at 48 kHz. `level` is LAME's
    quality, 0 best and slowest, 9 quickest; None leaves it to LAME.
    """
    samples = 0
    with av.open(
        str(path), "w", format="mp3", options={"id3v2_version": "0", "write_xing": "1", "fflags": "+bitexact"}
    ) as out:
        stream: Any = out.add_stream("libmp3lame", rate=rate_hz)
        stream.layout, stream.format, stream.bit_rate = "mono", "fltp", bitrate_bps
        if level is not None:
            stream.options = {"compression_level": str(level)}
        stream.codec_context.flags |= int(av.codec.context.Flags.bitexact)
        down = av.AudioResampler(
            format="fltp", layout="mono", rate=rate_hz, frame_size=1152 if rate_hz >= 32_000 else 576
        )
        for block in blocks:
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(block[None], np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = 48_000, samples
            samples += len(block)
            for piece in down.resample(frame):
                out.mux(stream.encode(piece))
        for piece in down.resample(None):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return samples


def decode_file(path: Path, rate_hz: int = 48_000) -> NDArray[np.float32]:
    """The whole file as float32 mono at `rate_hz`, encoder delay removed as its header says. For short files."""
    with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
        up = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
        pieces = [piece.to_ndarray()[0] for frame in container.decode(audio=0) for piece in up.resample(frame)]
        pieces += [piece.to_ndarray()[0] for piece in up.resample(None)]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
