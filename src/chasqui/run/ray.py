"""The recordings of a dataset on Ray: actors that call the same `run_chunk` as the processes of this machine do.

Three things that Ray Data does not say. Where the actors take every CPU, what feeds them never runs and nothing is
reported: so each asks for less than one, and the tasks lie in memory, read by nobody. Tasks come lazily here, and Ray
wants all of them: so they go in windows. And an actor that dies is begun again for ever: so it may twice, and what Ray
gives up is worked on here, in processes of which each can only lose its own recording.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from itertools import islice
from typing import Any

from chasqui.errors import BadConfig
from chasqui.events import Event, Listener
from chasqui.run.chunk import Job, Outcome, Task, Wanted, run_chunk
from chasqui.run.order import cores

#: Tasks that are handed over at once, per actor: enough to keep all busy to near the end, few enough to hold.
WINDOW = 64
#: CPUs that an actor asks for. Below one, so that there is always something left to feed it.
ACTOR_CPUS = 0.5
#: Of Ray's shared memory: what travels are paths and rows' names.
OBJECTS_BYTES = 200 << 20


def runner(workers: int = 0, batch: int = 1) -> OnRay:
    """What `chasqui.dataset(…, runner=…)` takes.

    Args:
        workers: actors; 0: as many as the cluster has CPUs.
        batch: recordings that an actor gets at once. More than one only pays where they are shorter than a second.

    Raises:
        BadConfig: Ray is not installed.
    """
    if find_spec("ray") is None:
        raise BadConfig(why='Ray is not installed: pip install "chasqui[ray]"')
    return OnRay(workers, batch)


class OnRay:
    """Tasks to outcomes on the cluster that this process is connected to, or on one of this machine, begun for it."""

    def __init__(self, workers: int, batch: int) -> None:
        self._workers, self._batch = workers, batch
        self._ours = False
        self._desk: Any = None

    def __call__(self, tasks: Iterator[Task], job: Job, listener: Listener | None, wanted: Wanted) -> Iterator[Outcome]:
        first = next(tasks, None)
        if first is None:  # nothing to do: not worth the seconds that Ray takes to start
            return
        most = self._begin()
        small = replace(job, config=job.config.model_copy(update={"threads": job.config.threads or 1}))
        waiting = [first, *islice(tasks, most * WINDOW - 1)]
        while waiting:
            yield from _window(waiting, small, min(most, len(waiting)), self._batch, self._desk, listener)
            waiting = list(islice(tasks, most * WINDOW))

    def _begin(self) -> int:
        """Actors that there may be, on a cluster that runs."""
        import ray

        if not ray.is_initialized() and os.environ.get("RAY_ADDRESS"):  # somebody's cluster, with settings of its own
            self._ours = True
            ray.init(log_to_driver=False)
        elif not ray.is_initialized():
            self._ours = True
            ray.init(
                num_cpus=self._workers or cores(),
                include_dashboard=False,
                log_to_driver=False,
                object_store_memory=OBJECTS_BYTES,
            )
        if self._desk is None:
            self._desk = ray.remote(num_cpus=0)(Desk).remote()
        resources: Any = ray.cluster_resources  # untyped there
        return self._workers or max(int(resources().get("CPU", 1)), 1)

    def close(self) -> None:
        """End the cluster, if it was begun for this; leave it, if it is somebody's."""
        if self._ours:
            import ray

            ray.shutdown()
            self._ours, self._desk = False, None


def _window(
    tasks: list[Task], job: Job, actors: int, batch: int, desk: Any, listener: Listener | None
) -> Iterator[Outcome]:
    import ray

    left = {task.source.name: task for task in tasks}
    try:
        for outcome in _on_actors(tasks, job, actors, batch, desk):
            del left[outcome.task.source.name]
            _tell(outcome, listener)
            yield outcome
    except ray.exceptions.RayError:
        from chasqui.run.pool import Pool

        yield from Pool(job, actors, listener).outcomes(iter(list(left.values())))


def _on_actors(tasks: list[Task], job: Job, actors: int, batch: int, desk: Any) -> Iterator[Outcome]:
    import ray.data

    ray.data.DataContext.get_current().enable_progress_bars = False
    items = [{"task": pickle.dumps(task)} for task in tasks]
    rows = ray.data.from_items(items, override_num_blocks=min(len(items), actors * 8)).map_batches(
        Actor,
        fn_constructor_args=(job, desk),
        batch_size=batch,
        compute=ray.data.ActorPoolStrategy(size=actors),
        num_cpus=ACTOR_CPUS,
        ray_remote_args_fn=_patience,
    )
    for row in rows.iter_rows():
        yield pickle.loads(row["outcome"])  # our own, by our own actor


def _patience() -> dict[str, Any]:
    return {"max_restarts": 2, "max_task_retries": 1}


def _tell(outcome: Outcome, listener: Listener | None) -> None:
    """Actors are far away: what they did is told when it is done."""
    if listener is None:
        return
    name, failure = outcome.task.source.name, outcome.failure
    facts: dict[str, Any] = {"name": name, "seconds": round(sum(outcome.seconds.values()), 3)}
    if failure is not None:
        facts |= failure.model_dump()
    message = str(failure.as_error()) if failure else None
    kind: Any = "failed" if failure else "finished"
    listener(Event(kind, "dataset", outcome.recording_id or "", message=message, facts=facts))


class Actor:
    """Lives as long as the window: what it has opened and loaded serves all its recordings."""

    def __init__(self, job: Job, desk: Any) -> None:
        self._job, self._desk = job, desk

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        """Columns of pickles: `task` in, `outcome` out."""
        tasks = [pickle.loads(task) for task in batch["task"]]  # our own, by `_on_actors`
        return {"outcome": [pickle.dumps(outcome) for outcome in run_chunk(tasks, self._job, wanted=self._wanted)]}

    def _wanted(self, recording_id: str, place: str) -> bool:
        import ray

        return bool(ray.get(self._desk.wanted.remote(recording_id, place)))


class Desk:
    """Where actors ask whether somebody has the same bytes in hand, as the pool's processes ask their parent."""

    def __init__(self) -> None:
        self._places: dict[str, str] = {}

    def wanted(self, recording_id: str, place: str) -> bool:
        """The first place that has these bytes gets them, also at a second attempt."""
        return self._places.setdefault(recording_id, place) == place
