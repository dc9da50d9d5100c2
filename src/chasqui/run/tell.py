"""What `pack` says at the end: a table for people, a result for programmes. Described in docs/json.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chasqui.config import Config
from chasqui.errors import SOME_REFUSED, ChasquiError
from chasqui.run.local import Packed
from chasqui.run.size import MB, show_size
from chasqui.words import explain, say

if TYPE_CHECKING:
    from rich.table import Table

#: Version of the result line. Fields may be added under the same number; it rises when one changes or goes.
RESULT_VERSION = 1


def exit_code(results: Sequence[Packed]) -> int:
    """0 when all were packed; a batch with some refused has a code of its own; if none was packed, the first one's."""
    errors = [packed.error for packed in results if packed.error]
    if not errors:
        return 0
    return errors[0].exit_code if len(errors) == len(results) else SOME_REFUSED


def result(results: Sequence[Packed], config: Config) -> dict[str, Any]:
    """The fields of the last JSON line of `pack`."""
    price = config.options("publish").pen_per_mb
    return {
        "version": RESULT_VERSION,
        "exit_code": exit_code(results),
        "lessons": [_lesson(packed, price) for packed in results if packed.lesson],
        "refused": [
            {"source": str(packed.source), "recording_id": packed.recording_id, **failure(packed.error, config.lang)}
            for packed in results
            if packed.error
        ],
    }


def failure(error: ChasquiError, lang: str) -> dict[str, Any]:
    """An error as a programme reads it."""
    return {
        "error": error.code,
        "message": explain(error, lang),
        "action": error.action,
        "exit_code": error.exit_code,
    }


def _lesson(packed: Packed, price: float) -> dict[str, Any]:
    lesson, certificate = packed.lesson, packed.certificate
    assert lesson is not None and certificate is not None  # noqa: S101 - `packing` gives both or an error
    return {
        "source": str(packed.source),
        "recording_id": lesson.recording_id,
        "title": lesson.title,
        "folder": str(packed.folder),
        "source_bytes": lesson.source_bytes,
        "bytes": lesson.bytes,
        "duration_s": certificate.duration_s,
        "promised": certificate.promised,
        "kept": certificate.kept,
        "degraded": certificate.degraded,
        "source_pen": round(lesson.source_bytes / MB * price, 4),
        "pen": round(lesson.bytes / MB * price, 4),
        "files": [
            {"name": blob.name, "bytes": blob.bytes, "sha256": blob.sha256, "media_type": blob.media_type}
            for blob in lesson.files
        ],
    }


def table(results: Sequence[Packed], config: Config) -> Table:
    """A row per lesson: megabytes and soles before and after, the promise that is kept, and where it lies."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    rows = Table(box=SIMPLE, pad_edge=False)
    for column in ("lesson", "before", "after", "cost", "promise", "folder"):
        numbers = column in ("before", "after", "cost")
        rows.add_column(
            say(f"cli.table.{column}", config.lang), justify="right" if numbers else "left", overflow="fold"
        )
    price = config.options("publish").pen_per_mb
    for packed in results:
        if (lesson := packed.lesson) is not None:
            cost = f"{lesson.source_bytes / MB * price:.3f} → {lesson.bytes / MB * price:.3f}"
            before, after = show_size(lesson.source_bytes), show_size(lesson.bytes)
            cells = (lesson.title, before, after, cost, promise(packed, config.lang), f"{packed.folder}/")
            rows.add_row(*(Text(cell) for cell in cells))  # as Text: a title may hold [brackets], which rich reads
    return rows


def summary(results: Sequence[Packed], config: Config) -> list[str]:
    """The lines below the table."""
    lessons = [packed.lesson for packed in results if packed.lesson]
    before, after = sum(lesson.source_bytes for lesson in lessons), sum(lesson.bytes for lesson in lessons)
    facts = {"before": show_size(before), "after": show_size(after), "times": f"{before / max(after, 1):.1f}"}
    counts = {"packed": len(lessons), "refused": len(results) - len(lessons)}
    price = config.options("publish").pen_per_mb
    return [
        say("cli.table.total", config.lang, **facts, **counts),
        say("cli.table.estimate", config.lang, price=price),
    ]


def promise(packed: Packed, lang: str) -> str:
    """The promise that the published bytes keep, and what was asked for where that is more."""
    certificate = packed.certificate
    if certificate is None:
        return "?"
    kept = say(f"cli.promise.{certificate.kept or 'nothing'}", lang)
    if certificate.degraded is None:
        return kept
    return say("cli.promise.degraded", lang, kept=kept, asked=say(f"cli.asked.{certificate.promised}", lang))
