"""The sound of a source file as blocks of float samples, whatever its codec, rate, channels and damage.

Decides: which frames count, how sample formats become float, and what happens at damage (go on, and count it).
Timestamps are ignored: the sound is what the decoder gives, one sample after the other. So an absurd timestamp never
becomes hours of silence, and a gap in a damaged file is closed instead of filled. Down-mixing is left to `clean`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from chasqui.errors import Damaged
from chasqui.media.guard import LIMIT_S, Clock, opened

Block = NDArray[np.float32]  # [channels, samples], full scale ±1.0

#: Give up on a container after so many reading errors without a packet in between (each usually skips some bytes).
PATIENCE = 64

#: Limits against absurd or hostile headers. Higher-order ambisonics have 16 channels, DXD and DSD up to 768 kHz.
MAX_CHANNELS = 32
#: FFmpeg keeps 8 plane pointers in a frame; PyAV 18.1 looks for the end of the list behind them (`AudioFrame.planes`).
MAX_PLANES = 8
MAX_RATE_HZ = 1_536_000

#: Seconds per block: big enough that Python's cost per block vanishes, small enough that memory stays flat.
BLOCK_S = 1.0

#: NumPy type and the value of full scale, by FFmpeg's sample format without its planar "p".
_FORMATS: dict[str, tuple[str, float]] = {
    "u8": ("u1", 2.0**7),
    "s16": ("i2", 2.0**15),
    "s32": ("i4", 2.0**31),
    "s64": ("i8", 2.0**63),
    "flt": ("f4", 1.0),
    "dbl": ("f8", 1.0),
}


@dataclass
class Tally:
    """What was met while decoding; the caller keeps it and reads it afterwards."""

    errors: int = 0  # packets or frames that could not be decoded
    first_error_s: float | None = None
    first_error: str = ""
    encrypted: int = 0  # packets under DRM
    samples: dict[int, int] = field(default_factory=dict)  # decoded, by sample rate: some streams change theirs

    @property
    def seconds(self) -> float:
        """Of sound decoded; exact for a stream of one rate."""
        return sum(samples / rate for rate, samples in self.samples.items())

    def failed(self, why: str) -> None:
        if self.errors == 0:
            self.first_error_s, self.first_error = round(self.seconds, 3), why
        self.errors += 1


def blocks(
    path: Path,
    audio_index: int,
    *,
    name: str = "",
    rate_hz: int = 48000,
    limit_s: float = LIMIT_S,
    tally: Tally | None = None,
) -> Iterator[Block]:
    """The sound of one stream, float32 [channels, samples] at `rate_hz`, about a second per block, until the file ends.

    The number of channels is that of the first frame and stays so. Damaged packets are left out and counted in `tally`.
    `limit_s` bounds the time spent in here without progress; the time between two blocks is the caller's own.

    Raises:
        Unreadable, TooSlow
        Damaged: the container cannot be opened any more, or claims absurd channels or rates.
    """
    name = name or path.name
    tally = tally if tally is not None else Tally()
    try:
        with opened(path, name, limit_s) as (container, guard):
            stream = audio_stream(container, audio_index, name)
            for block in _resampled(_joined(frames(container, stream, guard.clock, tally)), rate_hz, tally):
                guard.check()
                with guard.clock.paused():
                    yield block
            guard.check()
    except av.FFmpegError as error:
        raise Damaged(name=name, why=error.strerror or str(error)) from error


def audio_stream(container: InputContainer, index: int, name: str) -> AudioStream:
    """The audio stream of that index, set up to decode.

    Raises:
        Damaged: it is not there, is not audio, or cannot be decoded by us.
    """
    stream = container.streams[index] if index < len(container.streams) else None
    if not isinstance(stream, AudioStream) or stream.codec_context is None:
        raise Damaged(name=name, why="the sound stream is not there or cannot be decoded", stream=index)
    # One thread: every run gives the same errors at the same places, and stages already work in parallel.
    stream.codec_context.thread_count = 1
    return stream


def frames(container: InputContainer, stream: AudioStream, clock: Clock, tally: Tally) -> Iterator[AudioFrame]:
    """Every frame that can be decoded, in order; errors are counted in `tally` and passed over.

    Raises:
        TooSlow, Damaged
    """
    for packet in _packets(container, stream, clock, tally):
        clock.check()
        tally.encrypted += packet.has_sidedata("encryption_info")
        try:
            decoded = packet.decode()
        except EOFError:
            continue  # flushed before, after an error of the container
        except (av.FFmpegError, OSError) as error:
            tally.failed(getattr(error, "strerror", None) or str(error))
            continue
        for frame in decoded:
            if not frame.samples:
                continue
            rate = _checked(frame, clock.name)
            tally.samples[rate] = tally.samples.get(rate, 0) + frame.samples
            clock.decoded_s += frame.samples / rate
            yield frame


def _packets(container: InputContainer, stream: AudioStream, clock: Clock, tally: Tally) -> Iterator[Any]:
    """Packets of the stream; after a reading error the demuxer is asked to go on."""
    failures = 0
    while True:
        try:
            for packet in container.demux(stream):
                failures = 0
                yield packet
            return
        except (av.FFmpegError, OSError) as error:
            clock.check()
            tally.failed(getattr(error, "strerror", None) or str(error))
            failures += 1
            if failures >= PATIENCE:
                return


def _checked(frame: AudioFrame, name: str) -> int:
    rate, channels = frame.sample_rate, frame.layout.nb_channels
    most = MAX_PLANES if frame.format.is_planar else MAX_CHANNELS
    if not (0 < rate <= MAX_RATE_HZ and 0 < channels <= most):
        raise Damaged(name=name, why="its header claims absurd channels or rates", channels=channels, rate_hz=rate)
    return rate


def planar(frame: AudioFrame) -> NDArray[Any]:
    """The frame's samples in the source's own number format, [channels, samples]."""
    return _shaped([[plane] for plane in _planes(frame)], frame)


def _planes(frame: AudioFrame) -> list[NDArray[Any]]:
    """One flat array per plane, without copying: a plane per channel, or one with the channels interleaved."""
    kind, _ = _FORMATS[frame.format.name.removesuffix("p")]
    channels = frame.layout.nb_channels
    planes: Any = frame.planes
    if not frame.format.is_planar:
        return [np.frombuffer(planes[0], kind, frame.samples * channels)]
    return [np.frombuffer(plane, kind, frame.samples) for plane in planes[:channels]]


def _shaped(planes: list[list[NDArray[Any]]], like: AudioFrame) -> NDArray[Any]:
    """Pieces of planes, joined: [channels, samples]."""
    if like.format.is_planar:
        return np.stack([np.concatenate(pieces) for pieces in planes])
    return np.concatenate(planes[0]).reshape(-1, like.layout.nb_channels).T


def as_float(samples: NDArray[Any], kind: str) -> Block:
    """Samples in FFmpeg's format `kind` as float32, full scale ±1.0. What is not a number becomes silence."""
    if kind.startswith(("flt", "dbl")):
        real: Block = samples.astype(np.float32, order="C")
        if not np.isfinite(real).all():
            real[~np.isfinite(real)] = 0.0
        return real
    _, full = _FORMATS[kind.removesuffix("p")]
    block: Block = samples.astype(np.float32, order="C")
    if kind.startswith("u8"):
        block -= np.float32(full)
    block *= np.float32(1 / full)
    return block


def _joined(source: Iterator[AudioFrame]) -> Iterator[tuple[int, Block]]:
    """(rate, samples) of about a second, joined before they are converted: the cost per small frame stays low."""
    waiting: list[list[NDArray[Any]]] = []
    held, like, first = 0, None, None
    for frame in source:
        now = (frame.format.name, frame.layout.nb_channels, frame.sample_rate)
        if first is not None and (now != like or held >= BLOCK_S * first.sample_rate):
            yield first.sample_rate, as_float(_shaped(waiting, first), first.format.name)
            first = None
        planes = _planes(frame)
        if first is None:
            first, like, held, waiting = frame, now, 0, [[] for _ in planes]
        for pieces, plane in zip(waiting, planes, strict=True):
            pieces.append(plane)
        held += frame.samples
    if first is not None:
        yield first.sample_rate, as_float(_shaped(waiting, first), first.format.name)


def _resampled(source: Iterator[tuple[int, Block]], rate_hz: int, tally: Tally) -> Iterator[Block]:
    """Blocks at one rate and one number of channels, whatever changes on the way."""
    channels, resampler = 0, None
    for rate, block in source:
        channels = channels or block.shape[0]
        block = _with_channels(block, channels)
        if resampler is not None and resampler.rate_in != rate:
            yield from resampler.flush()
            resampler = None
        resampler = resampler or _Resampler(rate, rate_hz, channels)
        yield from resampler.push(block)
    if resampler is not None:
        yield from resampler.flush()


def _with_channels(block: Block, channels: int) -> Block:
    """A stream that changes its channels on the way keeps as many as it began with: averaged to one, else repeated."""
    have = block.shape[0]
    if have == channels:
        return block
    if channels == 1:
        mono: Block = block.mean(axis=0, keepdims=True, dtype=np.float32)
        return mono
    return block[[index % have for index in range(channels)]]


class _Resampler:
    """swresample on whole blocks. The layout is only a count (a bit per channel), so any number of channels passes."""

    def __init__(self, rate_in: int, rate_out: int, channels: int) -> None:
        self.rate_in, self.layout = rate_in, f"0x{(1 << channels) - 1:x}"
        self._same = rate_in == rate_out
        self._planar = channels < MAX_PLANES  # PyAV sees more planes than there are in a frame that is full of them
        self._swr = av.AudioResampler(format="fltp" if self._planar else "flt", layout=self.layout, rate=rate_out)
        self._sent = 0

    def push(self, block: Block) -> Iterator[Block]:
        if self._same:
            yield block
            return
        samples = np.ascontiguousarray(block) if self._planar else np.ascontiguousarray(block.T).reshape(1, -1)
        frame = AudioFrame.from_ndarray(samples, format="fltp" if self._planar else "flt", layout=self.layout)
        frame.sample_rate, frame.pts, frame.time_base = self.rate_in, self._sent, Fraction(1, self.rate_in)
        self._sent += block.shape[1]
        yield from map(self._unpacked, self._swr.resample(frame))

    def flush(self) -> Iterator[Block]:
        if not self._same and self._sent:
            yield from map(self._unpacked, self._swr.resample(None))

    def _unpacked(self, frame: AudioFrame) -> Block:
        return as_float(planar(frame), frame.format.name)
