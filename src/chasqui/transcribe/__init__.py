"""transcribe: what is said in a master, word by word: by the captions that a person brought, or the recogniser that was
asked for; by none, if there is neither.

`words.py` listens to all speech; what is cut, filtered and remembered, and how, `asr/` decides for all who listen.
`given.py` lays captions on the sound: `align.py` finds where they belong, `judge.py` whether they do, `anchors.py`
which words a recogniser heard as well, `spread.py` where each word is. A recogniser that fails, and captions that do
not fit, cost the transcript, never the lesson.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chasqui.asr import Listening
from chasqui.records import Analysis, Given, Master, Transcript

if TYPE_CHECKING:
    from chasqui.events import Report
    from chasqui.store import Workspace


class Options(Listening):
    """Who listens, and how hard."""


def run(
    master: Master,
    analysis: Analysis,
    captions: Given | None = None,
    *,
    options: Options,
    work: Workspace,
    report: Report,
) -> Transcript:
    """The words of a master. A recogniser that fails gives a Transcript that says so; so do captions that do not fit.

    Raises:
        OSError: the master cannot be read or the words cannot be written.
    """
    heard = _heard(master, analysis, options, work, report)
    if captions is None or (captions.source is None and captions.failure is None):
        return heard
    from chasqui.transcribe.given import lay

    return lay(captions, heard, master, analysis, work, report)


def _heard(master: Master, analysis: Analysis, options: Options, work: Workspace, report: Report) -> Transcript:
    if options.recogniser is None:
        return Transcript(recording_id=master.recording_id, status="none", why="no recogniser was asked for")
    from chasqui.transcribe.words import transcribe

    return transcribe(master, analysis, options, work, report)
