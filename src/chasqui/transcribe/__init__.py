"""transcribe: what is said in a master, word by word, by the recogniser that was asked for; by none, if none was.

`words.py` listens to all speech; what is cut, filtered and remembered, and how, `asr/` decides for all who listen. A
recogniser that fails costs the transcript, never the lesson.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chasqui.asr import Listening
from chasqui.records import Analysis, Master, Transcript

if TYPE_CHECKING:
    from chasqui.events import Report
    from chasqui.store import Workspace


class Options(Listening):
    """Who listens, and how hard."""


def run(master: Master, analysis: Analysis, *, options: Options, work: Workspace, report: Report) -> Transcript:
    """The words of a master. A recogniser that fails gives a Transcript that says so.

    Raises:
        OSError: the master cannot be read or the words cannot be written.
    """
    if options.recogniser is None:
        return Transcript(recording_id=master.recording_id, status="none", why="no recogniser was asked for")
    from chasqui.transcribe.words import transcribe

    return transcribe(master, analysis, options, work, report)
