"""diarize: who speaks when in a master, and where phrases end. Looks only where it was asked to.

`speech.py` says where somebody speaks, `windows.py` whose voice each moment has, `clusters.py` how many voices there
are, `course.py` who speaks at each moment, `overlap.py` where two do, `phrases.py` where one would breathe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, field_validator

from chasqui.records import Analysis, Master, Turns

if TYPE_CHECKING:
    from chasqui.events import Report
    from chasqui.store import Workspace

#: Who can tell voices apart.
KINDS = ("voiceprint", "pyannote")
#: More voices than this are not told apart: a few seconds of each would decide.
MOST = 20


class Options(BaseModel):
    """Whether anybody asks who speaks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: "none", "auto" (as many as there are), or how many there are. Costs time, so off by default; `Config` turns it to
    #: "auto" where a recogniser is asked for, as words want speakers.
    speakers: str = Field(default="none", pattern=r"^(none|auto|[1-9]|1\d|20)$")
    by: str = "voiceprint"  # or pyannote:FOLDER_OR_NAME, which needs pyannote.audio and its model
    threads: int = Field(default=0, exclude=True)

    @field_validator("speakers", mode="before")
    @classmethod
    def _as_text(cls, speakers: object) -> object:
        return str(speakers) if isinstance(speakers, int) and not isinstance(speakers, bool) else speakers

    @field_validator("by")
    @classmethod
    def _known(cls, name: str) -> str:
        kind, _, model = name.partition(":")
        if kind not in KINDS or (kind == "pyannote") != bool(model):
            raise ValueError("nobody of that name tells voices apart; known: voiceprint, pyannote:FOLDER_OR_NAME")
        return name

    @property
    def count(self) -> int | None:
        """How many speakers there are, where somebody said."""
        return int(self.speakers) if self.speakers.isdigit() else None


def run(master: Master, analysis: Analysis, *, options: Options, work: Workspace, report: Report) -> Turns:
    """Who speaks when. What cannot be used gives Turns that say so; the lesson goes on.

    Raises:
        OSError: the master cannot be read or the turns cannot be written.
    """
    if options.speakers == "none":
        return Turns(recording_id=master.recording_id, status="none", why="nobody asked who speaks")
    from chasqui.diarize.turns import diarize

    return diarize(master, analysis, options, work, report)
