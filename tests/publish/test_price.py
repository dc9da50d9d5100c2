"""Money and sizes, as a teacher reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.publish import Options
from chasqui.publish.price import megabytes, price_of, soles, times_smaller


@pytest.mark.parametrize(
    ("pen", "text"),
    [(12.3456, "S/ 12.35"), (0.12, "S/ 0.12"), (0.0035, "S/ 0.004"), (0.00002, "S/ 0.001"), (0.0, "S/ 0")],
)
def test_soles(pen, text):
    assert soles(pen) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(123_456_789, "123 MB"), (12_340_000, "12.3 MB"), (352_000, "0.35 MB"), (4_200, "4.2 kB"), (0, "0.0 kB")],
)
def test_megabytes_are_decimal(count, text):
    assert megabytes(count) == text


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (3599, 100, "35"),
        (499, 100, "4.9"),
        (105, 100, None),
        (50, 100, None),
        (10, 0, "10"),
        (2_500_000, 100, "25,000"),
    ],
)
def test_times_smaller_never_boasts(before, after, text):
    assert times_smaller(before, after) == text


def test_the_price_follows_the_settings():
    price = price_of(12_000_000, 350_000, Options(pen_per_mb=0.02, pack_mb=50))
    assert (price.source_pen, price.lesson_pen) == (0.24, 0.007)
    assert (price.source_per_pack, price.lessons_per_pack) == (4, 142)


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.floats(0.001, 1e6))
def test_a_pack_never_promises_more_than_it_holds(before, after, pack_mb):
    price = price_of(before, after, Options(pack_mb=pack_mb))
    assert price.lessons_per_pack * after <= pack_mb * 1_000_000
    assert price.source_per_pack * before <= pack_mb * 1_000_000
