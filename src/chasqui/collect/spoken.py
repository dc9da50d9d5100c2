"""What is said in a recording and by whom, as columns: people's word goes before that of machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from chasqui.captions.speakers import spoken_by
from chasqui.records import Blob, Provenance, Record, Transcript, Turn, Turns, Word
from chasqui.store import Workspace, lines

R = TypeVar("R", bound=Record)


def said(
    transcript: Transcript | None, provenance: Provenance | None, turns: Turns | None, work: Workspace
) -> dict[str, Any]:
    """The columns of text, words, languages and speakers."""
    words = read(work, transcript.words, Word) if transcript else []
    return {
        **_text(transcript, provenance.text if provenance else None, words),
        **_speakers(words, turns, provenance.facts if provenance else {}, work),
    }


def read(work: Workspace, blob: Blob | None, kind: type[R]) -> list[R]:
    """The lines of a blob, none where there is no blob."""
    return lines.read(work.path(blob), kind) if blob else []


def _text(transcript: Transcript | None, given: str | None, words: Sequence[Word]) -> dict[str, Any]:
    recognised = " ".join(word.text.strip() for word in words) if words else None
    by_person = transcript is not None and transcript.status == "given"
    text, source, why = given, "given", "a text stands beside the recording"
    if given is None:
        text, source = recognised, "none" if recognised is None else "given" if by_person else "recogniser"
        why = transcript.why if transcript else "no transcript was made"
    tongues = transcript.languages if transcript else ()
    return {
        "transcription": text,
        "transcription_from": source,
        "transcription_why": why,
        "recognised": None if by_person else recognised,
        "recogniser": transcript.recogniser if transcript else None,
        "word_count": len(text.split()) if text is not None else None,
        "language": transcript.language if transcript else None,
        "language_from": "recogniser" if tongues and tongues[0].language else "none",
        "languages": [tongue.model_dump() for tongue in tongues],
    }


def _speakers(words: Sequence[Word], found: Turns | None, facts: Mapping[str, str], work: Workspace) -> dict[str, Any]:
    """Names go before numbers. A number becomes the name where there is one of each: no other case says whose it is."""
    asked = found is not None and found.status == "done"
    turns = read(work, found.turns, Turn) if found and asked else []
    voices = list(dict.fromkeys(turn.speaker for turn in turns))
    named = [one.strip() for one in facts.get("speaker", "").split(";") if one.strip()]
    if len(named) == 1 and len(voices) == 1:
        turns = [turn.model_copy(update={"speaker": named[0]}) for turn in turns]
    words = _by_speaker(words, turns)
    # Captions that people made may say who speaks, by name.
    given = named or list(dict.fromkeys(w.speaker for w in words if w.speaker and w.speaker not in voices))
    return {
        "words": [word.model_dump() for word in words],
        "speakers": given or voices,
        "speakers_from": "given" if given else "voices" if voices else "none",
        "speaker_count": found.speakers if found and asked else None,
        "turns": [turn.model_dump() for turn in turns],
        "overlap_s": found.overlap_s if found and asked else None,
        "diarizer": found.method if found and asked else None,
    }


def _by_speaker(words: Sequence[Word], turns: Sequence[Turn]) -> list[Word]:
    """As `spoken_by`, which leaves words alone where one speaks: captions need no name there, data do."""
    if len({turn.speaker for turn in turns}) != 1:
        return spoken_by(words, turns)
    only = turns[0].speaker
    return [word if word.speaker else word.model_copy(update={"speaker": only}) for word in words]
