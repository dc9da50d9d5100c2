"""The words of the lesson, in the forms that pages, players, feeds and people read."""

from __future__ import annotations

from chasqui.captions.forms import MEDIA_TYPES, forms
from chasqui.records import Blob, Transcript, Word
from chasqui.store import Workspace, lines


def files(transcript: Transcript, work: Workspace) -> list[Blob]:
    """transcript.vtt, .srt, .json (Podcasting 2.0) and .txt in the store; none where there are no words."""
    if transcript.words is None or not transcript.word_count:
        return []
    kept = []
    for ending, text in forms(lines.read(work.path(transcript.words), Word), transcript.language).items():
        path = work.folder / f"transcript.{ending}"
        path.write_bytes(text.encode())
        kept.append(work.keep(path, MEDIA_TYPES[ending]))
    return kept
