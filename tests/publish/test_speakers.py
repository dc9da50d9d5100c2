"""Who speaks when, beside the sound, for who asked."""

from __future__ import annotations

import json
from typing import Any

from chasqui.captions.rttm import read_rttm
from chasqui.records import PhraseEnd, Tongue, Turn, Word

WORDS = [
    Word(text=text, start_s=1 + n * 0.5, end_s=1.4 + n * 0.5)
    for n, text in enumerate(["¿Qué", "es", "el", "agua?", "El", "agua", "es", "vida."])
]
TURNS = [Turn(start_s=0.9, end_s=2.95, speaker="1"), Turn(start_s=2.95, end_s=5.2, speaker="2")]


def asked(maker: Any, turns: list[Turn]) -> dict[str, Any]:
    return {
        "status": "done",
        "why": "every voice was compared with the others",
        "turns": maker.lines("turns.jsonl", turns),
        "phrases": maker.lines("phrases.jsonl", [PhraseEnd(at_s=2.9, pause_s=0.1, strength=0.4)]),
        "speakers": len({turn.speaker for turn in turns}),
    }


def heard(maker: Any) -> dict[str, Any]:
    return {
        "status": "done",
        "why": "a recogniser listened to all speech",
        "words": maker.lines("words.jsonl", WORDS),
        "word_count": len(WORDS),
        "languages": (Tongue(language="es", seconds=4.0, probability=0.98),),
        "recogniser": "whisper-tiny-1",
    }


def test_captions_say_who_speaks_and_rttm_lies_beside_them(publish: Any, maker: Any) -> None:
    files = publish(transcript=heard(maker), turns=asked(maker, TURNS)).files
    said = json.loads(files["transcript.json"])["segments"]
    assert [(part["speaker"], part["body"]) for part in said] == [
        ("Persona 1", "¿Qué es el agua?"),
        ("Persona 2", "El agua es vida."),
    ]
    (read,) = read_rttm(files["speakers.rttm"].decode()).values()
    assert [(turn.start_s, turn.speaker) for turn in read] == [(0.9, "speaker1"), (2.95, "speaker2")]
    assert "speakers.rttm" in {entry["name"] for entry in json.loads(files["lesson.json"])["files"]}


def test_without_words_the_turns_are_published_alone(publish: Any, maker: Any) -> None:
    files = publish(turns=asked(maker, TURNS)).files
    assert "speakers.rttm" in files and "transcript.vtt" not in files


def test_who_did_not_ask_gets_what_was_there_before(publish: Any, maker: Any) -> None:
    before = publish(transcript=heard(maker)).files
    names = [name for name in before if name.startswith("transcript.")]
    assert len(names) == 4
    for turns in ([], TURNS[:1]):  # nobody and one speaker are nothing to tell of
        again = publish(transcript=heard(maker), turns=asked(maker, turns)).files
        assert {name: again[name] for name in names} == {name: before[name] for name in names}
        assert set(again) == set(before)
