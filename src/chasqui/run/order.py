"""What somebody wants of a dataset, checked before anything is begun, and what a run made of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from chasqui.config import Config
from chasqui.errors import SOME_REFUSED, BadConfig
from chasqui.pipeline import PIPELINE, stages_for
from chasqui.records import Failure
from chasqui.run.chunk import Job

#: The stages of a dataset when nobody says, beside `diarize` where speakers are asked for; the row comes last.
STAGES = ("ingest", "clean", "analyze", "transcribe", "tokenize", "collect")
#: Rows between two writes: few enough to wait for none for long, many enough that writing them costs nothing.
BATCH = 64
#: Where a dataset goes when nobody says.
OUT = "dataset"
#: Scratch of a dataset, beside what its writer keeps there.
ASIDE = ".work"


@dataclass(frozen=True)
class Made:
    """What a dataset holds of a source after a run, and what the run did."""

    folder: Path
    recordings: int
    new: int  # of them worked on in this run
    refused: int
    reasons: dict[str, int]  # error → how often, most first
    failures: tuple[tuple[str, Failure], ...]  # the first of them: place, why
    duration_s: float
    text_tokens: int
    audio_tokens: int
    worked_s: float  # time that all the rows took, in all processes together, whenever that was
    wall_s: float  # of this run
    stage_s: dict[str, float] = field(default_factory=dict)  # of this run, by stage
    unmet_facts: int = 0  # lines of the table beside the recordings that name none that is there

    @property
    def exit_code(self) -> int:
        """As `pack` has it: 0, 3 where some were refused, and where all were, the code of the first."""
        if not self.refused:
            return 0
        return SOME_REFUSED if self.recordings else self.failures[0][1].as_error().exit_code


@dataclass(frozen=True)
class Order:
    """What somebody wants of a dataset."""

    source: str
    out: Path
    config: Config
    format: str | None = None  # None: as it is, parquet for a new one
    audio: str | None = None
    prefix: str = ""
    batch: int = BATCH
    workers: int = 0  # 0: as many as there are cores
    limit: int | None = None
    skip_ingest: bool = False
    skip_summary: bool = False
    cache: bool = True
    stages: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name, value in (("limit", self.limit), ("batch size", self.batch)):
            if value is not None and value < 1:
                raise BadConfig(why=f"a {name} of {value} leaves nothing to do; leave it away for all")
        if self.workers < 0:
            raise BadConfig(why=f"{self.workers} workers cannot be; leave it away for as many as there are cores")
        if self.config.store == "memory:":
            raise BadConfig(why="a dataset is made by several processes, which cannot share a store in memory")

    def job(self) -> Job:
        """The part of it that workers need.

        Raises:
            BadConfig: a stage or an option that does not exist.
        """
        store = self.config.store
        if "://" not in store:  # processes elsewhere have another current folder
            store = "file:" + str(Path(store.removeprefix("file:")).expanduser().absolute())
        url = self.source if "://" in self.source else str(Path(self.source).expanduser().absolute())
        job = Job(
            url=url,
            store=store,
            config=self.config,
            stages=chosen(self.stages, self.config),
            fetched=str((self.out / ASIDE / "fetched").absolute()),
            prefix=self.prefix,
            leave_out=(str(self.out.absolute()), store.removeprefix("file:")),
        )
        job.recipe  # noqa: B018 - asks every stage for its options, before an hour's work
        return job


def chosen(stages: Iterable[str] | None, config: Config) -> tuple[str, ...]:
    """The stages in their order, with those that they need, and the row at the end; `diarize` where it is asked for.

    Somebody who names stages gets these, and speakers only where they were asked for by name too: that a recogniser
    was named is reason enough only where nobody says which stages.

    Raises:
        BadConfig: no stage of that name, or an option that makes no sense.
    """
    wanted = {"collect", *(STAGES if stages is None else stages)}
    if config.options("diarize").speakers != "none" and (
        stages is None or "speakers" in config.stages.get("diarize", {})
    ):
        wanted.add("diarize")
    for name in wanted - PIPELINE.keys():
        raise BadConfig(why=f"there is no stage {name!r}; known: {', '.join(PIPELINE)}")
    needed = {stage.name for name in wanted for stage in stages_for(name)}
    return tuple(name for name in PIPELINE if name in needed)


def cores() -> int:
    """Those that we may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
