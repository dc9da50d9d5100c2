"""Tags as short clean text, whatever was in the file."""

from __future__ import annotations

import json
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.ingest.tags import MOST_KEY, MOST_TAGS, MOST_VALUE, chapters_of, cleaned, one_line

ANY = st.text(st.characters(), max_size=400)  # lone surrogates included


@settings(deadline=None)  # other work on the machine is no failure
@given(ANY)
def test_one_line_is_short_clean_and_stable(text: str) -> None:
    line = one_line(text)
    assert len(line) <= MOST_VALUE
    assert line == line.strip()
    assert not any(unicodedata.category(letter)[0] == "C" for letter in line)
    assert "  " not in line
    assert one_line(line) == line
    json.dumps(line).encode()
    line.encode("utf-8")


@settings(deadline=None)  # other work on the machine is no failure
@given(st.dictionaries(ANY, ANY, max_size=60))
def test_tags_stay_few_and_small(tags: dict[str, str]) -> None:
    kept = cleaned(tags)
    assert len(kept) <= MOST_TAGS
    assert all(key and value and len(key) <= 2 * MOST_KEY and key == key.lower() for key, value in kept.items())


def test_what_people_write_stays() -> None:
    assert one_line("  ¿Qué es la célula?\r\n\tClase 3 – 5.º grado ") == "¿Qué es la célula? Clase 3 – 5.º grado"
    assert one_line("mp3\u202egpj.exe\x00") == "mp3gpj.exe"
    assert one_line("caf\udce9") == "caf\ufffd"
    assert cleaned({"TITLE": "Uno", "title": "Dos", "lyrics": " \n "}) == {"title": "Uno"}


def test_chapters_come_in_order_and_inside_the_sound() -> None:
    found = [(30.0, "tres\n"), (0.0, " uno "), (10.0, ""), (10.0, "otra vez"), (-5.0, "antes"), (99.0, "después")]
    told = [(chapter.start_s, chapter.end_s, chapter.title) for chapter in chapters_of(found, 60.0)]
    assert told == [(0.0, 10.0, "uno"), (10.0, 30.0, "2"), (30.0, 60.0, "tres")]
    assert chapters_of([(0.0, "todo")], 60.0) == ()


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(), ANY), max_size=8), st.floats(1, 1e5))
def test_chapters_are_whole_whatever_the_file_says(found: list[tuple[float, str]], duration_s: float) -> None:
    told = chapters_of(found, duration_s)
    times = [time for chapter in told for time in (chapter.start_s, chapter.end_s or 0.0)]
    assert times == sorted(times)
    assert all(chapter.title == one_line(chapter.title) != "" for chapter in told)
    json.dumps([chapter.model_dump() for chapter in told])
