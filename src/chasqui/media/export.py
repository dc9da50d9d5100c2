"""A master in the form that others want: another rate or container, blockwise, to the sample, the same bytes each time.

Nothing here decides what a data set holds; `collect.audio` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from chasqui.codecs.opus import PACKET_SAMPLES, Rung
from chasqui.media import ogg, opus
from chasqui.media.filters import Filter

Samples = npt.NDArray[np.float32]

MASTER_HZ = 48_000
#: Four times FFmpeg's usual length of the filter, and its edge at 98 % of the new band: flat within 0.02 dB up to 94 %
#: of it, 0.13 dB down at 95 %, and what lies 3 % beyond it is 97 dB down instead of folding back (measured with tones).
SHARP = "filter_size=128:phase_shift=10:cutoff=0.98"
#: FFmpeg's muxer, codec and sample format. WAV beyond 4 GB becomes RF64.
FILES = {
    "flac": ("flac", "flac", "s16", {}),
    "wav": ("wav", "pcm_s16le", "s16", {"rf64": "auto"}),
    "wav-float": ("wav", "pcm_f32le", "flt", {"rf64": "auto"}),
}
#: Level 5 of 0–8: these files are kept and sent around.
FLAC_OPTIONS = {"compression_level": "5", "frame_size": "4096"}
PIECE = 262_144


def length_at(samples: int, rate_hz: int) -> int:
    """How many samples at `rate_hz` hold `samples` at 48 kHz: rounded up, so that no sound is cut off."""
    return -(-samples * rate_hz // MASTER_HZ)


def at_rate(blocks: Iterable[Samples], rate_hz: int) -> Iterator[Samples]:
    """Mono at 48 kHz as mono at `rate_hz`: in line with the input, exactly `length_at` of its samples."""
    if rate_hz == MASTER_HZ:
        yield from (block for block in blocks if block.size)
        return
    convert = Filter("aresample", f"{rate_hz}:{SHARP}")
    taken = given = 0
    for block in blocks:
        taken += block.size
        for piece in convert.process(block):
            given += piece.size
            yield piece
    left = length_at(taken, rate_hz) - given
    for piece in convert.flush() if taken else ():
        part = piece[: max(left, 0)]
        left -= part.size
        if part.size:
            yield part
    if left > 0:
        yield np.zeros(left, np.float32)


def write_pcm(blocks: Iterable[Samples], path: Path, *, kind: str, rate_hz: int) -> tuple[int, int]:
    """Mono float32 at `rate_hz` as a file of `kind` (a key of FILES); (samples written, samples that were cut off at
    full scale). 16 bits are rounded to the nearest step, without dither, as the master is.
    """
    container, codec, form, options = FILES[kind]
    samples = clipped = 0
    with av.open(str(path), "w", format=container, options={"fflags": "+bitexact", **options}) as out:
        stream: Any = out.add_stream(codec, rate=rate_hz)
        stream.layout, stream.format = "mono", form
        if codec == "flac":
            stream.options = FLAC_OPTIONS
        stream.codec_context.flags |= int(av.codec.context.Flags.bitexact)
        for piece in _pieces(blocks):
            if form == "s16":
                steps = np.rint(piece * np.float32(32_768))
                clipped += int(np.count_nonzero((steps > 32_767) | (steps < -32_768)))
                piece = np.clip(steps, -32_768, 32_767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(piece[None], format=form, layout="mono")
            frame.sample_rate, frame.pts = rate_hz, samples
            samples += piece.size
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return samples, clipped


def write_opus(blocks: Iterable[Samples], path: Path, *, rung: Rung, samples: int) -> int:
    """Mono float32 at 48 kHz, `samples` of them, as Ogg Opus at one rung from end to end; it decodes to as many.

    Raises:
        ValueError: the blocks hold another number of samples.
    """
    # A decoder gives PRE_SKIP samples less than it was given packets for: silence behind the end brings it out.
    padded = chain(blocks, (np.zeros(ogg.PRE_SKIP, np.float32),))
    with path.open("wb") as out:
        ogg.write(out, opus.stream(padded, rung), samples, serial=1, tags={}, packet_samples=PACKET_SAMPLES)
    return samples


def _pieces(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """The same samples in pieces of PIECE, the last one shorter: the bytes do not depend on how the sound came."""
    held: list[Samples] = []
    size = 0
    for block in blocks:
        held.append(block)
        size += block.size
        while size >= PIECE:
            joined = np.concatenate(held)
            yield joined[:PIECE]
            held, size = [joined[PIECE:]], size - PIECE
    if size:
        yield np.concatenate(held)
