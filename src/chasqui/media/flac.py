"""The master on disk: mono FLAC at 48 kHz, written once as a stream, read back sample for sample.

This file decides how samples become bytes. Who cleans them and with which gain they are heard is said elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame

Samples = npt.NDArray[np.float32]

RATE_HZ = 48_000
#: Samples per FLAC frame: 85 ms. Long frames cost fewer calls per second of sound; longer ones gain nothing more.
FRAME_SAMPLES = 4096
#: Level 2 of 0–8 costs a third of level 5's time for about 3 % more bytes, and masters are scratch files.
COMPRESSION_LEVEL = "2"
#: One write per ten seconds keeps the cost of crossing into FFmpeg invisible.
BLOCK_SAMPLES = 480_000


class FlacWriter:
    """Writes float32 mono blocks, full scale ±1.0, any length; what lies beyond full scale is clipped.

    16 bits keep 96 dB below full scale, more than any recording made in a room holds; 24 bits are for tests and music.
    Rounding is to the nearest step, without dither, so that the same samples always give the same bytes.
    """

    def __init__(self, path: Path, bits: Literal[16, 24] = 16) -> None:
        self.samples = 0
        self._scale = np.float32(2 ** (bits - 1))
        self._top = np.float32(self._scale - 1)
        self._bits = bits
        self._container = av.open(str(path), "w", format="flac", options={"fflags": "+bitexact"})
        self._stream = self._container.add_stream("flac", rate=RATE_HZ)
        self._stream.layout = "mono"
        self._stream.format = "s16" if bits == 16 else "s32"
        self._stream.options = {"compression_level": COMPRESSION_LEVEL, "frame_size": str(FRAME_SAMPLES)}
        context: Any = self._stream.codec_context
        context.flags |= int(av.codec.context.Flags.bitexact)  # no version string: the bytes depend on the samples only

    def write(self, block: Samples) -> None:
        """Append `block`, float32 [samples]."""
        for start in range(0, block.size, FRAME_SAMPLES * 64):
            self._write(block[start : start + FRAME_SAMPLES * 64])

    def _write(self, block: Samples) -> None:
        steps = np.clip(np.rint(block * self._scale), -self._scale, self._top)
        if self._bits == 16:
            frame = AudioFrame.from_ndarray(steps.astype(np.int16)[None], format="s16", layout="mono")
        else:  # FFmpeg keeps 24 bits in the upper three bytes of 32
            frame = AudioFrame.from_ndarray((steps.astype(np.int32) << 8)[None], format="s32", layout="mono")
        frame.sample_rate = RATE_HZ
        frame.pts = self.samples
        self._container.mux(self._stream.encode(frame))
        self.samples += block.size

    def close(self) -> int:
        """Finish the file and give the number of samples in it. Closing twice does nothing more."""
        if self._container is not None:
            self._container.mux(self._stream.encode(None))
            self._container.close()
            self._container = None  # type: ignore[assignment]
        return self.samples

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_master(path: Path, gain_db: float = 0.0, block: int = BLOCK_SAMPLES) -> Iterator[Samples]:
    """The master's samples with its gain applied: float32 blocks of exactly `block` samples, the last one shorter.

    Exact: without gain the blocks joined are the steps that the writer stored, divided by full scale.
    """
    room = np.empty(block, np.float32)
    filled = 0
    for _, piece in _frames(path, 0, gain_db):
        while piece.size:
            part = piece[: block - filled]
            room[filled : filled + part.size] = part
            filled += part.size
            piece = piece[part.size :]
            if filled == block:
                yield room
                room, filled = np.empty(block, np.float32), 0
    if filled:
        yield room[:filled]


def samples_in(path: Path) -> int:
    """How many samples the master holds, by its header: the writer has put the number there."""
    with av.open(str(path), format="flac") as container:
        return int(container.streams.audio[0].duration or 0)  # the time base is one sample


def read_span(path: Path, gain_db: float, start: int, stop: int) -> Samples:
    """Samples `start` to `stop` (exclusive) of the master with its gain: the same ones that `read_master` gives there.

    Seeks, so it costs milliseconds wherever the span lies. A span that reaches past the end comes back shorter.
    """
    room = np.zeros(max(stop - start, 0), np.float32)
    filled = 0
    for at, piece in _frames(path, start, gain_db):
        part = piece[max(start - at, 0) : max(stop - at, 0)]
        room[filled : filled + part.size] = part
        filled += part.size
        if at + piece.size >= stop:
            break
    return room[:filled]


def _frames(path: Path, start: int, gain_db: float) -> Iterator[tuple[int, Samples]]:
    """(first sample, samples) of each FLAC frame from the one that holds `start`, or from a little before it."""
    scale = np.float32(10.0 ** (gain_db / 20.0))
    with av.open(str(path), format="flac") as container:
        stream = container.streams.audio[0]
        if start:
            container.seek(start, stream=stream)  # the time base is one sample
        for frame in container.decode(stream):
            kind, plane = np.dtype(np.int16 if frame.format.bytes == 2 else np.int32), memoryview(frame.planes[0])
            steps = np.frombuffer(plane, kind, frame.samples).astype(np.float32)
            full = np.float32(2.0**-15 if kind.itemsize == 2 else 2.0**-31)
            yield int(frame.pts or 0), steps * (full * scale)
