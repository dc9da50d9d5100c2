"""Encoded packets kept on disk by segment, so that memory stays flat; a segment that is encoded again replaces the
first.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self


class Shelf:
    """Packets by segment index in one scratch file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._where: dict[int, tuple[int, array[int]]] = {}  # two bytes for each of the 600,000 packets of ten hours

    def put(self, segment: int, packets: list[bytes]) -> None:
        """Keep the packets of a segment; earlier ones are forgotten (their bytes stay in the scratch file)."""
        start = self._file.seek(0, 2)
        self._file.write(b"".join(packets))
        self._where[segment] = (start, array("H", map(len, packets)))

    def get(self, segment: int) -> list[bytes]:
        """The packets of a segment."""
        start, sizes = self._where[segment]
        self._file.seek(start)
        return [self._file.read(size) for size in sizes]

    def tail(self, segment: int, count: int) -> list[bytes]:
        """The last packets before a segment, at most `count`, reaching back over short segments."""
        packets: list[bytes] = []
        while segment > 0 and len(packets) < count:
            segment -= 1
            packets = self.get(segment) + packets
        return packets[-count:]

    def next(self, segment: int) -> list[bytes]:
        """The first packet behind a segment, if there is one."""
        return self.get(segment + 1)[:1] if segment + 1 in self._where else []

    def all(self) -> Iterator[list[bytes]]:
        """The packets of every segment, in order."""
        for segment in sorted(self._where):
            yield self.get(segment)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
