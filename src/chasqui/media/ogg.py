"""Ogg Opus, written page by page and read back (RFC 3533, RFC 7845). Pure bytes: nothing here encodes or decodes sound.

Why not FFmpeg's muxer: pages as long as we like (2–3 % of a 7 kb/s file), no vendor strings, an end trimmed to the
sample, and the same bytes every time.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

#: Samples a decoder throws away at the start: libopus's look-ahead at 48 kHz for both of our applications.
PRE_SKIP = 312
#: A page ends after this many packets' worth of sound (just under 5 s of 60 ms): above 5 s opusinfo warns of a high
#: muxing delay, and 10 s would save only another 0.1 %.
PAGE_PACKETS = 83
#: Room for the tags that a byte budget sets aside; whoever writes tags keeps them within it.
TAG_BYTES = 256

_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class Page:
    """One page as read back; `packets` are whole because our pages never split one."""

    granule: int
    serial: int
    sequence: int
    first: bool
    last: bool
    packets: tuple[bytes, ...]


def write(
    out: BinaryIO,
    packets: Iterable[bytes],
    samples: int,
    *,
    serial: int,
    tags: Mapping[str, str],
    packet_samples: int,
    length: Callable[[bytes], int] | None = None,
    input_rate_hz: int = 48_000,
) -> int:
    """Write a mono Ogg Opus stream that decodes to exactly `samples` samples at 48 kHz; returns the bytes written.

    Packets last `packet_samples` each, or what `length` says where they differ (paired ones).

    Raises:
        ValueError: the packets are too few or too many for `samples`, or a packet is empty or longer than a page.
    """
    pages = _Pages(out, serial)
    pages.put([_head(input_rate_hz)], granule=0, first=True)
    pages.put([_tags(tags)], granule=0)
    end = PRE_SKIP + samples
    held: list[bytes] = []
    count = at = page_start = last = 0
    for packet in packets:
        if not packet:
            raise ValueError("an Opus packet cannot be empty")
        last = length(packet) if length else packet_samples
        full = at + last - page_start > PAGE_PACKETS * packet_samples
        if held and (full or _lacing_size(held) + _lacing_size([packet]) > 255):
            pages.put(held, granule=at)
            held, page_start = [], at
        held.append(packet)
        count, at = count + 1, at + last
    if not at - last < end <= at:
        raise ValueError(f"{count} packets of {packet_samples} samples cannot end at sample {end}")
    pages.put(held, granule=end, last=True)
    return pages.bytes


def tag_bytes(tags: Mapping[str, str]) -> int:
    """Size of the tags packet."""
    return len(_tags(tags))


def overhead(packet_bytes: Iterable[int], tags: Mapping[str, str]) -> int:
    """Bytes that `write` adds to packets of these sizes."""
    total = 2 * 28 + len(_head(48_000)) + len(_tags(tags)) // 255 + len(_tags(tags))
    in_page = lacing = 0
    for size in packet_bytes:
        need = size // 255 + 1
        if in_page == 0 or in_page == PAGE_PACKETS or lacing + need > 255:
            total, in_page, lacing = total + 27, 0, 0
        in_page, lacing, total = in_page + 1, lacing + need, total + need
    return total


def read(file: BinaryIO) -> Iterator[Page]:
    """The pages of a stream, checksums checked, one in memory at a time.

    Raises:
        ValueError: not Ogg, cut short, a wrong checksum, or a packet that spans pages.
    """
    while head := file.read(27):
        if head[:4] != b"OggS" or len(head) < 27:
            raise ValueError("no Ogg page where one should begin")
        _, flags, granule, serial, sequence, crc, count = struct.unpack_from("<BBqIIIB", head, 4)
        lacing = file.read(count)
        body = file.read(sum(lacing))
        if len(lacing) < count or len(body) < sum(lacing):
            raise ValueError(f"page {sequence} is cut short")
        if _crc(head[:22] + b"\0\0\0\0" + head[26:] + lacing + body) != crc:
            raise ValueError(f"page {sequence} is damaged")
        yield Page(granule, serial, sequence, bool(flags & 2), bool(flags & 4), tuple(_unlace(body, lacing)))


class _Pages:
    """Numbers the pages and counts the bytes."""

    def __init__(self, out: BinaryIO, serial: int) -> None:
        self.out, self.serial, self.sequence, self.bytes = out, serial, 0, 0

    def put(self, packets: list[bytes], granule: int, first: bool = False, last: bool = False) -> None:
        lacing = b"".join(_lace(packet) for packet in packets)
        if len(lacing) > 255:
            raise ValueError(f"{len(packets)} packets with {sum(map(len, packets))} bytes do not fit one page")
        flags = 2 * first + 4 * last
        head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, self.serial, self.sequence, 0, len(lacing))
        page = head + lacing + b"".join(packets)
        page = page[:22] + struct.pack("<I", _crc(page)) + page[26:]
        self.out.write(page)
        self.sequence += 1
        self.bytes += len(page)


def _head(input_rate_hz: int) -> bytes:
    return struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, PRE_SKIP, input_rate_hz, 0, 0)


def _tags(tags: Mapping[str, str]) -> bytes:
    vendor = b"chasqui"
    lines = [f"{name}={value}".encode() for name, value in tags.items()]
    body = b"".join(struct.pack("<I", len(line)) + line for line in lines)
    return b"OpusTags" + struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(lines)) + body


def _lace(packet: bytes) -> bytes:
    return b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])


def _lacing_size(packets: list[bytes]) -> int:
    return sum(len(packet) // 255 + 1 for packet in packets)


def _unlace(body: bytes, lacing: bytes) -> Iterator[bytes]:
    start = end = 0
    for value in lacing:
        end += value
        if value < 255:
            yield body[start:end]
            start = end
    if start != end or (lacing and lacing[-1] == 255):
        raise ValueError("a packet spans two pages")


def _crc(data: bytes) -> int:
    """Ogg's CRC (polynomial 0x04C11DB7, not reflected, starting at 0) through zlib's reflected one, in C instead of
    Python.
    """
    mirrored = zlib.crc32(data.translate(_MIRROR), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_MIRROR), "big")
