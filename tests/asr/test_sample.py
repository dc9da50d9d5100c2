"""What is listened to when there is no time for all: some by lot, some at risk, never more than there is time for."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from chasqui.asr.sample import FIRST, sample
from chasqui.asr.stretches import Stretch

LENGTHS = st.lists(st.integers(50, 500), min_size=1, max_size=60)


def stretches(lengths: list[int]) -> list[Stretch]:
    starts = [sum(lengths[:place]) for place in range(len(lengths))]
    return [Stretch(start, start + length, ()) for start, length in zip(starts, lengths, strict=True)]


@given(LENGTHS, st.floats(0, 2), st.integers())
def test_time_is_kept_and_order_too(lengths: list[int], share: float, seed: int) -> None:
    wanted = stretches(lengths)
    seconds = share * sum(one.seconds for one in wanted)
    chosen = sample(wanted, [0.0] * len(wanted), seconds, f"{seed}")
    assert chosen.stretches == sorted(chosen.stretches)
    assert chosen.drawn <= set(chosen.stretches)
    assert chosen.drawn, "nothing speaks for the rest"
    assert chosen.seconds <= max(seconds * FIRST, 30.0) + 1e-6
    assert chosen == sample(wanted, [0.0] * len(wanted), seconds, f"{seed}")


def test_where_there_is_time_all_is_heard_and_all_speaks_for_all() -> None:
    wanted = stretches([100] * 10)
    chosen = sample(wanted, [0.0] * 10, 90.0, "seed")
    assert (chosen.stretches, chosen.drawn) == (wanted, frozenset(wanted))


def test_half_goes_to_what_is_most_at_risk() -> None:
    wanted = stretches([100] * 60)
    chosen = sample(wanted, [float(place) for place in range(60)], 0.3 * 360, "seed")
    risky = [one for one in chosen.stretches if one not in chosen.drawn]
    assert (len(chosen.drawn), len(risky)) == (6, 6)
    assert risky == [one for one in wanted if one not in chosen.drawn][:6]


def test_the_lot_is_fair() -> None:
    wanted = stretches([100] * 20)
    drawn = Counter(one for seed in range(600) for one in sample(wanted, [0.0] * 20, 36.0, f"{seed}").drawn)
    assert len(drawn) == 20
    assert max(drawn.values()) < 2 * min(drawn.values())
