"""The files that a transcript is given as: one for pages, players, feeds and readers each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chasqui.captions import write
from chasqui.captions.cues import cues
from chasqui.captions.limits import limits_for
from chasqui.captions.speakers import shown as called
from chasqui.captions.speakers import spoken_by
from chasqui.records import PhraseEnd, Turn, Word

MEDIA_TYPES = {
    "vtt": "text/vtt",
    "srt": "application/x-subrip",
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
}


def forms(
    words: Sequence[Word], language: str | None, turns: Sequence[Turn] = (), ends: Sequence[PhraseEnd] = ()
) -> dict[str, str]:
    """The text of each file by its ending: WebVTT, SubRip, Podcasting 2.0 JSON, plain text.

    Where it is known who speaks when and several do, cues break where the speaker changes, and say who it is.
    """
    found = cues(spoken_by(words, turns) if turns else words, limits_for(language), ends)
    shown = [replace(cue, speaker=called(cue.speaker, language)) for cue in found]
    return {
        "vtt": write.webvtt(shown, language),
        "srt": write.srt(shown),
        "json": write.podcast_json(shown, language),
        "txt": write.text(shown),
    }
