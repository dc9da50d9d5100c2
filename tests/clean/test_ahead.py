"""Working ahead in a thread: the same items, the same errors, and no thread left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.clean.ahead import ahead


@given(items=st.lists(st.integers(), max_size=30), depth=st.integers(1, 4))
def test_the_same_items_in_order(items: list[int], depth: int) -> None:
    assert list(ahead(iter(items), depth)) == items


def test_an_error_of_the_source_reaches_the_reader_after_what_came_before() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise OSError(28, "No space left on device")

    got = []
    with pytest.raises(OSError, match="No space"):
        for item in ahead(source()):
            got.append(item)
    assert got == [1]


def test_a_reader_that_leaves_stops_the_thread() -> None:
    def source() -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    items = ahead(source())
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]
    assert "ahead" not in {thread.name for thread in threading.enumerate()}


def test_no_more_than_depth_is_made_in_advance() -> None:
    made = []

    def source() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            yield number

    items = ahead(source(), depth=2)
    next(items)
    threading.Event().wait(0.3)
    assert len(made) <= 4  # the one taken, two held, one in hand
    items.close()  # type: ignore[attr-defined]
