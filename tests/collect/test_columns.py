"""The table of columns in the docs is the one in the code."""

from __future__ import annotations

from pathlib import Path

from chasqui.collect.columns import TABLE, as_table
from chasqui.collect.schema import SCHEMA_VERSION

PAGE = Path(__file__).parents[2] / "docs" / "collect.md"


def test_the_docs_have_this_table() -> None:
    assert "\n".join(as_table()) in PAGE.read_text(encoding="utf-8")


def test_names_are_there_once() -> None:
    names = [column.name for column in TABLE]
    assert len(names) == len(set(names))


def test_no_column_is_of_the_future() -> None:
    assert {column.since for column in TABLE} <= set(range(1, SCHEMA_VERSION + 1))
