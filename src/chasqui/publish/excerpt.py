"""A few seconds to compare by ear: which ones, and that span of source, master and voice as small Ogg Opus."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from chasqui.codecs.opus import PACKET_SAMPLES, RATE_HZ, Rung
from chasqui.metrics.targets import Target, margin
from chasqui.records import Measured, Scores

Floats = npt.NDArray[np.float32]

#: Nobody tells 64 kb/s mono Opus from its source by ear, and 15 s of it weigh 120 kB.
PREVIEW = Rung("preview", 64_000, "audio")
#: Where hard parts are looked for: to reach a later one the source would have to be decoded for long.
SEARCH_S = 1800.0
#: Loudest sample after matching volumes.
CEILING = 0.98
SERIAL = 1


@dataclass(frozen=True)
class Span:
    """A stretch of the lesson on the packet grid. Its sound ends PRE_SKIP samples before its last packet does."""

    start_packet: int
    packets: int

    @property
    def start_s(self) -> float:
        return self.start_packet * PACKET_SAMPLES / RATE_HZ

    @property
    def duration_s(self) -> float:
        return self.packets * PACKET_SAMPLES / RATE_HZ

    @property
    def start(self) -> int:
        """First sample of the master."""
        return self.start_packet * PACKET_SAMPLES

    @property
    def samples(self) -> int:
        from chasqui.media.ogg import PRE_SKIP

        return self.packets * PACKET_SAMPLES - PRE_SKIP


def hardest(measured: Iterable[Measured], target: Target) -> list[Measured]:
    """The parts that came closest to breaking the promise, the hardest first; speech before music."""
    judged = [m for m in measured if m.kind != "silence" and m.scores != Scores()]
    return sorted(judged, key=lambda m: (m.kind != "speech", margin(target, m.kind, m.scores), m.segment))


def span_of(measured: Sequence[Measured], target: Target, wanted_s: float, samples: int) -> Span:
    """Where to listen: from the start of the hardest part, `wanted_s` long, all within the `samples` of the lesson."""
    ranked = hardest((m for m in measured if m.start_s < SEARCH_S), target)
    whole = max(samples // PACKET_SAMPLES, 1)
    packets = min(whole, round(wanted_s * RATE_HZ / PACKET_SAMPLES))
    start = round(ranked[0].start_s * RATE_HZ / PACKET_SAMPLES) if ranked else 0
    return Span(max(0, min(start, whole - packets)), packets)


def of_voice(path: Path, span: Span) -> bytes:
    """The published packets of the span in an Ogg stream of their own: not encoded again."""
    return _stream(islice(_packets(path), span.start_packet, span.start_packet + span.packets), span)


def of_sound(pcm: Floats, span: Span) -> bytes:
    """`pcm`, float32 [samples] at 48 kHz, as a preview; what is missing at its end becomes silence."""
    from chasqui.media.opus import encode

    pcm = np.pad(pcm[: span.samples], (0, max(0, span.samples - pcm.size)))
    return _stream(encode(pcm, PREVIEW), span)


def of_source(path: Path, audio_index: int, name: str, span: Span) -> Floats:
    """The span of the source as it came, float32 [samples] at 48 kHz, one channel."""
    from chasqui.media.source import blocks

    pieces: list[Floats] = []
    at = 0
    for block in blocks(path, audio_index, name=name, rate_hz=RATE_HZ):
        piece = block[:, max(span.start - at, 0) : max(span.start + span.samples - at, 0)]
        if piece.size:  # and copied: a slice would keep its whole block in memory
            pieces.append(piece.copy())
        at += block.shape[1]
        if at >= span.start + span.samples:
            break
    return _one_channel(np.concatenate(pieces, axis=1)) if pieces else np.zeros(0, np.float32)


def at_volume_of(sound: Floats, reference: Floats) -> Floats:
    """`sound` as loud (rms) as `reference`, so that the ear compares quality and not volume; never clipped."""
    own, wanted = _rms(sound), _rms(reference)
    if own <= 0:
        return sound
    gain = min(wanted / own, CEILING / max(float(np.abs(sound).max()), 1e-9))
    return sound * np.float32(gain)


def _one_channel(block: Floats) -> Floats:
    """The mean of the channels, or the loudest one where they cancel each other."""
    mean: Floats = block.mean(axis=0, dtype=np.float32)
    loudest: Floats = block[int(np.argmax((block**2).mean(axis=1)))]
    return mean if _rms(mean) > 0.5 * _rms(loudest) else loudest


def _rms(sound: Floats) -> float:
    return float(np.sqrt(np.mean(sound.astype(np.float64) ** 2))) if sound.size else 0.0


def _packets(path: Path) -> Iterator[bytes]:
    from chasqui.media.ogg import read
    from chasqui.media.pairs import split

    with path.open("rb") as file:
        for page in islice(read(file), 2, None):  # after OpusHead and OpusTags
            for packet in page.packets:
                yield from split(packet)


def _stream(packets: Iterable[bytes], span: Span) -> bytes:
    from chasqui.media.ogg import write

    out = io.BytesIO()
    write(out, packets, span.samples, serial=SERIAL, tags={}, packet_samples=PACKET_SAMPLES)
    return out.getvalue()
