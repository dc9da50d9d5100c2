"""Planning a real lesson by trial."""

from __future__ import annotations

from typing import Any

import pytest
from lesson import Packed

from chasqui.choose import plan as planning
from chasqui.errors import BadConfig
from chasqui.metrics.targets import TARGETS, keeps
from chasqui.records import Choice, Plan, Segment


def search(lesson: Packed, **flags: Any) -> Plan:
    plan: Plan = lesson.run("choose", choose__method="search", **flags)
    return plan


def choices(lesson: Packed) -> list[Choice]:
    return lesson.lines(lesson.get("choose").choices, Choice)


def test_every_segment_gets_the_cheapest_rung_that_keeps_the_promise(analyzed: Packed) -> None:
    plan = search(analyzed)
    segments = analyzed.lines(analyzed.get("analyze").segments, Segment)
    chosen = choices(analyzed)
    assert plan.target == plan.promise == "understood"
    assert [choice.segment for choice in chosen] == [segment.index for segment in segments]
    assert {segment.kind for segment in segments} >= {"speech", "music"}
    for segment, choice in zip(segments, chosen, strict=True):
        assert choice.reachable
        assert keeps(TARGETS["understood"], segment.kind, choice.expected), choice
    assert len({choice.rung for choice in chosen}) > 1, "one rung for all is no choice"


def test_scores_are_remembered(analyzed: Packed) -> None:
    search(analyzed, choose__target="comfortable")
    before = choices(analyzed)
    again = analyzed.run(
        "choose", choose__method="search", choose__target="comfortable", choose__trials=5
    )  # another key, the same trials
    assert again.encodes == 0
    assert again.remembered > 0
    assert choices(analyzed) == before


def test_a_better_promise_costs_more(analyzed: Packed) -> None:
    sizes = [search(analyzed, choose__target=name).expected_bytes for name in TARGETS]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


def test_a_budget_is_kept_and_said(analyzed: Packed) -> None:
    comfortable = search(analyzed, choose__target="comfortable").expected_bytes
    plan = search(analyzed, choose__budget_bytes=comfortable + 200)
    assert plan.target == plan.promise == "comfortable", "a budget alone asks for the best it can keep"
    assert plan.expected_bytes <= comfortable + 200
    assert "budget" in plan.why
    asked = analyzed.run(
        "choose", choose__method="search", choose__budget_bytes=comfortable + 200, choose__target="clear"
    )
    assert (asked.target, asked.promise) == ("clear", "comfortable")


def test_a_budget_too_small_for_anything_is_refused(analyzed: Packed) -> None:
    with pytest.raises(BadConfig, match="too small"):
        search(analyzed, choose__budget_bytes=1000)


def test_threads_do_not_change_the_outcome(analyzed: Packed) -> None:
    from chasqui.choose import Options
    from chasqui.events import Report

    master, analysis = analyzed.get("clean"), analyzed.get("analyze")
    outcomes = []
    for threads in (1, 3):
        with analyzed.store.workspace(analyzed.recording_id, "choose") as work:
            options = Options(target="comfortable", method="search", threads=threads)
            report = Report("choose", analyzed.recording_id)
            outcomes.append(planning.make(master, analysis, options=options, work=work, report=report).choices.sha256)
    assert len(set(outcomes)) == 1
