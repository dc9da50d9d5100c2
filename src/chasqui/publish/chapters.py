"""The chapters of a lesson: those of the file, else those that its words tell; none is better than made-up ones."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chasqui.captions import write
from chasqui.captions.chapters import chapters
from chasqui.publish.sources import Sources
from chasqui.records import Blob, Chapter, Record, Word
from chasqui.store import Workspace, lines


class Parts(Record):
    """Chapters, and who made them."""

    source: Literal["file", "topics"] = Field(
        description="file: they stand in the recording as it came; topics: told by a programme from the words"
    )
    why: str
    chapters: tuple[Chapter, ...]


def of(sources: Sources, work: Workspace) -> Parts | None:
    """The chapters, or None."""
    moved = any(t.name == "silence" and t.applied for t in sources.master.treatments)
    if sources.recording.chapters and not moved:
        return Parts(source="file", why="they stand in the recording", chapters=sources.recording.chapters)
    said = sources.transcript
    if said.words is None or not said.word_count:
        return None
    words = lines.read(work.path(said.words), Word)
    found = chapters(words, said.language, sources.certificate.duration_s)
    if not found:
        return None
    why = "the words change here"
    if moved and sources.recording.chapters:
        why += "; those of the file no longer agree, because silences were shortened"
    return Parts(source="topics", why=why, chapters=tuple(found))


def files(parts: Parts | None, sources: Sources, work: Workspace) -> list[Blob]:
    """chapters.json (Podcasting 2.0) and chapters.vtt in the store; none where there are no chapters."""
    if parts is None:
        return []
    duration_s, language = sources.certificate.duration_s, sources.transcript.language
    kept = []
    for name, text, media_type in (
        ("chapters.json", write.chapters_json(parts.chapters), "application/json+chapters"),
        ("chapters.vtt", write.chapters_vtt(parts.chapters, duration_s, language), "text/vtt"),
    ):
        path = work.folder / name
        path.write_bytes(text.encode())
        kept.append(work.keep(path, media_type))
    return kept
