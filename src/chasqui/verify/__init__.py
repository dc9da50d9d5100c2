"""verify: may this be published, and with which promise? Decodes the published bytes to the end and measures again.

A gate: what misses its promise without saying so is refused here, never published.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from chasqui.asr import Listening
from chasqui.events import Report
from chasqui.records import Analysis, Certificate, Master, Plan, Renditions
from chasqui.store import Workspace


class Options(BaseModel):
    """How closely to look."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Of the segments that the choice was sure of; the unsure ones always.
    sample_share: float = Field(default=0.2, ge=0, le=1)
    listening: Listening = Listening()  # as `transcribe` is told
    threads: int = Field(default=0, exclude=True)


def run(
    master: Master,
    analysis: Analysis,
    plan: Plan,
    renditions: Renditions,
    *,
    options: Options,
    work: Workspace,
    report: Report,
) -> Certificate:
    """The Certificate of these renditions.

    Raises:
        PromiseBroken: the published bytes decode to something else than was measured, or to less than is promised.
    """
    from chasqui.verify import certificate

    return certificate.make(master, analysis, plan, renditions, options=options, work=work, report=report)
