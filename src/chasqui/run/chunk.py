"""The work on some recordings of a dataset, in whatever process it happens: the pool's, Ray's, or this one.

What goes in and comes out is small and can be pickled; sound and rows stay in the store.
"""

from __future__ import annotations

import hashlib
import os
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

from chasqui.config import Config
from chasqui.errors import ChasquiError, Defect
from chasqui.events import Listener, Report
from chasqui.pipeline import PIPELINE
from chasqui.records import Failure, Provenance, Record, Recording, Request, Row, Tokens
from chasqui.run import current, run_stage
from chasqui.run.sources import META, Source, Sources, open_sources
from chasqui.store import Store, open_store

#: Asked once the bytes are known: is this recording to be worked on, or does somebody have it in hand already?
Wanted = Callable[[str, str], bool]  # recording id, place


@dataclass(frozen=True)
class Job:
    """What is the same for all recordings of a run."""

    url: str
    store: str
    config: Config
    stages: tuple[str, ...]  # the last gives the row
    fetched: str = ""  # folder for what a bucket's objects are fetched to
    prefix: str = ""
    leave_out: tuple[str, ...] = ()

    @property
    def recipe(self) -> str:
        """Stages with their versions and options: what makes a row another one without any change in the source."""
        facts = [
            f"{name} {PIPELINE[name].version} {self.config.options(name).model_dump_json()}" for name in self.stages
        ]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]

    @property
    def settings(self) -> dict[str, Any]:
        """Stage → its version and options, as every row tells them."""
        return {
            name: {"version": PIPELINE[name].version, "options": self.config.options(name).model_dump(mode="json")}
            for name in self.stages
        }

    @property
    def sources(self) -> Sources:
        return open_sources(self.url, self.fetched, self.prefix, self.leave_out)


@dataclass(frozen=True)
class Task:
    """One recording: where its bytes are, and every place that has them, as far as that is known."""

    source: Source
    names: tuple[str, ...]
    recording_id: str | None = None  # None: nobody looked at the bytes yet


@dataclass(frozen=True)
class Outcome:
    """What became of one task: a row, a failure, or neither where somebody else has these bytes in hand."""

    task: Task
    recording_id: str | None = None
    row: Row | None = None
    failure: Failure | None = None
    failed_stage: str | None = None
    settled: bool = True  # False: made in spite of a failure, and worth another try in the next run
    duration_s: float = 0.0
    text_tokens: int = 0
    audio_tokens: int = 0
    seconds: dict[str, float] = field(default_factory=dict)  # by stage: time that it took


class Brought(NamedTuple):
    """What came from the source for a recording: the text beside it, and where its bytes were looked at, those."""

    text: str | None
    request: Request | None = None
    written: Mapping[str, str] = MappingProxyType({})  # on the object itself
    proof: str | None = None  # by what the bytes are known to be the object's


def run_chunk(
    tasks: Iterable[Task], job: Job, listener: Listener | None = None, wanted: Wanted | None = None
) -> list[Outcome]:
    """An Outcome for each task, in order. No recording stops the others; nothing is raised."""
    store = open_store(job.store)
    return [_outcome(task, job, store, listener, wanted) for task in tasks]


def _outcome(task: Task, job: Job, store: Store, listener: Listener | None, wanted: Wanted | None) -> Outcome:
    watch = _Watch(listener)
    report = Report("dataset", task.recording_id or "", watch)
    report.say("started", facts={"name": task.source.name, "bytes": task.source.bytes})
    started = time.monotonic()
    try:
        outcome = _worked(task, job, store, watch, wanted)
        report.say("finished", facts={"name": task.source.name, "seconds": round(time.monotonic() - started, 3)})
        return outcome
    except ChasquiError as error:
        return _failed(task, error, watch, report)
    except Exception as error:  # noqa: BLE001 - a defect met in one recording must not cost the others
        if os.environ.get("CHASQUI_DEBUG"):
            traceback.print_exc()
        defect = Defect(name=task.source.name, what=f"{type(error).__name__}: {error}")
        return _failed(task, defect, watch, report)


def _failed(task: Task, error: ChasquiError, watch: _Watch, report: Report) -> Outcome:
    failure = as_failure(error)
    report.say("failed", message=str(error), facts={"name": task.source.name, **failure.model_dump()})
    recording_id = watch.recording_id or task.recording_id
    return Outcome(task, recording_id, failure=failure, failed_stage=watch.stage, seconds=watch.seconds)


def as_failure(error: ChasquiError) -> Failure:
    """The error as it travels: by name, with those facts that are plain values."""
    plain = {key: value for key, value in error.evidence.items() if isinstance(value, str | int | float)}
    return Failure(error=error.code, evidence=plain)


def _worked(task: Task, job: Job, store: Store, watch: _Watch, wanted: Wanted | None) -> Outcome:
    if task.source.error is not None:
        from chasqui.errors import Unreadable

        raise Unreadable(name=task.source.name, why=task.source.error)
    sources = job.sources
    text = sources.text(task.source)
    recording_id = task.recording_id
    if recording_id is not None and current("ingest", recording_id, store, job.config) is not None:
        return _staged(task, recording_id, Brought(text), job, store, watch)
    with sources.local(task.source) as fetched:
        request = _request(fetched.path, task.source, sources.address(task.source))
        watch.recording_id = request.recording_id
        if wanted is not None and recording_id is None and not wanted(request.recording_id, task.source.name):
            return Outcome(task, request.recording_id)
        return _staged(
            task, request.recording_id, Brought(text, request, fetched.written, fetched.proof), job, store, watch
        )


def _request(path: Path, source: Source, address: str) -> Request:
    from chasqui.ingest.tags import one_line
    from chasqui.ingest.upload import request_for

    place = PurePosixPath(source.name)
    folder = "" if str(place.parent) == "." else str(place.parent)
    return request_for(path, folder).model_copy(update={"name": one_line(place.name), "url": address})


def _staged(task: Task, recording_id: str, brought: Brought, job: Job, store: Store, watch: _Watch) -> Outcome:
    """Every stage, while nobody else works on this recording; settings that differ cannot come between them."""
    watch.recording_id = recording_id
    records: dict[str, Record] = {}
    with store.workspace(recording_id, "pack"):
        request, known = brought.request, store.get(recording_id, "request", Request)
        if request is not None and (known is None or known.path != request.path):
            # The first name that these bytes came under stays: another one is no reason to read them again.
            kept = request.model_copy(update={"name": known.name}) if known else request
            store.put(recording_id, "request", kept, key=request.sha256[:32])
        _say_where(task, recording_id, brought, job, store)
        for name in job.stages:
            records[name] = run_stage(name, recording_id, store, job.config, watch)
    return _told(Outcome(task, recording_id, seconds=watch.seconds), records)


def _say_where(task: Task, recording_id: str, brought: Brought, job: Job, store: Store) -> None:
    source, known = task.source, store.get(recording_id, "provenance", Provenance)
    written, proof = dict(brought.written), brought.proof
    if brought.request is None and known is not None:  # nobody looked at the object now; it is the same one
        written = {name: value for name, value in known.facts.items() if name.startswith(META)}
        proof = known.proof
    provenance = Provenance(
        recording_id=recording_id,
        source=job.sources.label,
        names=task.names,
        etag=source.etag,
        proof=proof,
        text=brought.text or source.facts.get("text"),
        facts={**written, **{name: value for name, value in source.facts.items() if name != "text"}},
    )
    if known != provenance:
        key = hashlib.sha256(provenance.model_dump_json().encode()).hexdigest()[:32]
        store.put(recording_id, "provenance", provenance, key=key)


def _told(outcome: Outcome, records: dict[str, Record]) -> Outcome:
    row = next((record for record in records.values() if isinstance(record, Row)), None)
    recording = next((record for record in records.values() if isinstance(record, Recording)), None)
    tokens = next((record for record in records.values() if isinstance(record, Tokens)), None)
    return replace(
        outcome,
        row=row,
        settled=all(record.settled for record in records.values()),
        duration_s=recording.duration_s if recording else 0.0,
        text_tokens=tokens.token_count if tokens else 0,
        audio_tokens=sum(kind.count for kind in tokens.audio) if tokens else 0,
    )


class _Watch:
    """Passes events on, and notes which stage is at work and how long each took."""

    def __init__(self, listener: Listener | None) -> None:
        self._listener = listener
        self._started = 0.0
        self.stage: str | None = None
        self.recording_id: str | None = None
        self.seconds: dict[str, float] = {}

    def __call__(self, event: Any) -> None:
        if event.stage in PIPELINE:
            if event.kind == "started":
                self.stage, self._started = event.stage, time.monotonic()
            elif event.kind in ("finished", "failed") and self.stage == event.stage:
                self.seconds[event.stage] = time.monotonic() - self._started
            if event.kind == "failed":
                self.stage = event.stage
        if self._listener is not None:
            self._listener(event)
