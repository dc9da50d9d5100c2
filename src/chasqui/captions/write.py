"""Writes cues: WebVTT for pages, SRT for players, Podcasting 2.0 JSON for feeds, plain text for reading."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from chasqui.captions import Cue, cleaned
from chasqui.records import Chapter

#: A silence this long between two cues begins a new paragraph of the plain text.
PARAGRAPH_S = 2.0
#: … and after this many letters the next end of a sentence does.
PARAGRAPH_LETTERS = 600


def webvtt(cues: Sequence[Cue], language: str | None = None) -> str:
    """A WebVTT file (W3C). The language stands in its header, where there is one."""
    head = "WEBVTT\n" + (f"Language: {language}\n" if language else "")
    return head + "".join(
        f"\n{_clock(cue.start_s, '.')} --> {_clock(cue.end_s, '.')}\n{_voice(cue)}{_body(cue, _escaped)}\n"
        for cue in cues
    )


def srt(cues: Sequence[Cue]) -> str:
    """A SubRip file. It has no escapes, so an arrow in the text gets a space."""
    return "\n".join(
        f"{number}\n{_clock(cue.start_s, ',')} --> {_clock(cue.end_s, ',')}\n{_body(cue, _unarrowed)}\n"
        for number, cue in enumerate(cues, 1)
    )


def podcast_json(cues: Sequence[Cue], language: str | None = None) -> str:
    """A transcript as Podcasting 2.0 describes it (Podcastindex-org/podcast-namespace, transcripts.md)."""
    segments = []
    for cue in cues:
        segment: dict[str, object] = {"speaker": cue.speaker} if cue.speaker else {}
        segment |= {"startTime": round(cue.start_s, 3), "endTime": round(cue.end_s, 3), "body": cleaned(cue.text)}
        segments.append(segment)
    whole: dict[str, object] = {"version": "1.0.0"}
    if language:
        whole["language"] = language
    return json.dumps({**whole, "segments": segments}, ensure_ascii=False, indent=1) + "\n"


def chapters_json(chapters: Sequence[Chapter]) -> str:
    """Chapters as Podcasting 2.0 describes them (Podcastindex-org/podcast-namespace, chapters/jsonChapters.md)."""
    listed = []
    for chapter in chapters:
        one: dict[str, object] = {"startTime": round(chapter.start_s, 3), "title": cleaned(chapter.title)}
        listed.append(one if chapter.end_s is None else {**one, "endTime": round(chapter.end_s, 3)})
    return json.dumps({"version": "1.2.0", "chapters": listed}, ensure_ascii=False, indent=1) + "\n"


def chapters_vtt(chapters: Sequence[Chapter], duration_s: float, language: str | None = None) -> str:
    """Chapters as a WebVTT track of that kind, for players in pages."""
    ends = [*(chapter.start_s for chapter in chapters[1:]), duration_s]
    cues = [
        Cue(chapter.start_s, chapter.end_s or end_s, (chapter.title,))
        for chapter, end_s in zip(chapters, ends, strict=True)
    ]
    return webvtt(cues, language)


def text(cues: Sequence[Cue]) -> str:
    """The words alone, in paragraphs: a new one after a silence, for a speaker, and when one has grown long."""
    paragraphs: list[list[str]] = []
    before: Cue | None = None
    for cue in cues:
        if before is None or _begins(before, cue, sum(map(len, paragraphs[-1]))):
            spoken_by = (
                [f"{cleaned(cue.speaker)}:"] if cue.speaker and (not before or before.speaker != cue.speaker) else []
            )
            paragraphs.append(spoken_by)
        paragraphs[-1].append(cleaned(cue.text))
        before = cue
    return "\n\n".join(" ".join(part) for part in paragraphs) + ("\n" if paragraphs else "")


def _begins(before: Cue, cue: Cue, letters: int) -> bool:
    if cue.speaker != before.speaker or cue.start_s - before.end_s >= PARAGRAPH_S:
        return True
    return letters >= PARAGRAPH_LETTERS and before.text.rstrip("\"'”’»)").endswith((".", "?", "!", "…"))


def _body(cue: Cue, written: Callable[[str], str]) -> str:
    # A blank line would end the cue.
    return "\n".join(written(line) for line in map(cleaned, cue.lines) if line)


def _voice(cue: Cue) -> str:
    name = cleaned(cue.speaker or "").replace(">", "").replace("<", "")
    return f"<v {_escaped(name)}>" if name else ""


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unarrowed(line: str) -> str:
    return line.replace("-->", "-- >")


def _clock(seconds: float, point: str) -> str:
    thousandths = round(max(0.0, seconds) * 1000)
    hours, rest = divmod(thousandths, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{point}{rest % 1000:03}"
