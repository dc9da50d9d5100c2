"""Everything in one process, in order: `pack` for whole lessons, `run_stages` for some stages of one recording."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chasqui.config import Config, load
from chasqui.errors import ChasquiError, Defect, DiskFull, NotWritable, StoreBusy
from chasqui.events import Listener, Report
from chasqui.pipeline import stages_for
from chasqui.records import Certificate, Lesson, Record, Request
from chasqui.run import run_stage
from chasqui.run.deliver import deliver, writable
from chasqui.run.size import read_size
from chasqui.store import Store, open_store

if TYPE_CHECKING:
    from chasqui.run.captions import Brought

#: The stages of a lesson.
PACKING = stages_for("publish")
#: Where lessons go when nobody says, by language.
OUT = {"es": "lecciones", "en": "lessons"}


@dataclass(frozen=True)
class Packed:
    """What became of one input: its lesson and where it lies, or the error that refused it."""

    source: Path
    recording_id: str | None = None
    lesson: Lesson | None = None
    certificate: Certificate | None = None
    folder: Path | None = None
    error: ChasquiError | None = None


def pack(
    paths: str | Path | Iterable[str | Path],
    *,
    out: str | Path | None = None,
    budget: str | int | None = None,
    target: str | None = None,
    captions: str | Path | None = None,
    store: Store | str | None = None,
    config: Path | None = None,
    listener: Listener | None = None,
    **settings: Any,
) -> list[Packed]:
    """Make lessons of recordings: one Packed for each, in the order they were found. Folders are searched.

    One that is refused does not stop the others; its Packed says why.

    Args:
        paths: files and folders.
        out: folder for the lessons, `lecciones` here by default; the structure of searched folders is kept below it.
        budget: most bytes for the voice of each lesson: `"3MB"`, `800_000`.
        target: `understood`, `comfortable` or `clear`.
        captions: what somebody wrote down: a file for one recording, a folder with a file of the same name for each, or
            `none` to take away what was brought before.
        store: where finished work is kept: a URL (`file:.chasqui`, `memory:`) or an open store.
        config: a `chasqui.toml`.
        listener: called with each Event, possibly from several threads.
        settings: `lang`, `threads`, and options of stages as `stage__option` (`publish__pen_per_mb=0.02`).

    Raises:
        BadConfig: an option that makes no sense.
        BadCaptions: the file of captions cannot be read; nothing was begun.
        NotWritable, DiskFull: `out` cannot be written to; nothing was begun.
    """
    if store is not None and isinstance(store, str):
        settings["store"] = store
    size = None if budget is None else read_size(budget)
    chosen = load(config, choose__target=target, choose__budget_bytes=size, **settings)
    opened = store if store is not None and not isinstance(store, str) else open_store(chosen.store)
    return list(packing(_listed(paths), Path(out or OUT[chosen.lang]), opened, chosen, listener, captions))


def packing(
    paths: Sequence[Path],
    out: Path,
    store: Store,
    config: Config,
    listener: Listener | None = None,
    captions: str | Path | None = None,
) -> Iterator[Packed]:
    """The same, one Packed at a time as they are finished."""

    for stage in PACKING:
        config.options(stage.name)
    with writable(out):
        stopped: ChasquiError | None = None
        for path, folder, brought in with_captions(paths, captions, config):
            packed = (
                Packed(path, error=stopped)
                if stopped
                else pack_one(path, folder, out, store, config, listener, brought)
            )
            if isinstance(packed.error, DiskFull | NotWritable):
                stopped = packed.error  # the others would only find out the same
            yield packed


def with_captions(
    paths: Sequence[Path], captions: str | Path | None, config: Config
) -> Iterator[tuple[Path, str, Brought | None]]:
    """(file, folder, what it gets of the captions that were brought) for every recording in what the user named.

    Raises:
        BadCaptions, BadConfig: before the first.
    """
    from chasqui.ingest import find

    if captions is None:
        yield from ((path, folder, None) for path, folder in find(paths))
        return
    from chasqui.run.captions import match, without

    found = list(find(paths))
    brought = match(captions, found, config.options("transcribe").language)
    yield from ((path, folder, brought.get(path)) for path, folder in without(found, brought))


def run_stages(
    names: Iterable[str], recording_id: str, store: Store, config: Config, listener: Listener | None = None
) -> list[Record]:
    """The records of these stages. Nobody else works on this recording meanwhile, so they all belong together.

    Raises:
        ChasquiError: see `run_stage`.
    """
    with store.workspace(recording_id, "pack"):
        return [run_stage(name, recording_id, store, config, listener) for name in names]


def pack_one(
    path: Path,
    folder: str,
    out: Path,
    store: Store,
    config: Config,
    listener: Listener | None,
    brought: Brought | None = None,
) -> Packed:
    """The lesson of one file below `out / folder`, or the error that refused it."""
    from chasqui.ingest import accept

    request: Request | None = None
    try:
        request = accept(path, store, folder=folder)
        report = Report("pack", request.recording_id, listener)
        report.say("started", facts={"source": str(path), "name": request.name, "bytes": request.bytes})
        with store.workspace(request.recording_id, "pack"):
            if brought is not None:
                bring_captions(brought, request.recording_id, store, listener)
            for stage in PACKING:
                run_stage(stage.name, request.recording_id, store, config, listener)
            packed = _delivered(path, request, out / folder, store)
        report.say("finished", facts={"folder": str(packed.folder)})
        return packed
    except ChasquiError as error:
        return _refused(path, request, error, listener)
    except Exception as error:  # a defect met in one recording must not cost a teacher the other fifty
        if os.environ.get("CHASQUI_DEBUG"):
            raise
        defect = Defect(name=path.name, what=f"{type(error).__name__}: {error}")
        defect.__cause__ = error
        return _refused(path, request, defect, listener)


def bring_captions(brought: Brought, recording_id: str, store: Store, listener: Listener | None) -> None:
    """Keep the captions of a recording; see `run.captions`."""
    from chasqui.run.captions import bring

    bring(brought, recording_id, store, listener)


def _delivered(path: Path, request: Request, parent: Path, store: Store) -> Packed:
    lesson = store.get(request.recording_id, "publish", Lesson)
    if lesson is None:  # a file of the store was removed under our hands
        raise StoreBusy(what=request.recording_id, limit_s=0)
    certificate = store.get(request.recording_id, "verify", Certificate)
    return Packed(path, request.recording_id, lesson, certificate, deliver(lesson, parent, store))


def _refused(path: Path, request: Request | None, error: ChasquiError, listener: Listener | None) -> Packed:
    recording_id = request.recording_id if request else None
    facts = {"source": str(path), "error": error.code, "action": error.action, "exit_code": error.exit_code}
    Report("pack", recording_id or "", listener).say("failed", message=str(error), facts=facts)
    return Packed(path, recording_id, error=error)


def _listed(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    return [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
