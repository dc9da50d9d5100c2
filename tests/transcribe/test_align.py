"""Captions of real speech, moved and stretched, and how near to their place they are found."""

from __future__ import annotations

import numpy as np
import pytest

from chasqui.captions import Cue
from chasqui.transcribe.align import fit
from transcribe.conftest import foreign, moved


@pytest.mark.parametrize("rate", [1.0, 25 / 23.976, 24 / 25, 1.003, 0.97])
@pytest.mark.parametrize("offset_s", [0.0, -3.0, 40.0, -38.5])
def test_captions_are_found_wherever_they_were(
    captions: list[Cue], speech: np.ndarray, offset_s: float, rate: float
) -> None:
    shifted = moved(captions, offset_s, rate)
    found = fit(shifted, speech)
    assert found.margin > 0
    for cue in (shifted[0], shifted[-1]):
        assert found.at(cue.start_s) == pytest.approx(rate * cue.start_s + offset_s, abs=0.5)


@pytest.mark.parametrize("rate", [25 / 23.976, 23.976 / 24])
def test_rates_of_pictures_come_out_as_what_they_are(captions: list[Cue], speech: np.ndarray, rate: float) -> None:
    wide = moved(captions, 0.0, rate)
    if abs(rate - 1) > 0.01:  # a thousandth is 0.2 s at the end of this recording: nothing that shows
        assert fit(wide, speech).rate == pytest.approx(rate, abs=1e-9)
    assert fit(wide, speech).at(wide[-1].end_s) == pytest.approx(captions[-1].end_s, abs=0.5)


def test_captions_that_are_right_are_hardly_moved(captions: list[Cue], speech: np.ndarray) -> None:
    found = fit(captions, speech)
    assert (found.rate, abs(found.offset_s) < 0.35) == (1.0, True)


def test_captions_of_something_else_do_not_stand_out(captions: list[Cue], speech: np.ndarray) -> None:
    assert fit(foreign(captions), speech).margin < 0
    assert fit(captions, speech[::-1]).margin < 0


@pytest.mark.parametrize("silence", [np.zeros(3000, np.float32), np.zeros(1, np.float32), np.zeros(0, np.float32)])
def test_where_nothing_begins_nothing_is_certain(captions: list[Cue], silence: np.ndarray) -> None:
    found = fit(captions, silence)
    assert np.isfinite(found.offset_s)
    assert found.margin < 0


def test_one_cue_and_a_hundred_thousand_are_no_trouble(speech: np.ndarray) -> None:
    one = fit([Cue(3.0, 4.0, ("hola",))], speech)
    assert np.isfinite(one.certainty)
    many = [Cue(n * 0.5, n * 0.5 + 0.4, ("hola",)) for n in range(100_000)]
    assert np.isfinite(fit(many, speech).certainty)
