"""choose: the cheapest rung for each segment that keeps the promise, and why.

Decides rungs: by the shipped models, in milliseconds, or by search, which encodes and scores short trials itself,
through the leaves. The `encode` room spends the bits, measures, and corrects what was predicted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

from chasqui.events import Report
from chasqui.records import Analysis, Master, Plan, TargetName
from chasqui.store import Workspace


class Options(BaseModel):
    """What may be asked of a plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # None: `understood`, the smallest file; with a budget: the best promise it can keep.
    target: TargetName | None = None
    budget_bytes: int | None = Field(default=None, ge=1)  # for voice.opus, container included
    # "search" tries every rung it needs instead of asking the models: the yardstick they are measured by, five times
    # slower.
    method: Literal["predict", "search"] = "predict"
    # A folder of one's own models (speech/, music/). What they say counts, not where they lie: see `models_in_use`.
    models: Path | None = Field(default=None, exclude=True)
    # Of a search: encodes per segment and target; two are usual, four end all but oddities.
    trials: int = Field(default=4, ge=1, le=12)
    threads: int = Field(default=0, exclude=True)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def models_in_use(self) -> tuple[str, ...]:
        """Name, version and hash of the models that will be asked; a part of the stage's key.

        Raises:
            BadModel: one of them is missing, damaged, or made for something else.
        """
        if self.method == "search":
            return ()
        from chasqui.choose.prediction import cards

        return tuple(card.title for card in cards(self.models).values())


def run(master: Master, analysis: Analysis, *, options: Options, work: Workspace, report: Report) -> Plan:
    """The Plan for this master.

    Raises:
        BadConfig: the budget is smaller than the cheapest possible encode.
        BadModel: a model is missing, damaged, or made for something else.
    """
    from chasqui.choose import plan

    return plan.make(master, analysis, options=options, work=work, report=report)
