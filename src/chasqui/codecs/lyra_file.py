"""A file of Lyra's indices: magic, version, sample count, seek points, checksums. Pure bytes, no networks.

All numbers are unsigned. `varint` is LEB128: seven bits per byte, lowest first, the top bit says that more follow, and
no byte is spent in vain.

    header    4 bytes "CHLY" · 1 byte version of this format (1) · 1 byte version of Lyra's networks (3)
              varint samples at 16 kHz · for each block: varint bytes of the block
              4 bytes CRC-32 of the header so far, little-endian
    block     for each run of frames with equally many stages: varint frames · 1 byte stages
              entropy-coded indices (lyra_entropy.py, which starts afresh in every block)
              4 bytes CRC-32 of the block so far, little-endian

There are ceil(samples / 320) frames, and 3,000 of them (60 s) in every block but the last; so nothing needs to be
counted that could be miscounted. A block is a seek point: whoever wants a moment decodes the indices of its block
(0.3 s at worst, in Python) and lets the networks begin WARM_UP_FRAMES earlier. Stages may change from frame to frame,
so each segment can have the rate it needs.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from chasqui.codecs import lyra_entropy
from chasqui.codecs.lyra import ABSENT, FRAME, MODEL_VERSION, RATE_HZ, STAGES, Codes, checked
from chasqui.errors import Damaged

MAGIC = b"CHLY"
VERSION = 1
#: Frames in a block. What the coder has learnt is lost at its end: 3 % of the bytes at 60 s, 8 % at 10 s.
BLOCK_FRAMES = 3_000
#: Frames after which networks that start in the middle give the very samples of networks that heard everything.
WARM_UP_FRAMES = 25
#: Longer than any lesson; what claims more is refused before anything is made of it.
LONGEST_S = 24 * 3600


@dataclass(frozen=True)
class LyraFile:
    """A file that was opened: its header is sound, its blocks are checked when they are read."""

    name: str
    samples: int
    payloads: tuple[bytes, ...]

    @property
    def frames(self) -> int:
        return -(-self.samples // FRAME)

    def block(self, index: int) -> Codes:
        """Codes of one block, from frame `index` × BLOCK_FRAMES on.

        Raises:
            Damaged: the block is not as it was written.
        """
        payload = self.payloads[index]
        body, crc = payload[:-4], payload[-4:]
        if len(payload) < 4 or zlib.crc32(body) != int.from_bytes(crc, "little"):
            raise self._damaged(f"block {index} does not match its checksum")
        wanted = min(BLOCK_FRAMES, self.frames - index * BLOCK_FRAMES)
        try:
            at, counts = 0, list[int]()
            while len(counts) < wanted:
                frames, at = _varint(body, at)
                if not 1 <= frames <= wanted - len(counts):
                    raise ValueError(f"a run of {frames} frames does not fit")
                counts += [_byte(body, at)] * frames
                at += 1
            return lyra_entropy.decode(body[at:], counts)
        except ValueError as error:
            raise self._damaged(f"block {index}: {error}") from None

    def codes(self, start_sample: int = 0) -> Iterator[Codes]:
        """Codes block by block, from the block on that holds `start_sample`."""
        for index in range(max(start_sample, 0) // FRAME // BLOCK_FRAMES, len(self.payloads)):
            yield self.block(index)

    def _damaged(self, why: str) -> Damaged:
        return Damaged(name=self.name, why=why)


def write(codes: Codes, samples: int) -> bytes:
    """The file of `codes` (shape [ceil(samples / 320), 46]) that decodes to `samples` samples at 16 kHz.

    Raises:
        ValueError: codes that are none, another number of frames than the samples need, or more than 24 hours.
    """
    checked(codes)
    if not 0 <= samples <= LONGEST_S * RATE_HZ or len(codes) != -(-samples // FRAME):
        raise ValueError(f"{len(codes)} frames cannot hold {samples} samples")
    blocks = [_block(codes[start : start + BLOCK_FRAMES]) for start in range(0, len(codes), BLOCK_FRAMES)]
    head = MAGIC + bytes([VERSION, MODEL_VERSION]) + b"".join(_leb128(n) for n in (samples, *map(len, blocks)))
    return b"".join([_sealed(head), *blocks])


def read(data: bytes, name: str = "the file") -> LyraFile:
    """Open a file; `name` is what errors call it.

    Raises:
        Damaged: not such a file, of a version we do not know, cut short, too long, or with a header that was changed.
    """
    if data[:4] != MAGIC:
        raise Damaged(name=name, why="it does not begin like a file of Lyra's indices")
    if data[4:6] != bytes([VERSION, MODEL_VERSION]):
        raise Damaged(name=name, why=f"version {data[4:6].hex('.')} of this format is not known here")
    try:
        samples, at = _varint(data, 6)
        if samples > LONGEST_S * RATE_HZ:
            raise ValueError(f"it claims to be {samples / RATE_HZ / 3600:.0f} hours long")
        sizes = []
        for _ in range(-(-samples // (FRAME * BLOCK_FRAMES))):
            size, at = _varint(data, at)
            sizes.append(size)
        if data[at : at + 4] != struct.pack("<I", zlib.crc32(data[:at])):
            raise ValueError("its header does not match its checksum")
        if len(data) != at + 4 + sum(sizes):
            raise ValueError(f"it has {len(data)} bytes instead of {at + 4 + sum(sizes)}")
    except ValueError as error:
        raise Damaged(name=name, why=str(error)) from None
    return LyraFile(name, samples, tuple(_cut(data, at + 4, sizes)))


def _cut(data: bytes, at: int, sizes: list[int]) -> Iterator[bytes]:
    for size in sizes:
        yield data[at : at + size]
        at += size


def _block(codes: Codes) -> bytes:
    counts = (codes != ABSENT).sum(axis=1).tolist()
    runs = (_leb128(len(list(group))) + bytes([stages]) for stages, group in groupby(counts))
    return _sealed(b"".join(runs) + lyra_entropy.encode(codes))


def _sealed(body: bytes) -> bytes:
    return body + struct.pack("<I", zlib.crc32(body))


def _byte(data: bytes, at: int) -> int:
    if at >= len(data):
        raise ValueError("it is cut short")
    if not 1 <= data[at] <= STAGES:
        raise ValueError(f"{data[at]} stages are none of Lyra's")
    return data[at]


def _leb128(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """(number, where the next thing begins)."""
    number = 0
    for index in range(5):  # 35 bits: more than any number here needs
        if at + index >= len(data):
            raise ValueError("it is cut short")
        byte = data[at + index]
        number |= (byte & 127) << (7 * index)
        if byte < 128:
            if index and not byte:
                raise ValueError("a number is written with more bytes than it needs")
            return number, at + index + 1
    raise ValueError("a number is too large")
