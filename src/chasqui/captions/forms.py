"""The files that a transcript is given as: one for pages, players, feeds and readers each."""

from __future__ import annotations

from collections.abc import Sequence

from chasqui.captions import write
from chasqui.captions.cues import cues
from chasqui.captions.limits import limits_for
from chasqui.records import Word

MEDIA_TYPES = {
    "vtt": "text/vtt",
    "srt": "application/x-subrip",
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
}


def forms(words: Sequence[Word], language: str | None) -> dict[str, str]:
    """The text of each file by its ending: WebVTT, SubRip, Podcasting 2.0 JSON, plain text."""
    shown = cues(words, limits_for(language))
    return {
        "vtt": write.webvtt(shown, language),
        "srt": write.srt(shown),
        "json": write.podcast_json(shown, language),
        "txt": write.text(shown),
    }
