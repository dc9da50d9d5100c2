"""Captions that belong to a sound wholly, partly, and not at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from chasqui.captions import Cue
from chasqui.errors import CaptionsMisfit
from chasqui.transcribe.align import FRAME_S
from chasqui.transcribe.judge import placed
from transcribe.conftest import foreign, moved


def seconds(speech: np.ndarray) -> float:
    return len(speech) * FRAME_S


def test_all_that_fits_is_kept(captions: list[Cue], speech: np.ndarray) -> None:
    found = placed(moved(captions, -3.0), speech, seconds(speech), "clase.vtt")
    assert found.checked
    assert len(found.cues) == len(captions)
    assert not found.dropped
    assert found.fit.offset_s == pytest.approx(-3.0, abs=0.4)


def test_captions_of_another_recording_are_refused(captions: list[Cue], speech: np.ndarray) -> None:
    with pytest.raises(CaptionsMisfit, match="agree nowhere"):
        placed(foreign(captions), speech, seconds(speech), "otra.vtt")


def test_what_goes_on_behind_the_end_is_left_out(captions: list[Cue], speech: np.ndarray) -> None:
    half = speech[: len(speech) * 6 // 10]
    found = placed(captions, half, seconds(half), "clase.vtt")
    assert found.dropped["outside"] + len(found.cues) == len(captions)
    assert found.cues[-1].end_s <= seconds(half)


def test_half_an_hour_of_captions_for_three_minutes_is_refused(captions: list[Cue], speech: np.ndarray) -> None:
    last_s = captions[-1].end_s
    long = captions + [
        replace(cue, start_s=cue.start_s + n * last_s, end_s=cue.end_s + n * last_s)
        for n in range(1, 8)
        for cue in captions
    ]
    with pytest.raises(CaptionsMisfit, match="of their text stands where somebody speaks"):
        placed(long, speech, seconds(speech), "larga.vtt")


def test_what_stands_over_music_is_left_out(captions: list[Cue], speech: np.ndarray) -> None:
    at = round(30 / FRAME_S)
    quiet = np.concatenate([speech[:at], np.zeros(round(20 / FRAME_S), np.float32), speech[at:]])
    before = [cue for cue in captions if cue.end_s <= 30]
    behind = [replace(c, start_s=c.start_s + 20, end_s=c.end_s + 20) for c in captions if c.start_s >= 30]
    song = [Cue(34.0, 38.0, ("la la la",)), Cue(40.0, 44.0, ("la la",))]
    found = placed([*before, *song, *behind], quiet, seconds(quiet), "clase.vtt")
    assert found.dropped == {"silence": 2}
    assert not any("la la" in cue.text for cue in found.cues)


def test_a_break_that_was_cut_out_of_the_recording_is_followed(captions: list[Cue], speech: np.ndarray) -> None:
    """The captions were made before 50 s in the middle were cut."""
    here = len(captions) * 6 // 10
    cut = [c if n < here else replace(c, start_s=c.start_s + 50, end_s=c.end_s + 50) for n, c in enumerate(captions)]
    found = placed(cut, speech, seconds(speech), "clase.vtt")
    off = [abs(cue.start_s - captions[place].start_s) for cue, place in zip(found.cues, found.origin, strict=True)]
    assert len(found.cues) > 0.9 * len(captions)
    assert np.median(off) < 0.4
    assert np.percentile(off, 85) < 0.6


def test_few_captions_are_believed_where_somebody_speaks(captions: list[Cue], speech: np.ndarray) -> None:
    found = placed(captions[:3], speech, seconds(speech), "clase.vtt")
    assert not found.checked
    assert [cue.text for cue in found.cues] == [cue.text for cue in captions[:3]]


def test_a_voice_without_a_pause_says_nothing_about_captions(captions: list[Cue]) -> None:
    found = placed(captions, np.ones(6600, np.float32), 6600 * FRAME_S, "clase.vtt")
    assert not found.checked
    assert [cue.start_s for cue in found.cues] == [round(cue.start_s, 3) for cue in captions]


def test_nothing_is_said_in_silence(captions: list[Cue]) -> None:
    with pytest.raises(CaptionsMisfit, match="nobody speaks"):
        placed(captions, np.zeros(9000, np.float32), 288.0, "clase.vtt")
