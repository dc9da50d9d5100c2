"""A budget is kept to the byte and used up."""

from __future__ import annotations

import pytest
from lesson import Packed

from chasqui.metrics.targets import TARGETS, keeps
from chasqui.records import Measured


def spent(lesson: Packed, budget: int, method: str = "predict") -> tuple[int, list[Measured]]:
    plan = lesson.run("choose", choose__budget_bytes=budget, choose__method=method)
    made = lesson.run("encode", encode__mp3=False)
    measured = lesson.lines(made.measured, Measured)
    assert made.renditions[0].blob.bytes <= budget
    if plan.promise:
        missed = [m for m in measured if not keeps(TARGETS[plan.promise], m.kind, m.scores)]
        assert not any(m.reachable for m in missed) or made.renditions[0].blob.bytes > 0.9 * budget
    return made.renditions[0].blob.bytes, measured


@pytest.fixture(scope="module")
def comfortable(analyzed: Packed) -> int:
    analyzed.run("choose", choose__target="comfortable")
    made = analyzed.run("encode", encode__mp3=False)
    size: int = made.renditions[0].blob.bytes
    return size


def test_a_budget_is_used_up_and_never_exceeded(analyzed: Packed, comfortable: int) -> None:
    """Two dozen seconds have few steps to spread bytes over; classes come within 1 %."""
    for share in (0.8, 1.25):
        size, _ = spent(analyzed, round(comfortable * share))
        assert size > 0.9 * comfortable * share


def test_what_was_planned_for_a_budget_is_kept(analyzed: Packed, comfortable: int) -> None:
    _, measured = spent(analyzed, round(comfortable * 1.25))
    assert all(keeps(TARGETS["comfortable"], m.kind, m.scores) for m in measured)
    assert all(not m.scores.visqol_skipped for m in measured), "the next promise must be judged too"


def test_more_than_enough_stays_unspent(analyzed: Packed, comfortable: int) -> None:
    size, measured = spent(analyzed, comfortable * 20)
    assert size < comfortable * 10
    assert all(keeps(TARGETS["clear"], m.kind, m.scores) or not m.reachable for m in measured)


def test_a_searched_plan_keeps_its_budget_too(analyzed: Packed, comfortable: int) -> None:
    spent(analyzed, round(comfortable * 1.1), method="search")
