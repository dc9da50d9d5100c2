"""Words put into their span."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.asr import RATE_HZ, Span
from chasqui.asr.lay import lay

TIME = st.floats(-50, 150)


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=5), TIME, TIME, st.none() | st.floats(-2, 2)), max_size=12))
def test_words_end_up_in_order_and_inside(spoken: list[tuple[str, float, float, float | None]]) -> None:
    span = Span(np.zeros(10 * RATE_HZ, np.float32), 40.0)
    words = lay(spoken, span)
    assert [word.text for word in words] == [text.strip() for text, *_ in spoken if text.strip()]
    times = [time for word in words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert all(40 <= time <= 50 for time in times)
    assert all(word.probability is None or 0 <= word.probability <= 1 for word in words)


def test_good_times_stay_as_they_are() -> None:
    span = Span(np.zeros(RATE_HZ, np.float32))
    (word,) = lay([(" sí ", 0.25, 0.5, 0.75)], span)
    assert (word.text, word.start_s, word.end_s, word.probability) == ("sí", 0.25, 0.5, 0.75)
