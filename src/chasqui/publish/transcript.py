"""The words of the lesson, in the forms that pages, players, feeds and people read, and who speaks when."""

from __future__ import annotations

from chasqui.captions import rttm
from chasqui.captions.forms import MEDIA_TYPES, forms
from chasqui.records import Blob, PhraseEnd, Transcript, Turn, Turns, Word
from chasqui.store import Workspace, lines


def files(transcript: Transcript, turns: Turns | None, work: Workspace) -> list[Blob]:
    """transcript.vtt, .srt, .json (Podcasting 2.0) and .txt in the store; none where there are no words."""
    if transcript.words is None or not transcript.word_count:
        return []
    who = lines.read(work.path(turns.turns), Turn) if turns and turns.turns else []
    phrases = transcript.phrases or (turns.phrases if turns else None)
    ends = lines.read(work.path(phrases), PhraseEnd) if phrases else []
    kept = []
    for ending, text in forms(lines.read(work.path(transcript.words), Word), transcript.language, who, ends).items():
        path = work.folder / f"transcript.{ending}"
        path.write_bytes(text.encode())
        kept.append(work.keep(path, MEDIA_TYPES[ending]))
    return kept


def speakers(turns: Turns | None, name: str, work: Workspace) -> list[Blob]:
    """speakers.rttm in the store; none where nobody asked, or only one speaks: a class is no dialogue."""
    if turns is None or turns.turns is None or turns.speakers < 2:
        return []
    path = work.folder / "speakers.rttm"
    path.write_bytes(rttm.rttm(lines.read(work.path(turns.turns), Turn), name).encode())
    return [work.keep(path, rttm.MEDIA_TYPE)]
