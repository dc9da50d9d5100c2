"""Cuts cover everything, keep their lengths and lie in pauses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.analyze.segments import HORIZON, LONGEST, SHORTEST, Cut, Segmenter, Track, kind_of
from chasqui.analyze.voice import MUSIC, SILENCE, SPEECH

from .conftest import CALL, CINEMATIC, LIBRI, Load, analyze, levelled, silence

#: Stretches of (kind, packets): any pattern of pauses, including none and nothing else.
STRETCHES = st.lists(st.tuples(st.sampled_from([SILENCE, SPEECH, MUSIC]), st.integers(1, 900)), min_size=1, max_size=30)


def track(stretches: list[tuple[int, int]], seed: int = 0) -> Track:
    kind = np.repeat([kind for kind, _ in stretches], [packets for _, packets in stretches]).astype(np.uint8)
    rng = np.random.default_rng(seed)
    loudness = np.where(kind == SILENCE, 0.0, rng.random(kind.size)).astype(np.float32)
    return Track(kind == SPEECH, kind, loudness)


def cut(whole: Track, feed: int = 200) -> list[Cut]:
    segmenter, cuts = Segmenter(), []
    for start in range(0, len(whole.kind), feed):
        cuts += segmenter.feed(whole.after(start).until(feed))
    return cuts + list(segmenter.finish())


@settings(max_examples=150, deadline=None)
@given(STRETCHES, st.integers(0, 2**32 - 1), st.integers(17, 700))
def test_any_pattern_is_covered_in_legal_lengths(stretches: list[tuple[int, int]], seed: int, feed: int) -> None:
    whole = track(stretches, seed)
    size = len(whole.kind)
    cuts = cut(whole)
    assert [one.start for one in cuts] == [0, *(one.stop for one in cuts[:-1])]
    assert cuts[-1].stop == size
    if size < SHORTEST:
        assert len(cuts) == 1
    else:
        assert all(SHORTEST <= one.stop - one.start <= LONGEST for one in cuts)
    assert cut(whole, feed) == cuts  # however it comes in


@pytest.mark.parametrize("packets", [1, 17, SHORTEST - 1, SHORTEST, LONGEST, LONGEST + 1, 2 * SHORTEST - 1])
@pytest.mark.parametrize("kind", [SILENCE, SPEECH, MUSIC])
def test_the_edges_of_length(packets: int, kind: int) -> None:
    cuts = cut(track([(kind, packets)]))
    assert sum(one.stop - one.start for one in cuts) == packets
    assert {one.kind for one in cuts} == {kind}
    assert all(one.stop - one.start >= min(packets, SHORTEST) for one in cuts)
    assert all(one.stop - one.start <= LONGEST for one in cuts)


def test_memory_is_bounded() -> None:
    segmenter = Segmenter()
    for _ in range(100):
        list(segmenter.feed(track([(SPEECH, 150), (SILENCE, 50)])))
        assert len(segmenter._held.kind) < HORIZON


def test_a_jingle_is_its_own_segment() -> None:
    cuts = cut(track([(MUSIC, 100), (SPEECH, 400), (SILENCE, 100), (SPEECH, 200)]))
    assert cuts[0].kind == MUSIC
    assert cuts[0].stop == pytest.approx(100, abs=2)
    assert {one.kind for one in cuts[1:]} <= {SPEECH, SILENCE}


def test_a_little_speech_makes_a_segment_speech() -> None:
    spoken = np.arange(100) >= 92
    for beside in (MUSIC, SILENCE):
        kinds = np.where(spoken, SPEECH, beside).astype(np.uint8)
        assert kind_of(kinds, spoken) == SPEECH
        assert kind_of(kinds, np.arange(100) >= 93) == beside


def test_a_door_slamming_makes_no_music() -> None:
    nobody = np.zeros(100, np.bool_)
    assert kind_of(np.repeat([SILENCE, MUSIC], [90, 10]).astype(np.uint8), nobody) == SILENCE
    assert kind_of(np.repeat([SILENCE, MUSIC], [80, 20]).astype(np.uint8), nobody) == MUSIC


@pytest.mark.parametrize("names", [LIBRI, (CALL,), ("video/opencast/testspeech.mp4",)])
def test_cuts_lie_in_pauses(load: Load, names: tuple[str, ...]) -> None:
    sound = np.concatenate([load(name) for name in names])
    found = analyze(sound)
    rows = sound[: sound.size // 2880 * 2880].reshape(-1, 2880).astype(np.float64)
    level = 10 * np.log10(np.mean(rows**2, axis=1) + 1e-10)
    at_cuts = np.array([max(level[one.start - 1], level[one.start]) for one in found.cuts[1:]])
    assert at_cuts.size
    assert np.mean(at_cuts < np.median(level)) >= 0.95
    assert np.mean(at_cuts) < np.median(level) - 8


def test_a_real_jingle_before_speech(load: Load) -> None:
    jingle = load(CINEMATIC)[: 48_000 * 6]
    talk = np.concatenate([load(name) for name in LIBRI[:2]])
    cuts = analyze(np.concatenate([levelled(jingle), silence(0.4), talk])).cuts
    assert [one.kind for one in cuts] == [MUSIC] + [SPEECH] * (len(cuts) - 1)
    assert cuts[0].stop * 0.06 == pytest.approx(6.2, abs=0.7)
