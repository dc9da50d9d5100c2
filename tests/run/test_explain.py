"""The table behind `choose --explain`."""

from __future__ import annotations

import io
import json

import pytest
from lesson import Packed
from rich.console import Console

from chasqui.config import load
from chasqui.errors import NotReady
from chasqui.run.explain import explained, rows, table
from chasqui.store import open_store


def test_what_was_foretold_and_what_was_measured(analyzed: Packed) -> None:
    analyzed.run("choose")
    analyzed.run("encode", encode__mp3=False)
    told = json.loads(json.dumps(rows(analyzed.recording_id, analyzed.store)))
    assert len(told) == analyzed.get("analyze").segment_count
    for row in told:
        if row["kind"] == "silence":
            continue
        assert row["rung"] in row["rungs"]
        assert row["rungs"][row["rung"]]["chance"] == row["chance"]
        assert row["measured"]["encodes"] >= 1
        for facts in row["rungs"].values():
            assert facts["visqol_low"] <= facts["visqol"]
            assert ("estoi" in facts) == (row["kind"] == "speech")


def test_measurements_of_another_plan_are_left_out(analyzed: Packed) -> None:
    analyzed.run("choose")
    analyzed.run("encode", encode__mp3=False)
    analyzed.run("choose", choose__target="clear")
    assert all(row["measured"] is None for row in rows(analyzed.recording_id, analyzed.store))


@pytest.mark.parametrize(("lang", "words"), [("es", ("Previsto", "voz", "música")), ("en", ("Foretold", "speech"))])
def test_the_table_for_people(analyzed: Packed, lang: str, words: tuple[str, ...]) -> None:
    analyzed.run("choose")
    out = io.StringIO()
    Console(file=out, width=200).print(table(rows(analyzed.recording_id, analyzed.store), lang))
    for word in (*words, "ESTOI", "±", "[", "%"):
        assert word in out.getvalue()


def test_nothing_chosen_yet_is_said() -> None:
    with pytest.raises(NotReady):
        rows("0" * 16, open_store("memory:"))


def test_a_plan_is_made_where_there_is_none_or_another_is_asked_for(analyzed: Packed) -> None:
    analyzed.run("choose")
    other = load(env={}, choose__models=analyzed.models, choose__target="clear")
    store, recording_id = analyzed.store, analyzed.recording_id
    standing = [row["rung"] for row in explained(recording_id, store, other, anew=False)]
    assert standing == [row["rung"] for row in rows(recording_id, store)]
    assert [row["rung"] for row in explained(recording_id, store, other, anew=True)] != standing
    assert analyzed.get("choose").target == "clear"
