"""What a lesson costs somebody who pays for every megabyte. Estimates: the price per MB is a setting."""

from __future__ import annotations

from pydantic import Field

from chasqui.publish import Options
from chasqui.records import Record

#: Operators sell decimal megabytes, and so do we count.
MB = 1_000_000


class Price(Record):
    """Soles for one download of the source and of the lesson, and how many of each a prepaid pack holds."""

    pen_per_mb: float = Field(description="soles per 10^6 bytes, an estimate from the settings")
    source_pen: float
    lesson_pen: float
    pack_mb: float
    source_per_pack: int
    lessons_per_pack: int


def price_of(source_bytes: int, lesson_bytes: int, options: Options) -> Price:
    """The Price; soles are rounded to a hundredth of a céntimo."""
    pack = options.pack_mb * MB
    return Price(
        pen_per_mb=options.pen_per_mb,
        source_pen=round(source_bytes / MB * options.pen_per_mb, 4),
        lesson_pen=round(lesson_bytes / MB * options.pen_per_mb, 4),
        pack_mb=options.pack_mb,
        source_per_pack=int(pack // max(source_bytes, 1)),
        lessons_per_pack=int(pack // max(lesson_bytes, 1)),
    )


def soles(pen: float) -> str:
    """`S/ 0.12`, as it is written in Peru. What is less than a céntimo keeps its first digit: `S/ 0.004`."""
    if pen <= 0:
        return "S/ 0"
    if pen >= 0.0095:
        return f"S/ {pen:,.2f}"
    return f"S/ {pen:.3f}" if pen >= 0.00095 else "S/ 0.001"


def megabytes(count: int) -> str:
    """`12.4 MB`, `0.35 MB`: three digits that matter, decimal point as in Peru."""
    mb = count / MB
    if mb >= 100:
        return f"{mb:,.0f} MB"
    if mb >= 10:
        return f"{mb:.1f} MB"
    return f"{mb:.2f} MB" if mb >= 0.01 else f"{count / 1000:.1f} kB"


def times_smaller(source_bytes: int, lesson_bytes: int) -> str | None:
    """`35` or `4.2`, rounded down so as never to boast; None where nothing worth saying was gained."""
    ratio = source_bytes / max(lesson_bytes, 1)
    if ratio < 1.1:
        return None
    return f"{int(ratio):,}" if ratio >= 10 else f"{int(ratio * 10) / 10:.1f}"
