"""The order of the stages, once. Every runner derives its graph from this table."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

from chasqui.records import (
    Analysis,
    Certificate,
    Given,
    Lesson,
    Master,
    Plan,
    Provenance,
    Record,
    Recording,
    Renditions,
    Request,
    Row,
    Tokens,
    Transcript,
    Turns,
)


class Stage(NamedTuple):
    """A stage is the room of its name: `Options` and `run(*needs, *wants, options, work, report)` in its `__init__`."""

    name: str
    needs: tuple[str, ...]
    gives: type[Record]
    version: int  # raise it when the same inputs and options would give other bytes
    wants: tuple[str, ...] = ()  # taken where they are there and up to date, after the needs; else None in their place

    @property
    def room(self) -> Any:
        """The stage's module, imported when it is first needed."""
        return import_module(f"chasqui.{self.name}")


STAGES: tuple[Stage, ...] = (
    Stage("ingest", ("request",), Recording, 2),
    Stage("clean", ("ingest",), Master, 2),
    Stage("analyze", ("clean",), Analysis, 3),
    Stage("transcribe", ("clean", "analyze"), Transcript, 2, ("captions",)),
    Stage("tokenize", ("clean", "analyze"), Tokens, 1, ("transcribe", "provenance")),
    Stage("diarize", ("clean", "analyze"), Turns, 1),
    Stage("choose", ("clean", "analyze"), Plan, 2),
    Stage("encode", ("request", "ingest", "clean", "analyze", "choose"), Renditions, 4, ("transcribe",)),
    Stage("verify", ("clean", "analyze", "choose", "encode"), Certificate, 3),
    Stage(
        "publish",
        ("request", "ingest", "clean", "analyze", "transcribe", "choose", "encode", "verify", "diarize"),
        Lesson,
        3,
    ),
    Stage(
        "collect",
        ("request", "ingest"),
        Row,
        2,
        ("provenance", "clean", "analyze", "transcribe", "tokenize", "diarize", "verify"),
    ),
)

PIPELINE: dict[str, Stage] = {stage.name: stage for stage in STAGES}

#: Record type by name, also for what is not made by a stage.
GIVES: dict[str, type[Record]] = {
    "request": Request,
    "captions": Given,
    "provenance": Provenance,
    **{stage.name: stage.gives for stage in STAGES},
}


def stages_for(name: str) -> tuple[Stage, ...]:
    """The stages that have to run for one to be done, itself the last, in their order. Wants are not among them."""
    wanted, order = {name}, []
    for stage in reversed(STAGES):
        if stage.name in wanted:
            wanted.update(stage.needs)
            order.append(stage)
    return tuple(reversed(order))
