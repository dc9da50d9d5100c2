"""Measurements narrow a curve, dearer rungs do not score less, and chances are chances."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import standin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chasqui.metrics.targets import TARGETS, Target
from chasqui.models import curve as curves
from chasqui.models.card import Card, read
from chasqui.models.curve import Curve, forecast, natural, predicted, rising, working
from chasqui.records import Forecast, Scores

relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
kinds = st.sampled_from(["speech", "music"])


@pytest.fixture(scope="session")
def cards(models: Path) -> dict[str, Card]:
    return {kind: read(models / kind) for kind in ("speech", "music")}


def curve(card: Card, shift: float = 0.0, difficulty: float = 0.0, seconds: float = 6.0) -> Curve:
    outputs = standin.bias(card.kind).astype(np.float64)
    outputs[: len(card.metrics) * len(card.rungs)] += shift
    outputs[-1] = difficulty
    return predicted(card, outputs, seconds)


@relaxed
@given(kind=kinds, at=st.integers(0, 8), estoi=st.floats(0.05, 0.99), visqol=st.floats(1, 5), shift=st.floats(-1, 1))
def test_a_measurement_narrows_the_curve(
    cards: dict[str, Card], kind: str, at: int, estoi: float, visqol: float, shift: float
) -> None:
    before = curve(cards[kind], shift)
    rung = before.card.rungs[at]
    after = before.given(rung, Scores(estoi=estoi if kind == "speech" else None, visqol=visqol))
    assert (after.deviations() <= before.deviations() + 1e-9).all()
    assert after.deviations()[:, at].max() < 0.1 < before.deviations()[:, at].max()
    assert np.linalg.eigvalsh(after.covariance).min() > -1e-8


def test_a_measurement_moves_its_own_rung_onto_itself_and_the_others_along(cards: dict[str, Card]) -> None:
    before = curve(cards["speech"])
    after = before.given("voice-8", Scores(estoi=0.7, visqol_skipped=True))
    assert after.scores("voice-8").estoi == pytest.approx(0.7, abs=0.01)
    assert (after.mean[0] < before.mean[0]).all()
    assert (after.mean[1] < before.mean[1]).all(), "a segment that is hard to understand also sounds worse"


def test_what_was_not_measured_changes_nothing(cards: dict[str, Card]) -> None:
    before = curve(cards["speech"])
    assert before.given("voice-8", Scores()) is before


@relaxed
@given(kind=kinds, noise=st.lists(st.floats(-3, 3), min_size=34, max_size=34), at=st.integers(0, 8))
def test_scores_rise_within_narrowband_and_within_wideband(
    cards: dict[str, Card], kind: str, noise: list[float], at: int
) -> None:
    card = cards[kind]
    outputs = standin.bias(kind).astype(np.float64)
    places = len(card.metrics) * len(card.rungs)
    outputs[:places] += noise[:places]
    made = predicted(card, outputs, 6.0)
    measured = made.given(card.rungs[at], Scores(estoi=0.5 if kind == "speech" else None, visqol=2.0))
    wide = card.rungs.index("voice-9") if kind == "speech" else 0
    for mean in (made.mean, measured.mean):
        assert (np.diff(mean[:, :wide]) >= 0).all()
        assert (np.diff(mean[:, wide:]) >= 0).all()
    assert (np.diff(made.sizes) >= 0).all()


def test_the_first_wideband_rung_may_score_less(cards: dict[str, Card]) -> None:
    estoi = curve(cards["speech"]).mean[0]
    names = list(cards["speech"].rungs)
    assert estoi[names.index("voice-9")] < estoi[names.index("voice-8")]
    assert rising(np.array([[3.0, 1.0, 2.0]]), "music").tolist() == [[3.0, 3.0, 3.0]]


@relaxed
@given(kind=kinds, shift=st.floats(-4, 4), difficulty=st.floats(-9, 9))
def test_a_chance_lies_between_0_and_1_and_falls_with_the_target(
    cards: dict[str, Card], kind: str, shift: float, difficulty: float
) -> None:
    one = curve(cards[kind], shift, difficulty)
    chances = np.array([one.chance(target) for target in TARGETS.values()])
    assert ((chances >= 0) & (chances <= 1)).all()
    assert (np.diff(chances, axis=0) <= 1e-12).all()
    impossible = Target("clear", speech_estoi=0.9999, speech_visqol=5.0, music_visqol=5.0)
    assert (one.chance(impossible) <= chances[2] + 1e-12).all()


@relaxed
@given(kind=kinds, shift=st.floats(-2, 2), level=st.floats(0.05, 0.9))
def test_surer_bounds_lie_lower(cards: dict[str, Card], kind: str, shift: float, level: float) -> None:
    one = curve(cards[kind], shift)
    assert (one.low(level + 0.05) <= one.low(level) + 1e-12).all()


@relaxed
@given(kind=kinds, shift=st.floats(-2, 2), difficulty=st.floats(-1, 1), seconds=st.floats(0.5, 15))
def test_a_forecast_travels_and_comes_back(
    cards: dict[str, Card], kind: str, shift: float, difficulty: float, seconds: float
) -> None:
    made = curve(cards[kind], shift, difficulty, seconds)
    told = Forecast.model_validate_json(forecast(made, TARGETS["understood"]).model_dump_json())
    back = curves.again(told, cards[kind])
    seen = working("visqol", 1.0), working("visqol", 5.0)
    inside = (made.mean[-1] > seen[0]) & (made.mean[-1] < seen[1])  # people's numbers end at 1 and 5
    assert back.mean[-1][inside] == pytest.approx(made.mean[-1][inside], abs=1e-3)
    assert back.sizes == pytest.approx(made.sizes, abs=0.51)
    assert back.deviations() == pytest.approx(made.deviations(), rel=1e-3)
    assert told.chance == pytest.approx(made.chance(TARGETS["understood"]), abs=1e-4)


@given(value=st.floats(0.02, 0.99))
def test_logits_come_back(value: float) -> None:
    assert natural("estoi", working("estoi", value)) == pytest.approx(value, abs=1e-4)


def test_no_model_may_call_itself_certain(cards: dict[str, Card]) -> None:
    assert curve(cards["speech"], difficulty=-50).deviations().min() > 0.05
