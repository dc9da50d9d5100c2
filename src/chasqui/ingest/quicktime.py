"""What the boxes of MP4 and QuickTime files say before FFmpeg looks: cut off, locked, or pointing elsewhere.

Sound in another file (ISO/IEC 14496-12 §8.7.2, `dref`; QuickTime `rmra`) is not followed by FFmpeg as we call it; but
it would read this file's own bytes as if they were the sound, and that is noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

#: Boxes with boxes inside, on the way to `dref`.
_INSIDE = frozenset({b"moov", b"trak", b"mdia", b"minf", b"dinf"})
#: A real file has some hundred boxes; a hostile one may have millions of empty ones.
MOST_BOXES = 20_000
SELF_CONTAINED = 1  # flag of a dref entry: the data is in this very file


class Atoms(NamedTuple):
    """What the boxes of an MP4 or QuickTime file say."""

    has_index: bool  # there is a `moov`: without it nobody knows where the sound is
    locked: bool  # a DRM header (ISO/IEC 23001-7 `pssh`)
    external: bool  # a track keeps its data in another file


def atoms(path: Path) -> Atoms:
    """The boxes that matter here, of a file that has boxes."""
    with path.open("rb") as file:
        file.seek(0, 2)
        found = list(_boxes(file, 0, file.tell()))
        kinds = {kind for kind, _, _ in found}
        external = any(_external(file, kind, start, end) for kind, start, end in found)
    return Atoms(has_index=b"moov" in kinds, locked=b"pssh" in kinds, external=external)


def _boxes(file: BinaryIO, start: int, end: int, budget: list[int] | None = None) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start of content, end) of each box, depth first."""
    budget = budget if budget is not None else [MOST_BOXES]
    while start + 8 <= end and budget[0] > 0:
        budget[0] -= 1
        file.seek(start)
        head = file.read(16)
        size, kind, content = int.from_bytes(head[:4], "big"), head[4:8], start + 8
        if size == 1 and len(head) == 16:
            size, content = int.from_bytes(head[8:], "big"), start + 16
        stop = end if size == 0 else min(start + size, end)
        if stop < content:
            return
        yield kind, content, stop
        if kind in _INSIDE:
            yield from _boxes(file, content, stop, budget)
        start = stop


def _external(file: BinaryIO, kind: bytes, start: int, end: int) -> bool:
    if kind == b"rmra":
        return True
    if kind != b"dref":
        return False
    file.seek(start)
    body = file.read(min(end - start, 1 << 16))
    at = 8  # version, flags, number of entries
    while at + 12 <= len(body):
        if not int.from_bytes(body[at + 8 : at + 12], "big") & SELF_CONTAINED:
            return True
        at += max(int.from_bytes(body[at : at + 4], "big"), 12)
    return False
