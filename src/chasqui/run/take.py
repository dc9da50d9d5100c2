"""Single places of a dataset's source, single rows of a dataset: for runners that keep a log and a state per file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from chasqui.errors import Unreadable
from chasqui.events import Listener
from chasqui.pipeline import PIPELINE, stages_for
from chasqui.records import Row
from chasqui.run.beside import read_table
from chasqui.run.chunk import Job, Outcome, Task, run_chunk
from chasqui.run.local import run_stages
from chasqui.run.order import Order
from chasqui.run.sources import Source
from chasqui.store import open_store


def places(order: Order) -> Iterator[Source]:
    """What a run would look at, in that order, up to the order's limit.

    Raises:
        Unreadable: the source is no folder, or nobody lets us in.
    """
    for number, source in enumerate(order.job().sources.walk()):
        if order.limit is not None and number >= order.limit:
            return
        yield source


def take(order: Order, place: str, stages: Iterable[str], listener: Listener | None = None) -> Outcome:
    """Take one place of the source in, and run these stages (and those that they need) on it; no row is made.

    Raises:
        Unreadable: there is no such place.
        ChasquiError: whatever refused it.
    """
    needed = {stage.name for name in stages for stage in stages_for(name)}
    job = replace(order, prefix=place).job()
    job = replace(job, stages=tuple(name for name in PIPELINE if name in needed))
    found = next((source for source in job.sources.walk() if source.name == place), None)
    if found is None:
        raise Unreadable(name=place, why="it is not in the source")
    (outcome,) = run_chunk([Task(replace(found, facts=_facts(job, place)), (place,))], job, listener)
    if outcome.failure is not None:
        raise outcome.failure.as_error()
    return outcome


def _facts(job: Job, place: str) -> dict[str, str]:
    with job.sources.table() as table:
        told = read_table(table) if table is not None else iter(())
        return next((facts for name, facts in told if name == place), {})


def add(order: Order, recording_ids: Iterable[str], listener: Listener | None = None) -> int:
    """Make rows of recordings that the store has, and put them into the dataset; how many.

    Raises:
        NotReady: one was not ingested.
        BadDataset, DiskFull, NotWritable: see `collect.folder.open_dataset`.
    """
    from chasqui.run.dataset import opened

    job, count = order.job(), 0
    store: Any = open_store(job.store)
    with opened(order, job) as rows:
        for recording_id in recording_ids:
            row = run_stages(["collect"], recording_id, store, order.config, listener)[0]
            assert isinstance(row, Row)  # noqa: S101 - what collect gives
            rows.add(row, store)
            count += 1
    return count
