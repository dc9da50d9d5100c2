"""The words of the lesson, in the forms that pages, players, feeds and people read."""

from __future__ import annotations

from chasqui.captions import write
from chasqui.captions.cues import cues
from chasqui.captions.limits import limits_for
from chasqui.records import Blob, Transcript, Word
from chasqui.store import Workspace, lines


def files(transcript: Transcript, work: Workspace) -> list[Blob]:
    """transcript.vtt, .srt, .json (Podcasting 2.0) and .txt in the store; none where there are no words."""
    if transcript.words is None or not transcript.word_count:
        return []
    language = transcript.language
    shown = cues(lines.read(work.path(transcript.words), Word), limits_for(language))
    made = {
        "transcript.vtt": (write.webvtt(shown, language), "text/vtt"),
        "transcript.srt": (write.srt(shown), "application/x-subrip"),
        "transcript.json": (write.podcast_json(shown, language), "application/json"),
        "transcript.txt": (write.text(shown), "text/plain; charset=utf-8"),
    }
    kept = []
    for name, (text, media_type) in made.items():
        path = work.folder / name
        path.write_bytes(text.encode())
        kept.append(work.keep(path, media_type))
    return kept
