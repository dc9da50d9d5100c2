"""choose: the cheapest rung for each segment that keeps the promise, and why.

Decides rungs. It encodes and scores short trials itself, through the leaves; the `encode` room spends the bits.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from chasqui.events import Report
from chasqui.records import Analysis, Master, Plan, TargetName
from chasqui.store import Workspace


class Options(BaseModel):
    """What may be asked of a plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # None: `understood`, the smallest file; with a budget: the best promise it can keep.
    target: TargetName | None = None
    budget_bytes: int | None = Field(default=None, ge=1)  # for voice.opus, container included
    # Encodes per segment and target; two are usual, four end all but oddities.
    trials: int = Field(default=4, ge=1, le=12)
    threads: int = Field(default=0, exclude=True)


def run(master: Master, analysis: Analysis, *, options: Options, work: Workspace, report: Report) -> Plan:
    """The Plan for this master.

    Raises:
        BadConfig: the budget is smaller than the cheapest possible encode.
    """
    from chasqui.choose import plan

    return plan.make(master, analysis, options=options, work=work, report=report)
