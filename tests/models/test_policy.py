"""The rule of spending encodes: it ends, it climbs on a miss, it steps down where that pays, it keeps what keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from models.test_curve import curve, kinds, relaxed

from chasqui.codecs.opus import RUNGS
from chasqui.metrics.targets import TARGETS, Target, keeps, margin
from chasqui.models import policy
from chasqui.models.card import Card, read
from chasqui.models.curve import Curve
from chasqui.records import Scores, TargetName


@pytest.fixture(scope="session")
def cards(models: Path) -> dict[str, Card]:
    return {kind: read(models / kind) for kind in ("speech", "music")}


def play(one: Curve, target: Target, truth: dict[str, Scores]) -> tuple[list[str], str, bool]:
    """(rungs encoded in order, the one taken, whether it keeps the target)."""
    rung: str | None = policy.first(one, target)
    seen: dict[str, Scores] = {}
    while rung is not None:
        assert rung not in seen, "nothing is encoded twice"
        seen[rung] = truth[rung]
        rung = policy.after(one, seen, target)
        assert len(seen) <= policy.MOST
    return list(seen), *policy.settle(one, seen, target)


@st.composite
def truths(draw: st.DrawFn, kind: str, rungs: tuple[str, ...]) -> dict[str, Scores]:
    """Any scores at all, even such as no codec gives."""
    count = len(rungs)
    visqol = draw(st.lists(st.floats(1, 5), min_size=count, max_size=count))
    estoi = draw(st.lists(st.floats(0, 1), min_size=count, max_size=count))
    return {
        rung: Scores(estoi=e if kind == "speech" else None, visqol=v)
        for rung, e, v in zip(rungs, estoi, visqol, strict=True)
    }


@relaxed
@given(data=st.data(), kind=kinds, name=st.sampled_from(list(TARGETS)), shift=st.floats(-2, 2))
def test_it_always_ends_and_settles_on_what_keeps(
    cards: dict[str, Card], data: st.DataObject, kind: str, name: TargetName, shift: float
) -> None:
    one, target = curve(cards[kind], shift), TARGETS[name]
    truth = data.draw(truths(kind, one.card.rungs))
    tried, taken, kept = play(one, target, truth)
    keeping = [rung for rung in one.card.rungs if rung in tried and keeps(target, one.kind, truth[rung])]
    assert kept == bool(keeping)
    assert taken in tried
    if keeping:
        assert taken == keeping[0], "the cheapest that keeps it"
    else:
        assert one.card.rungs[-1] in tried, "out of reach is only what the dearest rung misses"
        best = max(margin(target, one.kind, truth[rung]) for rung in tried)
        assert margin(target, one.kind, truth[taken]) >= best - policy.NEAR_STEPS


@pytest.mark.parametrize("name", list(TARGETS))
def test_a_curve_that_is_right_needs_an_encode_or_two(cards: dict[str, Card], name: TargetName) -> None:
    one, target = curve(cards["speech"]), TARGETS[name]
    tried, taken, kept = play(one, target, {rung: one.scores(rung) for rung in one.card.rungs})
    assert len(tried) <= 2
    assert kept
    cheaper = one.card.rungs[: one.card.rungs.index(taken)]
    assert sum(keeps(target, "speech", one.scores(rung)) for rung in cheaper) <= 1


def test_a_harder_segment_starts_higher(cards: dict[str, Card]) -> None:
    rates = [
        RUNGS[policy.first(curve(cards["speech"], shift), TARGETS["comfortable"])].bitrate_bps
        for shift in (1.0, 0.0, -0.7)
    ]
    assert rates == sorted(rates)
    assert rates[0] < rates[-1]


def test_a_miss_goes_up_and_a_wide_margin_down(cards: dict[str, Card]) -> None:
    one, target = curve(cards["speech"]), TARGETS["understood"]
    up = policy.after(one, {"voice-6.5": Scores(estoi=0.70)}, target)
    down = policy.after(one, {"voice-12": Scores(estoi=0.97)}, target)
    assert up is not None and RUNGS[up].bitrate_bps > 6_500
    assert down is not None and RUNGS[down].bitrate_bps < 12_000
    assert policy.after(one, {"voice-6.5": Scores(estoi=0.801)}, target) is None


def test_a_hopeless_segment_is_proved_hopeless_and_costs_little(cards: dict[str, Card]) -> None:
    one, target = curve(cards["speech"]), TARGETS["clear"]
    truth = {rung: Scores(estoi=0.3 + at * 1e-4, visqol=1.1) for at, rung in enumerate(one.card.rungs)}
    tried, taken, kept = play(one, target, truth)
    assert not kept
    assert "voice-48" in tried
    assert RUNGS[taken].bitrate_bps < 48_000, "no dearest rung for next to nothing"


@pytest.mark.parametrize(("kind", "safe"), [("speech", "voice-11"), ("music", "audio-14")])
def test_what_cannot_be_scored_gets_a_safe_rung(cards: dict[str, Card], kind: str, safe: str) -> None:
    one = curve(cards[kind])
    truth = {rung: Scores() for rung in one.card.rungs}
    tried, taken, kept = play(one, TARGETS["comfortable"], truth)
    assert (taken, kept) == (safe, True)
    assert len(tried) <= 2


def test_what_was_left_out_keeps_nothing(cards: dict[str, Card]) -> None:
    """ViSQOL that nobody asked for is not ViSQOL that is kept."""
    one = curve(cards["speech"])
    seen = {"voice-12": Scores(estoi=0.95, visqol_skipped=True)}
    assert policy.kept_by(one, seen, TARGETS["understood"]) == ["voice-12"]
    assert policy.kept_by(one, seen, TARGETS["comfortable"]) == []
