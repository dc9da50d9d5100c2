"""Who says which word, and how it is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import webvtt
from hypothesis import given
from hypothesis import strategies as st

from chasqui.captions.cues import cues
from chasqui.captions.forms import forms
from chasqui.captions.speakers import shown, spoken_by
from chasqui.records import PhraseEnd, Turn, Word

TEXT = "qué es el agua el agua es vida y viene de la nieve de los andes"
WORDS = [Word(text=text, start_s=1 + n * 0.4, end_s=1.35 + n * 0.4) for n, text in enumerate(TEXT.split())]
TURNS = [
    Turn(start_s=0.9, end_s=2.5, speaker="1"),
    Turn(start_s=2.55, end_s=5.0, speaker="2"),
    Turn(start_s=4.9, end_s=9.0, speaker="1"),
]


def test_each_word_belongs_to_whose_turn_covers_most_of_it() -> None:
    told = "".join(word.speaker or "-" for word in spoken_by(WORDS, TURNS))
    assert told == "1111" + "222222" + "111111"


def test_one_speaker_is_not_worth_naming() -> None:
    assert spoken_by(WORDS, TURNS[:1]) == WORDS
    assert "speaker" not in WORDS[0].model_dump(), "a word is what it was before anybody could ask"
    assert spoken_by(WORDS, TURNS)[0].model_dump()["speaker"] == "1"


def test_words_between_turns_go_to_the_nearest_if_it_is_near() -> None:
    words = [Word(text="a", start_s=2.5, end_s=2.52), Word(text="b", start_s=10.5, end_s=11)]
    assert [word.speaker for word in spoken_by(words, TURNS)] == ["1", None]


def test_names_that_a_person_gave_stay() -> None:
    named = [WORDS[0].model_copy(update={"speaker": "Ana"}), *WORDS[1:]]
    assert [word.speaker for word in spoken_by(named, TURNS)][:2] == ["Ana", "1"]


def test_cues_break_where_the_speaker_changes_and_say_who_it_is(tmp_path: Path) -> None:
    texts = forms(WORDS, "es", TURNS)
    (tmp_path / "t.vtt").write_text(texts["vtt"], encoding="utf-8")
    read = webvtt.read(str(tmp_path / "t.vtt"))
    assert [cue.voice for cue in read] == ["Persona 1", "Persona 2", "Persona 1"]
    assert " ".join(cue.text for cue in read).split() == TEXT.split()
    told = [(part["speaker"], part["body"]) for part in json.loads(texts["json"])["segments"]]
    assert told[0] == ("Persona 1", "qué es el agua")
    assert texts["txt"].startswith("Persona 1: qué es el agua\n\nPersona 2: ")
    assert forms(WORDS, "es") == forms(WORDS, "es", TURNS[:1]), "one speaker: as if nobody had asked"
    assert "<v Speaker 2>" in forms(WORDS, "en", TURNS)["vtt"]


@pytest.mark.parametrize(("speaker", "language", "name"), [("3", "es", "Persona 3"), ("3", "qu", "Speaker 3")])
def test_names(speaker: str, language: str, name: str) -> None:
    assert shown(speaker, language) == name
    assert shown("Ana", language) == "Ana"
    assert shown(None, language) is None


@given(
    st.lists(st.tuples(st.floats(0, 60), st.floats(0.05, 3)), max_size=30),
    st.lists(st.tuples(st.floats(0, 60), st.floats(0.1, 20), st.sampled_from("123")), max_size=20),
)
def test_words_are_kept_whatever_the_turns(
    said: list[tuple[float, float]], who: list[tuple[float, float, str]]
) -> None:
    words = [Word(text=f"w{n}", start_s=start, end_s=start + length) for n, (start, length) in enumerate(said)]
    turns = [Turn(start_s=start, end_s=start + length, speaker=name) for start, length, name in who]
    found = spoken_by(words, turns)
    assert sorted(word.text for word in found) == sorted(word.text for word in words)
    for word in found:
        near = {turn.speaker for turn in turns if turn.start_s <= word.end_s + 1 and turn.end_s >= word.start_s - 1}
        assert word.speaker is None or word.speaker in near
        if len({turn.speaker for turn in turns}) > 1 and near:
            assert word.speaker is not None


def test_without_punctuation_cues_end_where_the_voice_ends_a_phrase() -> None:
    """Two places with the same short pause; only the voice tells them apart."""
    said = [f"ruta{n}" for n in range(12)]
    words, at = [], 1.0
    for number, text in enumerate(said):
        words.append(Word(text=text, start_s=at, end_s=at + 0.55))
        at += 0.55 + (0.2 if number in (4, 6) else 0.02)
    for last in (4, 6):
        other = 10 - last
        ends = [PhraseEnd(at_s=words[n].end_s, pause_s=0.2, strength=0.95 if n == last else 0.05) for n in (4, 6)]
        lasts = [cue.lines[-1].split()[-1] for cue in cues(words, ends=ends)]
        assert said[last] in lasts
        assert said[other] not in lasts
    punctuated = [word.model_copy(update={"text": word.text + ("." if n == 5 else "")}) for n, word in enumerate(words)]
    assert cues(punctuated, ends=ends) == cues(punctuated), "what the text says itself is not asked of the voice"
