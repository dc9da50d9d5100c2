"""A dataset out of a folder or a bucket: which recordings are to be worked on, and where their rows go.

The work itself is done elsewhere (`chunk.py`, in the processes of `pool.py` or under Ray); here is the one process that
writes. Two passes: what is new in the source is worked on as it is found; then every recording whose row is not what it
should be by now gets one (other settings, another name of the same bytes, a fact that was corrected).
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from chasqui.config import load
from chasqui.errors import BadConfig, ChasquiError, DiskFull, EmptySource, NotWritable
from chasqui.events import Listener, Report
from chasqui.records import Failure, Request
from chasqui.run.away import Away, worth_another_try
from chasqui.run.beside import read_table
from chasqui.run.chunk import Job, Outcome, Task, Wanted
from chasqui.run.order import ASIDE, OUT, Made, Order, cores
from chasqui.run.places import Places, stamp_of
from chasqui.run.sources import Source
from chasqui.store import Store, open_store

#: Refusals that are told one by one at the end; all of them are rows of the dataset.
MOST_TOLD = 100
#: What everything else would only find out as well.
FATAL = (DiskFull, NotWritable, BadConfig)

#: Turns tasks into outcomes, in whatever order they are finished.
Runner = Callable[[Iterator[Task], Job, Listener | None, Wanted], Iterator[Outcome]]


def dataset(
    source: str | Path,
    *,
    out: str | Path = OUT,
    store: str | None = None,
    config: Path | None = None,
    listener: Listener | None = None,
    runner: Runner | None = None,
    stages: Iterable[str] | None = None,
    **settings: Any,
) -> Made:
    """Make a dataset of every recording in a folder or bucket, or bring one up to date.

    It uses several processes: call it below `if __name__ == "__main__":`.

    Args:
        source: a folder, or `s3://bucket/prefix`.
        out: folder for the dataset.
        store: URL of where finished work is kept.
        config: a `chasqui.toml`.
        listener: called with each Event, in this process.
        runner: who does the work; by default processes on this machine, see `chasqui.run.ray.runner` for Ray.
        stages: names; the default is all that a row is made of.
        settings: further fields of `Order` (`format`, `prefix`, `limit`, `workers` …), `lang`, `threads`, and options
            of stages as `stage__option`.

    Raises:
        BadConfig: an option that makes no sense.
        ServiceDown: the bucket does not answer, or stopped answering; what was finished is kept.
        Unreadable, EmptySource: there is nothing to work on.
        BadDataset, NewerDataset: `out` holds something else.
        DiskFull, NotWritable: what was finished is kept; the same call goes on.
    """
    own = {name: settings.pop(name) for name in list(settings) if name in Order.__dataclass_fields__}
    if store is not None:
        settings["store"] = store
    named = None if stages is None else tuple(stages)
    order = Order(str(source), Path(out), load(config, **settings), stages=named, **own)
    return build(order, listener, runner)


def build(order: Order, listener: Listener | None = None, runner: Runner | None = None) -> Made:
    """The same, of an Order."""
    started = time.monotonic()
    job = order.job()
    found = _found(order, job)
    runs: Any = runner or _locally(order)
    with opened(order, job) as rows:
        places = Places(order.out / ASIDE / "places.sqlite", job.url)
        try:
            made = _Build(order, job, rows, places, runs, listener).made(found)
        finally:
            places.close()
            if hasattr(runs, "close"):
                runs.close()
    if not order.skip_summary:
        _summarise(order)
    if not worth_another_try(made.reasons):
        shutil.rmtree(job.fetched, ignore_errors=True)
    return replace(made, wall_s=time.monotonic() - started)


def opened(order: Order, job: Job) -> Any:
    """The dataset that is to be written to, of the kind it has or the kind that was asked for."""
    from chasqui.collect.folder import open_dataset
    from chasqui.collect.index import read_index

    there = read_index(order.out)
    kind: Any = order.format or (there.format if there else "parquet")
    audio: Any = order.audio or (there.audio if there else "beside")
    if kind == "parquet" and there is None:  # before a folder is begun that says so
        from chasqui.collect.parquet import pyarrow

        pyarrow()
    return open_dataset(order.out, kind, audio=audio, settings=job.settings)


def _found(order: Order, job: Job) -> Iterator[Source]:
    """What there is in the source, looked at as it is asked for; at least one, or nothing is written."""
    if order.skip_ingest:
        return iter(())
    walked = islice(job.sources.walk(), order.limit)
    first = next(walked, None)
    if first is None:
        raise EmptySource(path=order.source if not order.prefix else f"{order.source} ({order.prefix}…)")
    return chain([first], walked)


def _locally(order: Order) -> Runner:
    def run(tasks: Iterator[Task], job: Job, listener: Listener | None, wanted: Wanted) -> Iterator[Outcome]:
        from chasqui.run.pool import Pool

        return Pool(job, order.workers or cores(), listener, wanted).outcomes(tasks)

    return run


def _summarise(order: Order) -> None:
    from chasqui.collect.page import write_summary

    write_summary(order.out, order.config.lang)


class _Build:
    """One run over one source. Everything that is written passes through here, in one thread."""

    def __init__(
        self, order: Order, job: Job, rows: Any, places: Places, runner: Runner, listener: Listener | None
    ) -> None:
        self._order, self._job, self._rows, self._places = order, job, rows, places
        self._runner, self._listener = runner, listener
        self._recipe, self._label = job.recipe, job.sources.label
        self._store: Store = open_store(job.store)
        self._in_hand: dict[str, str] = {}  # recording → the place whose turn it is
        self._waiting: list[tuple[Outcome, str]] = []
        self._failed: list[tuple[Outcome, Failure]] = []
        self._stages: Counter[str] = Counter()
        self._away = Away(job.url, order.workers or cores())
        self._report = Report("dataset", "", listener)

    def made(self, found: Iterator[Source]) -> Made:
        """Both passes.

        Raises:
            DiskFull, NotWritable, BadConfig, ServiceDown: what stops everything; finished rows are in the dataset.
        """
        with self._job.sources.table() as table:
            if table is not None:
                self._places.know_facts(read_table(table))
        if self._order.skip_ingest:
            self._adopt()
        try:
            self._run(self._new(found))
            if self._order.limit is None and not self._order.prefix and not self._order.skip_ingest:
                self._places.forget_unseen()
            self._run(self._stale())
        finally:
            self._write()
        return self._told()

    def _run(self, tasks: Iterator[Task]) -> None:
        outcomes: Any = self._runner(tasks, self._job, self._listener, self._is_wanted)
        try:
            for outcome in outcomes:
                self._take(outcome)
        finally:
            outcomes.close()
        self._write()

    def _new(self, found: Iterator[Source]) -> Iterator[Task]:
        """Tasks for what nobody knows yet; what is known is only noted as being there still."""
        for source in found:
            known = self._places.find(source, self._recipe) if self._order.cache else None
            if known is None:
                yield Task(replace(source, facts=self._places.facts(source.name)), (source.name,))
            else:
                self._places.place(source, known.recording_id, known.failure, self._recipe)

    def _stale(self) -> Iterator[Task]:
        """Tasks for every recording whose row is missing, or made of something else than what stands there now."""
        self._places.save()
        there = self._rows.known()
        for stands in self._places.standing():
            stamp = stamp_of(self._recipe, self._label, stands.names, stands.first)
            if not self._places.fresh(stands.recording_id, stamp) or stands.recording_id not in there:
                yield Task(stands.first, stands.names, stands.recording_id)

    def _is_wanted(self, recording_id: str, place: str) -> bool:
        """Nobody has these bytes in hand, and nobody had in this run. Asked by workers, answered here."""
        if self._in_hand.get(recording_id) == place:  # the second attempt, after a worker died
            return True
        if recording_id in self._in_hand or self._places.met(recording_id):
            return False
        self._in_hand[recording_id] = place
        return True

    def _take(self, outcome: Outcome) -> None:
        source = outcome.task.source
        if self._in_hand.get(outcome.recording_id or "") == source.name:
            del self._in_hand[outcome.recording_id or ""]
        self._stages.update(outcome.seconds)
        if outcome.failure is not None:
            error = outcome.failure.as_error()
            if isinstance(error, FATAL):
                raise error
            self._take_failure(outcome, outcome.failure, error)
        else:
            self._places.place(source, outcome.recording_id)
            if outcome.row is not None:
                stamp = stamp_of(self._recipe, self._label, outcome.task.names, source)
                self._rows.add(outcome.row, self._store)
                self._waiting.append((outcome, stamp))
        self._away.note(outcome)
        if len(self._waiting) + len(self._failed) >= self._order.batch:
            self._write()

    def _take_failure(self, outcome: Outcome, failure: Failure, error: ChasquiError) -> None:
        """A row for each place: two places with the same broken bytes are two things to mend."""
        source = outcome.task.source
        for name in outcome.task.names:
            known = {"source": self._label, "etag": source.etag, "source_bytes": source.bytes}
            self._rows.fail(name, error, stage=outcome.failed_stage or "", **known)
        self._failed.append((outcome, failure))

    def _write(self) -> None:
        """Rows first; only what lies in the dataset is remembered as done."""
        self._rows.flush()
        for outcome, stamp in self._waiting:
            self._places.row_made(outcome, stamp)
        for outcome, failure in self._failed:
            if outcome.task.recording_id is None:
                self._places.place(outcome.task.source, None, failure, self._recipe)
            else:
                self._places.failed(outcome.task.recording_id, failure, self._recipe)
        self._waiting.clear()
        self._failed.clear()
        self._places.save()

    def _adopt(self) -> None:
        """What the store has of this source, whoever put it there."""
        self._places.see_all()
        root = self._job.url.rstrip("/") + "/"
        for recording_id in self._store.recordings():
            request = self._store.get(recording_id, "request", Request)
            if request is None or not request.path.startswith(root) or self._places.met(recording_id):
                continue
            if self._store.key(recording_id, "ingest") is None:  # handed in, and refused
                continue
            name = request.path.removeprefix(root)
            if name.startswith(self._order.prefix):
                self._places.place(Source(name, request.path, request.bytes, mark=""), recording_id)

    def _told(self) -> Made:
        totals, reasons = self._places.totals(), self._places.reasons()
        unmet = 0 if self._order.limit or self._order.prefix else self._places.unmet_facts()
        if unmet:
            self._report.warned(f"{unmet} lines of the table beside the recordings name none that is there")
        return Made(
            folder=self._order.out,
            recordings=totals.recordings,
            new=totals.new,
            refused=sum(reasons.values()),
            reasons=reasons,
            failures=tuple(self._places.seen_failures(MOST_TOLD)),
            duration_s=totals.duration_s,
            text_tokens=totals.text_tokens,
            audio_tokens=totals.audio_tokens,
            worked_s=totals.seconds,
            wall_s=0.0,
            stage_s=dict(self._stages),
            unmet_facts=unmet,
        )
