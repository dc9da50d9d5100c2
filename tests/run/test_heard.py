"""What `show` says of words: numbers, reasons, and each lost word where that is asked for."""

from __future__ import annotations

from pathlib import Path

from chasqui.records import Failure, LostWord, Reheard, Relistened
from chasqui.run.heard import told
from chasqui.store import Store, lines, open_store

ID = "0123456789abcdef"


def checked(store: Store) -> Relistened:
    lost = (LostWord(text="agua", start_s=72.0, end_s=72.4, heard="yegua"),)
    line = Reheard(
        segment=0, drawn=True, words=50, errors=1, sure=40, lost=lost, first_errors=5, first_lost=3, raised=1
    )
    with store.workspace(ID, "verify") as work:
        blob = work.keep(lines.write(work.folder / "reheard.jsonl", [line]))
    facts = {"why": "all speech was listened to again", "recogniser": "sphinx-1", "segments": 1, "lines": blob}
    return Relistened.of([line], spent_s=20.0, budget_s=180.0, **facts)


def test_it_counts_and_names(tmp_path: Path) -> None:
    store = open_store(f"file:{tmp_path}")
    said = list(told(checked(store), store, "es", each=False))
    assert said[0].startswith("De 40 palabras seguras, 39 se siguen oyendo (sphinx-1)")
    assert "2.0%" in said[1] and "10.0%" in said[1]
    assert said[2].endswith("1")
    assert said[3] == "Por qué: se volvió a escuchar toda la voz"
    assert list(told(checked(store), store, "es", each=True))[-1] == "1:12 «agua» → yegua"


def test_what_was_not_checked_has_its_reason(tmp_path: Path) -> None:
    store = open_store(f"file:{tmp_path}")
    none = Relistened(status="none", why="no recogniser was asked for")
    assert list(told(none, store, "es", each=True)) == [
        "No se comprobaron las palabras: no se pidió ningún reconocedor"
    ]
    failure = Failure(error="RecogniserLost", evidence={"name": "whisper:small", "why": "it closed its end"})
    lost = Relistened(status="failed", why="the recogniser failed (RecogniserLost)", failure=failure)
    assert "whisper:small" in next(iter(told(lost, store, "en", each=False)))
