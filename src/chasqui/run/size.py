"""Numbers of bytes as people write and read them."""

from __future__ import annotations

import re

from chasqui.errors import BadConfig

#: Operators sell decimal megabytes, so MB is 10^6 here; the binary units have their own names (IEC 80000-13).
UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
MB = 10**6


def read_size(text: str | int) -> int:
    """Bytes meant by `3MB`, `2.5 MB`, `800kB`, `3MiB` or plain `3000000`; a decimal comma is fine.

    Raises:
        BadConfig: not a size, or nothing.
    """
    found = re.fullmatch(r"\s*(\d+(?:[.,]\d+)?)\s*([a-z]*)\s*", str(text).lower())
    unit = UNITS.get(found[2]) if found else None
    if not found or unit is None:
        raise BadConfig(why=f"{text!r} is not a size; write for example 3MB, 800kB, 3MiB or 3000000")
    if (size := int(float(found[1].replace(",", ".")) * unit)) < 1:
        raise BadConfig(why=f"{text!r} is less than one byte")
    return size


def show_size(size: float) -> str:
    """`6.1 MB` or `340 kB`: two or three digits that matter."""
    if size >= MB:
        return f"{size / MB:.1f} MB" if size < 100 * MB else f"{size / MB:,.0f} MB"
    return f"{size / 1000:.0f} kB" if size >= 10_000 else f"{size / 1000:.1f} kB"


def show_time(seconds: float) -> str:
    """`1:02:03` or `4:05`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
