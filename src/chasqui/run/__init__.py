"""Who calls the stages. `run_stage` is the only thing a caller needs: two strings in, a record out."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Sequence

from pydantic import BaseModel

from chasqui.config import Config
from chasqui.errors import ChasquiError, DiskFull, NotReady
from chasqui.events import Listener, Report
from chasqui.media.memory import give_back
from chasqui.pipeline import GIVES, PIPELINE, Stage
from chasqui.records import Record
from chasqui.store import Store


def run_stage(
    stage_name: str, recording_id: str, store: Store, config: Config, listener: Listener | None = None
) -> Record:
    """Run one stage for one recording, unless its record is already there under the same key.

    Two processes may call this for the same recording at once: one works, the other waits and finds the record.

    Raises:
        NotReady: a stage that this one needs has not run.
        ChasquiError: whatever the stage has to say; it is reported as a `failed` event too.
    """
    stage = PIPELINE[stage_name]
    report = Report(stage_name, recording_id, listener)
    try:
        options = config.options(stage_name)
        key = key_of(stage, _inputs(stage, recording_id, store, config), options)
        record = store.get(recording_id, stage_name, stage.gives, key)
        if record is not None and record.settled:
            store.tidy(recording_id, stage_name)
            return _reused(record, report)
        return _work(stage, recording_id, store, config, report)
    except ChasquiError as error:
        report.say("failed", message=str(error), facts={"error": error.code, "action": error.action})
        raise


def key_of(stage: Stage, inputs: Sequence[Record | None], options: BaseModel) -> str:
    """Hash of the inputs, the stage's version and its options: the same key means the same bytes.

    The inputs are hashed as they stand, not by the keys of their making: where a stage is repeated and comes out the
    same, nothing behind it is repeated.
    """
    facts = {
        "stage": stage.name,
        "version": stage.version,
        "inputs": [need and need.model_dump(mode="json", exclude=set(need.unkeyed)) for need in inputs],
        "options": options.model_dump(mode="json"),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def _work(stage: Stage, recording_id: str, store: Store, config: Config, report: Report) -> Record:
    options = config.options(stage.name)
    try:
        with store.workspace(recording_id, stage.name) as work:
            # Both may have changed while we waited: the inputs, and somebody else may have done the work.
            inputs = _inputs(stage, recording_id, store, config)
            key = key_of(stage, inputs, options)
            if (done := store.get(recording_id, stage.name, stage.gives, key)) is not None and done.settled:
                return _reused(done, report)
            report.say("started")
            record: Record = stage.room.run(*inputs, options=options, work=work, report=report)
            give_back()
            store.put(recording_id, stage.name, record, key)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(path=store.url) from error
        raise
    report.say("finished")
    return record


def _inputs(stage: Stage, recording_id: str, store: Store, config: Config) -> list[Record | None]:
    """What the stage needs, then what it wants."""
    inputs: list[Record | None] = []
    for need in stage.needs:
        if (record := store.get(recording_id, need, GIVES[need])) is None:
            raise NotReady(stage=stage.name, needs=need, recording_id=recording_id)
        inputs.append(record)
    return inputs + [current(want, recording_id, store, config) for want in stage.wants]


def current(name: str, recording_id: str, store: Store, config: Config) -> Record | None:
    """The record if it is what these settings would make now, None if it is absent or of other settings or inputs."""
    stage = PIPELINE.get(name)
    if stage is None:  # handed in, not made
        return store.get(recording_id, name, GIVES[name])
    if any(need in PIPELINE and current(need, recording_id, store, config) is None for need in stage.needs):
        return None
    try:
        key = key_of(stage, _inputs(stage, recording_id, store, config), config.options(name))
    except NotReady:
        return None
    return store.get(recording_id, name, stage.gives, key)


def _reused(record: Record, report: Report) -> Record:
    report.say("reused")
    return record
