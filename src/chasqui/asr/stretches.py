"""Which sound is worth listening to: speech, in stretches of up to half a minute that end at pauses.

Whoever listens to the same recording again, in another encode, cuts it here in the same places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from numpy import float32
from numpy.typing import NDArray

from chasqui.asr import Span
from chasqui.codecs.opus import PACKET_SAMPLES, RATE_HZ
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

    @property
    def samples(self) -> tuple[int, int]:
        """(first, behind the last) at 48 kHz."""
        return self.start_packet * PACKET_SAMPLES, self.end_packet * PACKET_SAMPLES

    def span(self, sound: NDArray[float32]) -> Span:
        """Its sound, [samples] at 16 kHz, as a recogniser takes it."""
        return Span(sound, self.start_s, tuple(at * PACKET_SAMPLES / RATE_HZ for at in self.pauses))


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
