"""The folder of a dataset: takes rows in, once each, and is valid at every moment.

    dataset.json                 what it is (index.py)
    data/part-00000.parquet …    the rows (or .jsonl); data.sqlite where that was asked for
    audio/<id>.flac              the sound, unless it lies in the table
    README.md, croissant.json    for others (card.py, croissant.py)
    .work/                       where everything is written before it takes its place

A row is identified by its recording. One that is there already with the same hash is left alone; another one replaces
it, in its shard. A row also takes the place of whatever row named the same path before: a failure that has succeeded, a
file with new content.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from chasqui.collect import migrate
from chasqui.collect.dataset import Dataset, settings_key
from chasqui.collect.index import NAME, Audio, Index, read_index, write_index
from chasqui.collect.schema import SCHEMA_VERSION
from chasqui.collect.shards import ASIDE, Format
from chasqui.errors import BadDataset, NewerDataset, StoreBusy
from chasqui.store.guard import disk

#: How long to wait for another process that writes to the same dataset: not at all, it may go on for days.
WAIT_S = 0.0


def open_dataset(
    folder: Path,
    format: Format = "parquet",
    *,
    audio: Audio = "beside",
    settings: Mapping[str, Any] | None = None,
    title: str = "",
) -> Dataset:
    """The dataset in a folder, made if it is not there, brought to this schema if it is older. Close it, or use `with`.

    Args:
        settings: stage → its version and options, as they will be told of every row.

    Raises:
        BadDataset: the folder holds something else, or a dataset of another format.
        NewerDataset: it was written by a newer Chasqui.
        BadConfig: the format's package is not installed, or it cannot hold sound inside.
        StoreBusy: another process is writing to it.
        DiskFull, NotWritable: the disk says so.
    """
    index = read_index(folder)
    _fits(folder, index, format, audio)
    with disk(folder):
        (folder / ASIDE).mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ASIDE / "lock")
        try:
            lock.acquire(timeout=WAIT_S)
        except Timeout as error:
            raise StoreBusy(what=str(folder), limit_s=WAIT_S) from error
        try:
            return Dataset(folder, _fresh(folder, format, audio, title, settings or {}), lock, dict(settings or {}))
        except BaseException:
            lock.release()
            raise


def _fits(folder: Path, index: Index | None, format: Format, audio: Audio) -> None:
    if index is None:
        if folder.exists() and (not folder.is_dir() or any(path.name != ASIDE for path in folder.iterdir())):
            raise BadDataset(path=str(folder), why="it holds something else; give a folder that is new or empty")
        return
    if index.schema_version > SCHEMA_VERSION:
        raise NewerDataset(path=str(folder), found=index.schema_version, known=SCHEMA_VERSION)
    if index.format != format:
        raise BadDataset(path=str(folder), why=f"its rows are {index.format}, not {format}; give another folder")
    if index.audio != audio:
        raise BadDataset(path=str(folder), why=f"its sound lies {index.audio}, not {audio}; give another folder")


def _fresh(folder: Path, format: Format, audio: Audio, title: str, settings: Mapping[str, Any]) -> Index:
    """The index as it stands now that rows may come: swept, migrated, open."""
    for left in (folder / ASIDE).glob("*.part"):
        left.unlink(missing_ok=True)
    migrate.finish(folder)
    index = read_index(folder) or Index(format=format, audio=audio)
    if index.schema_version < SCHEMA_VERSION:
        index = migrate.migrate(folder, index)
    known = {**index.settings, **({settings_key(settings): dict(settings)} if settings else {})}
    changed = index.model_copy(update={"settings": known, "title": title or index.title})
    if changed != index or not (folder / NAME).exists():
        write_index(folder, changed)
    return changed
