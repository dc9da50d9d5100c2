"""Lays words into the span they were heard in: in order, inside it, with probabilities that are some."""

from __future__ import annotations

from collections.abc import Iterable

from chasqui.asr import Span
from chasqui.records import Word


def lay(spoken: Iterable[tuple[str, float, float, float | None]], span: Span) -> tuple[Word, ...]:
    """Words from (text, start_s, end_s, probability), times in the recording's.

    Recognisers give words that begin before the one before has ended, end after the sound does, or last no time at
    all. The first two are put right here; the last stay: nothing says how long they really were.
    """
    words, reached = [], span.start_s
    for text, start_s, end_s, probability in spoken:
        if not (text := text.strip()):
            continue
        start_s = min(max(start_s, reached), span.end_s)
        end_s = reached = min(max(end_s, start_s), span.end_s)
        sure = None if probability is None else round(min(1.0, max(0.0, probability)), 4)
        words.append(Word(text=text, start_s=round(start_s, 3), end_s=round(end_s, 3), probability=sure))
    return tuple(words)
