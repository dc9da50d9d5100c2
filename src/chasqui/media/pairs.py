"""Two 60 ms packets in one of 120 ms: one byte less for every pair, which is over 1 % of a 5 kb/s file.

RFC 6716 §3.2: a packet of one frame (code 0) is a TOC byte and the frame; two frames of different length (code 2) share
the TOC and tell the length of the first. The frames, and so the sound, stay what they are; 120 ms is the longest that
is legal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chasqui.codecs.opus import PACKET_SAMPLES

_CODE, _TWO = 0b11, 0b10
_LONG = 252  # first length that takes two bytes (RFC 6716 §3.2.1)
_LONGEST = 1275  # bytes a frame may have


def join(packets: Iterable[bytes]) -> Iterator[bytes]:
    """The packets, neighbours paired where they may be: the same mode, one frame each."""
    held: bytes | None = None
    for packet in packets:
        if held is None:
            held = packet
        elif _single(held) and _single(packet) and held[0] == packet[0]:
            yield bytes([held[0] | _TWO]) + _length(len(held) - 1) + held[1:] + packet[1:]
            held = None
        else:
            yield held
            held = packet
    if held is not None:
        yield held


def split(packet: bytes) -> list[bytes]:
    """The packets that `join` made this one of."""
    if not packet or packet[0] & _CODE != _TWO:
        return [packet]
    toc, first = bytes([packet[0] & ~_CODE]), packet[1]
    at = 2 if first < _LONG else 3
    if first >= _LONG:
        first += 4 * packet[2]
    return [toc + packet[at : at + first], toc + packet[at + first :]]


def samples(packet: bytes) -> int:
    """Samples at 48 kHz of a packet of our grid, paired or not."""
    return PACKET_SAMPLES * (2 if packet[0] & _CODE == _TWO else 1)


def _single(packet: bytes) -> bool:
    return 0 < len(packet) - 1 <= _LONGEST and packet[0] & _CODE == 0


def _length(size: int) -> bytes:
    if size < _LONG:
        return bytes([size])
    return bytes([_LONG + (size & 3), (size - _LONG - (size & 3)) >> 2])
