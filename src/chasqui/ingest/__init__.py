"""ingest: a file that somebody named becomes a Recording, or is refused with a reason.

Four doors: `find` lists the files of a batch, `accept` takes one in by its content's hash, `hand_over` its bytes too,
`run` looks inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from chasqui.events import Report
from chasqui.records import Recording, Request
from chasqui.store import Store, Workspace


class Options(BaseModel):
    """What may come in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minimum_s: float = Field(default=1.0, ge=0.1)  # shorter is a click on the wrong button, not a lesson
    maximum_h: float = Field(default=24.0, gt=0)  # a day: longer is a forgotten recorder, or a file made to fill disks
    silence_dbfs: float = Field(
        default=-70.0, le=0
    )  # ±10 steps of 16 bits: what a recorder without a microphone writes
    limit_s: float = Field(default=15.0, gt=0)  # seconds of work without progress; with the rest it stays below 20


def find(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """(file, folder) for every file in what the user named; folders are walked, sorted, and kept as `folder`."""
    from chasqui.ingest.batch import walk

    return walk(paths)


def accept(path: Path, store: Store, folder: str = "", title: str = "") -> Request:
    """The Request of one file, known by its content: the same bytes under another name are the same recording.

    Raises:
        Unreadable, EmptyFile
    """
    from chasqui.ingest.upload import request_for

    request = request_for(path, folder, title)
    store.put(request.recording_id, "request", request, key=request.sha256[:32])
    return request


def hand_over(
    path: Path, store: Store, name: str, title: str = "", tell: Callable[[str], None] | None = None
) -> Request:
    """The Request of a file that is given away: its bytes move into the store, where any worker finds them.

    A recording that is known keeps its Request, and the bytes are thrown away. `tell` gets the recording id before
    anything moves, for whoever must be able to go on after a crash in between.

    Raises:
        Unreadable, EmptyFile, DiskFull, NotWritable
    """
    from chasqui.ingest.upload import handed

    return handed(path, store, name, title, tell)


def run(request: Request, *, options: Options, work: Workspace, report: Report) -> Recording:
    """The Recording: bytes copied and proved, content looked at, sound counted to the end.

    Raises:
        Rejected: one of its kinds, with the reason.
    """
    from chasqui.ingest.inspect import recording

    return recording(request, options, work, report)
