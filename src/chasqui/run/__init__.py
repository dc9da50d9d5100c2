"""Who calls the stages. `run_stage` is the only thing a caller needs: two strings in, a record out."""

from __future__ import annotations

import errno
import hashlib
import json

from chasqui.config import Config
from chasqui.errors import DiskFull, NotReady
from chasqui.events import Listener, Report
from chasqui.pipeline import GIVES, PIPELINE, Stage
from chasqui.records import Record
from chasqui.store import Store


def run_stage(
    stage_name: str, recording_id: str, store: Store, config: Config, listener: Listener | None = None
) -> Record:
    """Run one stage for one recording, unless its record is already there under the same key.

    Raises:
        NotReady: a stage that this one needs has not run.
        ChasquiError: whatever the stage has to say.
    """
    stage = PIPELINE[stage_name]
    report = Report(stage_name, recording_id, listener)
    options = config.options(stage_name)
    key = _key(stage, recording_id, store, options)
    if (done := store.get(recording_id, stage_name, stage.gives, key)) is not None:
        report.say("reused")
        return done
    try:
        with store.workspace(recording_id, stage_name) as work:
            # Somebody else may have finished it while we waited for the workspace.
            if (done := store.get(recording_id, stage_name, stage.gives, key)) is not None:
                report.say("reused")
                return done
            report.say("started")
            needs = [store.get(recording_id, need, GIVES[need]) for need in stage.needs]
            record: Record = stage.room.run(*needs, options=options, work=work, report=report)
            store.put(recording_id, stage_name, record, key)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(path=store.url) from error
        raise
    report.say("finished")
    return record


def _key(stage: Stage, recording_id: str, store: Store, options: object) -> str:
    """Hash of the inputs' keys, the stage's version and its options: the same key means the same bytes."""
    inputs = {}
    for need in stage.needs:
        if (key := store.key(recording_id, need)) is None:
            raise NotReady(stage=stage.name, needs=need, recording_id=recording_id)
        inputs[need] = key
    facts = {"stage": stage.name, "version": stage.version, "inputs": inputs, "options": options.model_dump(mode="json")}  # type: ignore[attr-defined]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
