"""The search for the cheapest rung, on made-up curves whose answer is known."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from chasqui.choose.opus import Trial, Tried, cheapest
from chasqui.choose.predictor import MUSIC, SPEECH, Offset
from chasqui.codecs.opus import RUNGS, Rung, ladder
from chasqui.metrics.targets import TARGETS, keeps
from chasqui.models.policy import UNSCORED
from chasqui.records import Kind, Scores

Curve = Callable[[Rung], Scores]


def searched(curve: Curve, kind: Kind = "speech", prior: Offset | None = None) -> tuple[Tried, list[str]]:
    """A segment with this curve, and the list in which its encodes are noted."""
    encodes: list[str] = []

    def attempt(rung: Rung, quality: bool) -> Trial:
        encodes.append(rung.name)
        scores = curve(rung)
        return Trial(rung.bitrate_bps, scores if quality else scores.model_copy(update={"visqol": None}), quality)

    return Tried(0, kind, prior or Offset(), attempt), encodes


def shifted(estoi: float, visqol: float) -> Curve:
    """The mean speech curve, moved."""

    def curve(rung: Rung) -> Scores:
        a, b = SPEECH[rung.name]
        return Scores(estoi=min(max(a + estoi, 0.0), 0.999), visqol=min(max(b + visqol, 1.0), 5.0))

    return curve


def truth(curve: Curve, target: str) -> str | None:
    kept = (rung for rung in ladder("voip") if keeps(TARGETS[target], "speech", curve(rung)))  # type: ignore[index]
    return next((rung.name for rung in kept), None)


@given(estoi=st.floats(-0.3, 0.15), visqol=st.floats(-1.5, 1.0), target=st.sampled_from(list(TARGETS)))
def test_the_choice_keeps_the_target_whenever_any_rung_does(estoi: float, visqol: float, target: str) -> None:
    curve = shifted(estoi, visqol)
    segment, _ = searched(curve)
    choice = cheapest(segment, TARGETS[target], trials=4)  # type: ignore[index]
    best = truth(curve, target)
    assert choice.reachable == (best is not None)
    if best is not None:
        assert keeps(TARGETS[target], "speech", choice.expected)  # type: ignore[index]
        # Never dearer than a third above the cheapest: the search has four trials, not one per rung.
        assert RUNGS[choice.rung].bitrate_bps <= RUNGS[best].bitrate_bps * 1.5


def test_a_typical_segment_takes_one_or_two_encodes() -> None:
    segment, encodes = searched(shifted(0.0, 0.0))
    choice = cheapest(segment, TARGETS["understood"], trials=4)
    assert choice.rung == "voice-6"
    assert len(encodes) <= 2


def test_a_good_prior_needs_one_encode() -> None:
    segment, encodes = searched(shifted(-0.08, 0.0), prior=Offset(estoi=-0.55))
    choice = cheapest(segment, TARGETS["understood"], trials=4)
    assert choice.rung == truth(shifted(-0.08, 0.0), "understood")
    assert len(encodes) <= 2


def test_more_demanding_targets_never_take_cheaper_rungs() -> None:
    segment, _ = searched(shifted(0.0, 0.0))
    sizes = [cheapest(segment, target, trials=4).bytes for target in TARGETS.values()]
    assert sizes == sorted(sizes)


def test_what_was_tried_for_one_target_is_not_tried_again_for_the_next() -> None:
    segment, encodes = searched(shifted(0.0, 0.0))
    for target in (TARGETS["comfortable"], TARGETS["clear"]):
        cheapest(segment, target, trials=4)
    assert len(encodes) == len(set(encodes))


def test_a_hopeless_segment_is_said_to_be_one() -> None:
    segment, _ = searched(lambda rung: Scores(estoi=0.4, visqol=1.2))
    choice = cheapest(segment, TARGETS["understood"], trials=4)
    assert not choice.reachable
    assert choice.doubtful
    assert "no rung" in choice.why


def test_a_hopeless_segment_does_not_get_the_dearest_rung_for_next_to_nothing() -> None:
    segment, _ = searched(lambda rung: Scores(estoi=0.4 + rung.bitrate_bps * 1e-9, visqol=1.2))
    choice = cheapest(segment, TARGETS["understood"], trials=4)
    assert RUNGS[choice.rung].bitrate_bps < 48_000


def test_silence_takes_the_cheapest_rung_and_one_encode() -> None:
    segment, encodes = searched(lambda rung: Scores(), kind="silence")
    assert cheapest(segment, TARGETS["clear"], trials=4).rung == ladder("voip")[0].name
    assert len(encodes) == 1


def test_a_lone_word_in_silence_gets_a_safe_rung() -> None:
    segment, _ = searched(lambda rung: Scores(), kind="silence")
    segment.words = True
    choice = cheapest(segment, TARGETS["understood"], trials=4)
    assert choice.rung == UNSCORED["understood"]
    assert "too little" in choice.why


def test_speech_that_cannot_be_scored_gets_a_safe_rung() -> None:
    segment, _ = searched(lambda rung: Scores())
    choice = cheapest(segment, TARGETS["comfortable"], trials=4)
    assert choice.rung == UNSCORED["comfortable"]
    assert choice.doubtful


def test_music_goes_up_the_audio_rungs() -> None:
    segment, _ = searched(lambda rung: Scores(visqol=MUSIC[rung.name]), kind="music")
    choice = cheapest(segment, TARGETS["comfortable"], trials=4)
    assert choice.rung == "audio-14"
