"""The table of promises is in order, and what it says about scores never contradicts itself."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.metrics.targets import ESTOI_STEP, TARGETS, VISQOL_STEP, Target, best_kept, keeps, margin
from chasqui.records import Kind, Scores

KINDS: tuple[Kind, ...] = ("speech", "music", "silence")
kinds = st.sampled_from(KINDS)
targets = st.sampled_from(list(TARGETS.values()))
estois = st.floats(0, 1)
visqols = st.floats(1, 5)
scores = st.builds(Scores, estoi=st.none() | estois, visqol=st.none() | visqols)


def test_the_names_are_those_of_the_keys() -> None:
    assert list(TARGETS) == [target.name for target in TARGETS.values()] == ["understood", "comfortable", "clear"]


def test_each_promise_holds_the_one_below_it() -> None:
    for lower, higher in pairwise(TARGETS.values()):
        assert lower.speech_estoi <= higher.speech_estoi
        assert (lower.speech_visqol or 0) < (higher.speech_visqol or 0)
        assert lower.music_visqol < higher.music_visqol


def test_thresholds_are_scores_that_exist() -> None:
    for target in TARGETS.values():
        assert 0 < target.speech_estoi < 1
        assert 1 < (target.speech_visqol or 2) < 5
        assert 1 < target.music_visqol < 5


@pytest.mark.parametrize(
    ("kind", "estoi", "visqol", "best"),
    [
        ("speech", 0.80, 2.99, "understood"),
        ("speech", 0.80, 3.0, "comfortable"),
        ("speech", 0.849, 4.9, "comfortable"),
        ("speech", 0.85, 3.5, "clear"),
        ("speech", 0.7999, 4.9, None),
        ("music", None, 2.49, None),
        ("music", None, 2.5, "understood"),
        ("music", None, 3.5, "comfortable"),
        ("music", None, 4.0, "clear"),
        ("music", 0.1, 4.0, "clear"),  # music has no words to lose
        ("silence", 0.0, 1.0, "clear"),
        ("music", None, None, "clear"),
    ],
)
def test_best_kept(kind: Kind, estoi: float | None, visqol: float | None, best: str | None) -> None:
    assert best_kept(kind, Scores(estoi=estoi, visqol=visqol)) == best


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_the_threshold_itself_is_kept(target: Target) -> None:
    assert margin(target, "speech", Scores(estoi=target.speech_estoi, visqol=target.speech_visqol)) == 0
    assert margin(target, "music", Scores(visqol=target.music_visqol)) == 0


@given(target=targets, kind=kinds, got=scores)
def test_keeping_is_a_margin_not_below_zero(target: Target, kind: Kind, got: Scores) -> None:
    assert keeps(target, kind, got) == (margin(target, kind, got) >= 0)


@given(target=targets, kind=kinds, estoi=estois, visqol=visqols, more=st.floats(0, 1))
def test_better_scores_never_lower_the_margin(target, kind: Kind, estoi: float, visqol: float, more: float) -> None:
    plain = margin(target, kind, Scores(estoi=estoi, visqol=visqol))
    assert margin(target, kind, Scores(estoi=min(estoi + more, 1), visqol=visqol)) >= plain
    assert margin(target, kind, Scores(estoi=estoi, visqol=min(visqol + more, 5))) >= plain


@given(kind=kinds, got=scores)
def test_what_keeps_a_promise_keeps_those_below(kind: Kind, got: Scores) -> None:
    kept = [keeps(target, kind, got) for target in TARGETS.values()]
    assert kept == sorted(kept, reverse=True)
    assert best_kept(kind, got) == (list(TARGETS)[sum(kept) - 1] if any(kept) else None)


@given(target=targets, got=scores)
def test_silence_keeps_everything_without_a_margin(target, got: Scores) -> None:
    assert margin(target, "silence", got) == 0


@given(target=targets, kind=kinds)
def test_nothing_measured_is_neither_kept_by_a_margin_nor_missed(target: Target, kind: Kind) -> None:
    assert margin(target, kind, Scores()) == 0


@given(target=targets, steps=st.integers(-5, 5))
def test_a_margin_is_counted_in_steps_of_the_worst_metric(target: Target, steps: int) -> None:
    plenty = Scores(estoi=target.speech_estoi + steps * ESTOI_STEP, visqol=5.0)
    assert margin(target, "speech", plenty) == pytest.approx(steps, abs=1e-6)
    music = Scores(visqol=target.music_visqol + steps * VISQOL_STEP)
    assert margin(target, "music", music) == pytest.approx(steps, abs=1e-6)
