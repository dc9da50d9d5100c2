"""Which sound is worth listening to: speech, in stretches of up to half a minute that end at pauses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from chasqui.asr import Span
from chasqui.codecs.opus import PACKET_SAMPLES, RATE_HZ
from chasqui.media.flac import read_span
from chasqui.metrics.resample import third
from chasqui.records import Segment

#: What Whisper takes in at once: shorter stretches cost it as much, longer ones would be cut again.
LONGEST_PACKETS = round(30 * RATE_HZ / PACKET_SAMPLES)


class Stretch(NamedTuple):
    """Speech without a gap, on the packet grid."""

    start_packet: int
    end_packet: int
    pauses: tuple[int, ...]  # where its segments meet

    @property
    def start_s(self) -> float:
        return self.start_packet * PACKET_SAMPLES / RATE_HZ

    @property
    def seconds(self) -> float:
        return (self.end_packet - self.start_packet) * PACKET_SAMPLES / RATE_HZ


def stretches(segments: Iterable[Segment]) -> Iterator[Stretch]:
    """The segments with speech, neighbours joined as far as they fit into `LONGEST_PACKETS`."""
    open_: Stretch | None = None
    for segment in segments:
        if segment.kind != "speech":
            continue
        if (
            open_
            and open_.end_packet == segment.start_packet
            and segment.end_packet - open_.start_packet <= LONGEST_PACKETS
        ):
            open_ = Stretch(open_.start_packet, segment.end_packet, (*open_.pauses, segment.start_packet))
            continue
        if open_:
            yield open_
        open_ = Stretch(segment.start_packet, segment.end_packet, ())
    if open_:
        yield open_


def sound(stretch: Stretch, master: Path, gain_db: float) -> Span:
    """The sound of a stretch as recognisers take it: 16 kHz mono."""
    samples = read_span(master, gain_db, stretch.start_packet * PACKET_SAMPLES, stretch.end_packet * PACKET_SAMPLES)
    pauses = tuple(at * PACKET_SAMPLES / RATE_HZ for at in stretch.pauses)
    return Span(third()(samples), stretch.start_s, pauses)
