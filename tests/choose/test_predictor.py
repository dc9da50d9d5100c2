"""The default predictor: mean curves, moved to fit what was seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.choose import predictor
from chasqui.choose.predictor import Offset, predict
from chasqui.codecs.opus import LADDER, RUNGS, ladder
from chasqui.records import Scores


def test_every_rung_of_the_ladder_is_in_the_table() -> None:
    assert set(predictor.SPEECH) | set(predictor.MUSIC) == {rung.name for rung in LADDER}


def test_what_was_measured_is_not_guessed() -> None:
    seen = {"voice-8": Scores(estoi=0.5, visqol=1.1)}
    assert predict("speech", RUNGS["voice-8"], seen, Offset(1, 1)) == seen["voice-8"]


def test_without_trials_the_prior_moves_the_curve() -> None:
    plain = predict("speech", RUNGS["voice-8"], {}, Offset())
    hard = predict("speech", RUNGS["voice-8"], {}, Offset(estoi=-1, visqol=-1))
    assert plain == Scores(estoi=0.875, visqol=2.37)
    assert hard.estoi is not None and hard.estoi < 0.75
    assert hard.visqol == pytest.approx(1.37)


def test_between_two_trials_the_offset_is_interpolated() -> None:
    seen = {"voice-9": Scores(estoi=0.9, visqol=1.85), "voice-48": Scores(estoi=0.998, visqol=3.99)}
    middle = predict("speech", RUNGS["voice-20"], seen, Offset()).visqol
    assert middle is not None
    assert 4.15 - (3.33 - 1.85) < middle < 4.15 - (4.43 - 3.99)


@given(
    rung=st.sampled_from([rung.name for rung in ladder("voip")]),
    estoi=st.floats(0.05, 0.99),
    visqol=st.floats(1.0, 5.0),
)
def test_an_offset_explains_its_own_trial(rung: str, estoi: float, visqol: float) -> None:
    moved = predictor.offset("speech", RUNGS[rung], Scores(estoi=estoi, visqol=visqol))
    again = predict("speech", RUNGS[rung], {}, moved)
    assert again.estoi == pytest.approx(estoi, abs=2e-3)
    assert again.visqol == pytest.approx(visqol, abs=2e-3)
