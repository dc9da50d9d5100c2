"""Who says what in a row: names that people gave, voices that were told apart, and the words of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from chasqui.collect.columns import COLUMNS
from chasqui.collect.schema import blank, problems, tidy
from chasqui.collect.spoken import said
from chasqui.records import Provenance, Transcript, Turn, Turns, Word
from chasqui.store import Workspace, lines, open_store

NAME = "a" * 16


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    with open_store(f"file:{tmp_path}").workspace(NAME, "collect") as work:
        yield work


def heard(work: Workspace, *words: Word, **more: Any) -> Transcript:
    blob = work.keep(lines.write(work.folder / "words.jsonl", words))
    return Transcript(recording_id=NAME, **{"status": "done", "why": "x", "words": blob, **more})


def apart(work: Workspace, *turns: tuple[float, float, str]) -> Turns:
    found = [Turn(start_s=start_s, end_s=end_s, speaker=speaker) for start_s, end_s, speaker in turns]
    blob = work.keep(lines.write(work.folder / "turns.jsonl", found))
    facts = {"turns": blob, "speakers": len({turn.speaker for turn in found}), "overlap_s": 0.5, "method": "m-1"}
    return Turns(recording_id=NAME, status="done", why="x", **facts)


def named(speaker: str) -> Provenance:
    return Provenance(recording_id=NAME, source="s", names=("a.wav",), facts={"speaker": speaker})


def word(text: str, start_s: float, speaker: str | None = None) -> Word:
    return Word(text=text, start_s=start_s, end_s=start_s + 0.5, speaker=speaker)


def who(row: dict[str, Any]) -> list[str | None]:
    spoken: Sequence[dict[str, Any]] = row["words"]
    return [one.get("speaker") for one in spoken]


def test_voices_and_the_words_of_each(work: Workspace) -> None:
    words = heard(work, word("hola", 0.2), word("buenas", 2.2), word("tardes", 4.1))
    row = said(words, None, apart(work, (0, 2, "1"), (2, 5, "2")), work)
    assert (row["speakers"], row["speakers_from"], row["speaker_count"]) == (["1", "2"], "voices", 2)
    assert who(row) == ["1", "2", "2"]
    assert row["turns"][1] == {"start_s": 2, "end_s": 5, "speaker": "2"}
    assert (row["overlap_s"], row["diarizer"]) == (0.5, "m-1")
    kinds = {column.name: column.kind for column in COLUMNS}
    whole = blank(COLUMNS) | row | {"id": NAME, "path": "a", "status": "done", "tool_version": "1", "schema_version": 1}
    assert list(problems({name: tidy(kinds[name], value) for name, value in whole.items()}, COLUMNS)) == []


def test_one_name_and_one_voice_are_the_same(work: Workspace) -> None:
    row = said(heard(work, word("hola", 0.2)), named("Ana"), apart(work, (0, 2, "1")), work)
    assert (row["speakers"], row["speakers_from"], row["speaker_count"]) == (["Ana"], "given", 1)
    assert who(row) == ["Ana"] and row["turns"][0]["speaker"] == "Ana"


@pytest.mark.parametrize("names", ["Ana", "Ana; Luz"])
def test_names_are_not_guessed_where_several_speak(work: Workspace, names: str) -> None:
    row = said(heard(work, word("hola", 0.2)), named(names), apart(work, (0, 2, "1"), (2, 4, "2")), work)
    assert (row["speakers"], row["speakers_from"]) == (names.split("; "), "given")
    assert who(row) == ["1"] and [turn["speaker"] for turn in row["turns"]] == ["1", "2"]


def test_one_voice_without_a_name_is_number_one(work: Workspace) -> None:
    row = said(heard(work, word("hola", 9.0)), None, apart(work, (0, 2, "1")), work)
    assert (row["speakers"], row["speakers_from"], who(row)) == (["1"], "voices", ["1"])


def test_names_in_captions_go_before_voices(work: Workspace) -> None:
    words = heard(work, word("hola", 0.2, "Rosa"), word("buenas", 2.2), status="given")
    row = said(words, None, apart(work, (0, 2, "1"), (2, 4, "2")), work)
    assert (row["speakers"], row["speakers_from"], who(row)) == (["Rosa"], "given", ["Rosa", "2"])


@pytest.mark.parametrize("status", ["none", "failed"])
def test_nobody_looked(work: Workspace, status: Any) -> None:
    row = said(heard(work, word("hola", 0.2)), None, Turns(recording_id=NAME, status=status, why="x"), work)
    assert (row["speakers"], row["speakers_from"], row["turns"], who(row)) == ([], "none", [], [None])
    assert (row["speaker_count"], row["overlap_s"], row["diarizer"]) == (None, None, None)
    assert said(None, None, None, work)["speakers_from"] == "none"
