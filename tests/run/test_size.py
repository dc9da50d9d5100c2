"""Sizes and times as people write and read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.errors import BadConfig
from chasqui.run.size import read_size, show_size, show_time


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("3MB", 3_000_000),
        ("2.5 MB", 2_500_000),
        ("2,5mb", 2_500_000),
        ("800kB", 800_000),
        ("3MiB", 3 * 2**20),
        (" 3000000 ", 3_000_000),
        ("1 GB", 10**9),
        ("7 KiB", 7168),
        ("12b", 12),
        (4096, 4096),
    ],
)
def test_a_size_is_read_as_people_write_it(text: str | int, size: int) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "3 megas", "-3MB", "0", "0.2B", "3MB extra", "1e6", "inf", "NaN", -5])
def test_what_is_no_size_is_refused(text: str | int) -> None:
    with pytest.raises(BadConfig):
        read_size(text)


@given(st.integers(min_value=1, max_value=10**12))
def test_a_plain_number_of_bytes_is_exact(size: int) -> None:
    assert read_size(str(size)) == read_size(f"{size} B") == size


def test_sizes_and_times_are_shown_with_the_digits_that_matter() -> None:
    assert [show_size(size) for size in (950, 34_000, 340_000, 6_120_000, 1_234_000_000)] == [
        "0.9 kB",
        "34 kB",
        "340 kB",
        "6.1 MB",
        "1,234 MB",
    ]
    assert [show_time(seconds) for seconds in (0, 4.6, 245, 3723)] == ["0:00", "0:05", "4:05", "1:02:03"]
