"""A segment's own encoder and decoder: primed on the packet grid, so that segments may be encoded apart and joined.

The same function makes the trial encodes of `choose` and the packets that `encode` publishes: the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chasqui.codecs.opus import PACKET_SAMPLES, PRIMING_PACKETS, Rung
from chasqui.media import opus, pairs
from chasqui.media.flac import read_span
from chasqui.media.ogg import PRE_SKIP
from chasqui.records import Master, Segment


@dataclass(frozen=True)
class Span:
    """The sound of one segment with what lies before it, at 48 kHz with the master's gain."""

    lead_packets: int
    pcm: opus.Array  # lead and segment, float32 [samples]; the last segment may end within a packet

    @property
    def reference(self) -> opus.Array:
        """What scores are taken against. Its last PRE_SKIP samples only come out with the next packet, so they are left
        out.
        """
        return self.pcm[self.lead_packets * PACKET_SAMPLES :][:-PRE_SKIP]


def read(path: Path, master: Master, segment: Segment) -> Span:
    """The span of a segment out of the master's file."""
    lead = min(PRIMING_PACKETS, segment.start_packet)
    start, stop = (segment.start_packet - lead) * PACKET_SAMPLES, segment.end_packet * PACKET_SAMPLES
    return Span(lead, read_span(path, master.gain_db, start, min(stop, master.samples)))


def packets_of(master: Master, segment: Segment) -> int:
    """Packets the segment has in the stream: its own, and at the end of the recording those that bring out the last
    samples.
    """
    if segment.end_packet * PACKET_SAMPLES < master.samples:
        return segment.packets
    return -(-(master.samples + PRE_SKIP) // PACKET_SAMPLES) - segment.start_packet


def encode(span: Span, rung: Rung, packets: int) -> tuple[list[bytes], list[bytes]]:
    """(priming packets, packets) of a span at one rung; what the recording lacks at its end is silence."""
    whole = (span.lead_packets + packets) * PACKET_SAMPLES
    made = opus.encode(np.pad(span.pcm, (0, whole - len(span.pcm))), rung)
    return made[: span.lead_packets], made[span.lead_packets :]


def decode(before: list[bytes], packets: list[bytes], samples: int) -> opus.Array:
    """The first `samples` samples that `packets` decode to, when a decoder comes to them from the packets `before`."""
    sound = np.concatenate(list(opus.decode([*before, *packets])))
    return sound[len(before) * PACKET_SAMPLES :][:samples]


def payload(packets: list[bytes]) -> int:
    """Bytes of a segment's packets in an Ogg stream, paired and with their lacing, page headers apart."""
    return sum(len(packet) + len(packet) // 255 + 1 for packet in pairs.join(packets))
