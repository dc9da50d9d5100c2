"""Packets on disk by segment."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chasqui.encode.shelf import Shelf

packets = st.lists(st.binary(min_size=1, max_size=400), min_size=1, max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(segments=st.lists(packets, min_size=1, max_size=6), again=packets, which=st.integers(0, 5))
def test_what_is_put_comes_back_in_order(
    tmp_path: Path, segments: list[list[bytes]], again: list[bytes], which: int
) -> None:
    which = which % len(segments)
    with Shelf(tmp_path / "packets") as shelf:
        for index, content in enumerate(segments):
            shelf.put(index, content)
        shelf.put(which, again)
        wanted = [again if index == which else content for index, content in enumerate(segments)]
        assert [shelf.get(index) for index in range(len(wanted))] == wanted
        assert list(shelf.all()) == wanted


def test_the_tail_reaches_back_over_short_segments(tmp_path: Path) -> None:
    with Shelf(tmp_path / "packets") as shelf:
        for index, content in enumerate([[b"a", b"b"], [b"c"], [b"d"]]):
            shelf.put(index, content)
        assert shelf.tail(2, 2) == [b"b", b"c"]
        assert shelf.tail(2, 8) == [b"a", b"b", b"c"]
        assert shelf.tail(0, 8) == []
