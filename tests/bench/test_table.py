"""How results are read and shown."""

import pytest

from bench.figures import cheapest
from bench.speed import stages
from bench.table import markdown


@pytest.mark.parametrize(
    ("shares", "wanted", "found"),
    [
        ({6: 0.5, 12: 0.96, 24: 1.0}, 0.95, 12),
        ({8: 0.96, 9: 0.93, 24: 1.0}, 0.95, 8),  # narrowband may keep what the first wideband rate misses
        ({6: 0.5, 12: 0.9}, 0.95, None),
    ],
)
def test_cheapest_rate_is_the_lowest_that_keeps_the_promise(
    shares: dict[int, float], wanted: float, found: int | None
) -> None:
    assert cheapest(shares, wanted) == found


def test_stage_times_come_from_what_the_stages_say() -> None:
    said = [
        (0.4, {"kind": "started", "stage": "pack"}),
        (0.5, {"kind": "started", "stage": "ingest"}),
        (0.6, {"kind": "advanced", "stage": "ingest"}),
        (0.75, {"kind": "finished", "stage": "ingest"}),
        (0.75, {"kind": "started", "stage": "clean"}),
        (2.0, {"kind": "finished", "stage": "clean"}),
    ]
    assert stages(said) == {"start-up": 0.5, "ingest": 0.25, "clean": 1.25}


def test_numbers_stand_to_the_right_and_gaps_show_a_dash() -> None:
    assert markdown(["name", "kb/s"], [["a", 6.5], ["long name", None]]) == (
        "| name      | kb/s |\n| --------- | ---: |\n| a         |  6.5 |\n| long name |    – |"
    )
