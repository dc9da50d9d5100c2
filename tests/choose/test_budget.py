"""Bytes to promises: never over the budget, and more bytes never promise less."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.choose import budget
from chasqui.choose.opus import Trial, Tried
from chasqui.choose.predictor import Offset
from chasqui.codecs.opus import ladder
from chasqui.errors import BadConfig
from chasqui.metrics.targets import TARGETS, keeps
from chasqui.records import Kind, Scores, Segment

CONTAINER = 300
ORDER = [None, *TARGETS]


@st.composite
def lessons(draw: st.DrawFn) -> tuple[list[Tried], list[Segment]]:
    """Segments that were tried at a few rungs, dearer ones scoring better."""
    tried, segments = [], []
    for index in range(draw(st.integers(1, 8))):
        kind: Kind = draw(st.sampled_from(("speech", "music", "silence")))
        rungs = ladder("audio" if kind == "music" else "voip")
        names = draw(st.lists(st.sampled_from([rung.name for rung in rungs]), min_size=1, max_size=5, unique=True))
        order = [rung.name for rung in rungs if rung.name in names]
        estoi = sorted(draw(st.lists(st.floats(0.5, 0.99), min_size=len(order), max_size=len(order))))
        visqol = sorted(draw(st.lists(st.floats(1.0, 4.9), min_size=len(order), max_size=len(order))))
        sizes = sorted(draw(st.lists(st.integers(100, 9000), min_size=len(order), max_size=len(order), unique=True)))
        one = Tried(index, kind, Offset(), None)
        for name, e, v, size in zip(order, estoi, visqol, sizes, strict=True):
            scores = {"speech": Scores(estoi=e, visqol=v), "music": Scores(visqol=v), "silence": Scores()}[kind]
            one.trials[name] = Trial(size, scores)
        tried.append(one)
        segments.append(Segment(index=index, start_packet=100 * index, packets=100, kind=kind, speech_share=1.0))
    return tried, segments


def least(tried: list[Tried]) -> int:
    return sum(min(trial.bytes for trial in one.trials.values()) for one in tried) + CONTAINER


@given(lesson=lessons(), spare=st.integers(0, 40_000), asked=st.sampled_from(list(TARGETS)))
def test_the_budget_is_never_exceeded(lesson: tuple[list[Tried], list[Segment]], spare: int, asked: str) -> None:
    tried, segments = lesson
    room = least(tried) + spare
    fitted = budget.fit(tried, segments, asked, room, CONTAINER)  # type: ignore[arg-type]
    assert sum(choice.bytes for choice in fitted.choices) + CONTAINER <= room


@given(lesson=lessons(), spare=st.integers(0, 20_000), more=st.integers(0, 20_000))
def test_more_bytes_never_promise_less(lesson: tuple[list[Tried], list[Segment]], spare: int, more: int) -> None:
    tried, segments = lesson
    small = budget.fit(tried, segments, "clear", least(tried) + spare, CONTAINER)
    large = budget.fit(tried, segments, "clear", least(tried) + spare + more, CONTAINER)
    assert ORDER.index(large.promise) >= ORDER.index(small.promise)


@given(lesson=lessons(), spare=st.integers(0, 40_000))
def test_what_is_promised_is_kept_by_every_reachable_segment(
    lesson: tuple[list[Tried], list[Segment]], spare: int
) -> None:
    tried, segments = lesson
    fitted = budget.fit(tried, segments, "clear", least(tried) + spare, CONTAINER)
    if fitted.promise is None:
        return
    for choice, segment in zip(fitted.choices, segments, strict=True):
        assert choice.reachable == keeps(TARGETS[fitted.promise], segment.kind, choice.expected)


def test_a_budget_below_the_cheapest_encode_says_what_is_needed() -> None:
    one = Tried(0, "speech", Offset(), None, {"voice-5": Trial(5000, Scores(estoi=0.7))})
    segment = Segment(index=0, start_packet=0, packets=100, kind="speech", speech_share=1.0)
    with pytest.raises(BadConfig, match="5300 bytes"):
        budget.fit([one], [segment], "clear", 5000, CONTAINER)


def test_spare_bytes_go_where_they_help_most() -> None:
    """Both could use the bytes; only one can have them; the second gains twice as much."""
    a = Tried(
        0,
        "speech",
        Offset(),
        None,
        {"voice-5": Trial(1000, Scores(estoi=0.70)), "voice-8": Trial(1500, Scores(estoi=0.74))},
    )
    b = Tried(
        1,
        "speech",
        Offset(),
        None,
        {"voice-5": Trial(1000, Scores(estoi=0.70)), "voice-8": Trial(1500, Scores(estoi=0.78))},
    )
    segments = [Segment(index=i, start_packet=100 * i, packets=100, kind="speech", speech_share=1.0) for i in (0, 1)]
    fitted = budget.fit([a, b], segments, "understood", 2500 + CONTAINER, CONTAINER)
    assert fitted.promise is None
    assert all(choice.reachable and not choice.doubtful for choice in fitted.choices)
    assert [choice.rung for choice in fitted.choices] == ["voice-5", "voice-8"]
