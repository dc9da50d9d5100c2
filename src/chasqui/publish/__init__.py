"""publish: what is carried to the student, and what is shown to the teacher.

Gives the lesson: `voice.opus`, `voice.mp3`, `lesson.json` (manifest), `certificate.json` and `report.html`;
where words are known, `transcript.vtt`, `.srt`, `.json` and `.txt` besides; where speakers are, `speakers.rttm`.
Nothing is published when the certificate keeps less than was promised without saying so.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from chasqui.events import Report
from chasqui.records import (
    Analysis,
    Certificate,
    Lesson,
    Master,
    Plan,
    Recording,
    Renditions,
    Request,
    Transcript,
    Turns,
)
from chasqui.store import Workspace


class Options(BaseModel):
    """How the lesson is presented. Prices are estimates, and the page says so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Soles per MB (10^6 bytes) of prepaid data. 23 Peruvian plans surveyed by cable.co.uk: S/ 5.20 to 11.11 per GB,
    #: mean 8.22 (Peru 21, 2019); the smallest top-ups cost more (S/ 3 gave 100 MB, OSIPTEL TPCNV2020000378, 2020).
    #: 0.01 is the dear end of the survey, rounded: easy to check by heart, neither the best case nor the worst.
    pen_per_mb: float = Field(default=0.01, ge=0, le=100, allow_inf_nan=False)
    pack_mb: float = Field(default=100.0, gt=0, le=1e6, allow_inf_nan=False)  # that same smallest top-up
    lang: Literal["es", "en"] = "es"  # language in which the page opens; both are always in it
    embed_limit_bytes: int = Field(default=6_000_000, ge=0)  # a larger voice is linked: base64 adds a third
    excerpt_s: float = Field(default=15.0, ge=2, le=60)  # long enough to judge, about 120 kB per excerpt at 64 kb/s


def run(
    request: Request,
    recording: Recording,
    master: Master,
    analysis: Analysis,
    transcript: Transcript,
    plan: Plan,
    renditions: Renditions,
    certificate: Certificate,
    turns: Turns | None = None,
    *,
    options: Options,
    work: Workspace,
    report: Report,
) -> Lesson:
    """The Lesson, its files kept in the store.

    Raises:
        PromiseBroken: the certificate keeps less than was promised and does not say so.
    """
    from chasqui.publish.lesson import publish
    from chasqui.publish.sources import Sources

    sources = Sources(request, recording, master, analysis, transcript, plan, renditions, certificate, turns)
    return publish(sources, options, work, report)
