"""transcribe: what is said in a master, word by word, by the recogniser that was asked for; by none, if none was.

`spans.py` says which sound is worth listening to, `words.py` listens and remembers, `filter.py` throws out what nobody
said. A recogniser that fails costs the transcript, never the lesson.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from chasqui.records import Analysis, Master, Transcript

if TYPE_CHECKING:
    from chasqui.events import Report
    from chasqui.store import Workspace


class Options(BaseModel):
    """Who listens, and how hard."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recogniser: str | None = None  # whisper:NAME_OR_FOLDER, openai:MODEL@URL, pocketsphinx …; None: no transcript
    language: str | None = Field(default=None, pattern="^[a-z]{2,3}$")  # ISO 639; None: detected, stretch by stretch
    beam: int = Field(default=5, ge=1, le=20)
    batch: int = Field(default=8, ge=1, le=64)
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", exclude=True)
    threads: int = Field(default=0, exclude=True)

    @field_validator("recogniser")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        from chasqui.asr import KINDS

        if name and name.partition(":")[0] not in KINDS:  # a slip of the pen: told before an hour's work, not after
            raise ValueError(f"there is no recogniser of that kind; known: {', '.join(KINDS)}")
        return name or None


def run(master: Master, analysis: Analysis, *, options: Options, work: Workspace, report: Report) -> Transcript:
    """The words of a master. A recogniser that fails gives a Transcript that says so.

    Raises:
        OSError: the master cannot be read or the words cannot be written.
    """
    if options.recogniser is None:
        return Transcript(recording_id=master.recording_id, status="none", why="no recogniser was asked for")
    from chasqui.transcribe.words import transcribe

    return transcribe(master, analysis, options, work, report)
