"""Cuts spans that are too long for a recogniser, at pauses, and joins what was heard of the pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from chasqui.asr import RATE_HZ, Heard, Span

#: Where nobody knows a pause, the quietest 50 ms of the last fifth is taken: between words, more often than not.
QUIET_S = 0.05
SEARCHED = 0.2


def cut(span: Span, longest_s: float) -> list[Span]:
    """The span in pieces of at most `longest_s`, each as long as its pauses allow."""
    pieces = []
    while span.seconds > longest_s:
        # A piece of no length would never end: a pause at the very beginning is none to cut at.
        inside = [pause for pause in span.pauses_s if QUIET_S < pause - span.start_s <= longest_s]
        place = round((max(inside) - span.start_s) * RATE_HZ) if inside else _quietest(span, longest_s)
        pieces.append(_part(span, 0, place))
        span = _part(span, place, len(span.sound))
    return [*pieces, span]


def hear_in_pieces(
    spans: Sequence[Span], longest_s: float, hear: Callable[[list[Span]], list[Heard]], batch: int
) -> list[Heard]:
    """What `hear` makes of the spans, asked about at most `batch` pieces of at most `longest_s` at once."""
    pieces = [cut(span, longest_s) for span in spans]
    flat = [piece for part in pieces for piece in part]
    heard = [one for start in range(0, len(flat), batch) for one in hear(flat[start : start + batch])]
    joined, place = [], 0
    for part in pieces:
        joined.append(join(part, heard[place : place + len(part)]))
        place += len(part)
    return joined


def join(pieces: Sequence[Span], heard: Sequence[Heard]) -> Heard:
    """What was heard of one span's pieces, as one. The longest piece with words speaks for the language."""
    if len(heard) == 1:
        return heard[0]
    weights = [piece.seconds for piece in pieces]
    most = max(range(len(heard)), key=lambda place: (bool(heard[place].words), weights[place]))
    return Heard(
        words=tuple(word for one in heard for word in one.words),
        language=heard[most].language,
        language_probability=heard[most].language_probability,
        confidence=_mean([one.confidence for one in heard], weights),
        silence=_mean([one.silence for one in heard], weights),
    )


def _mean(values: Sequence[float | None], weights: Sequence[float]) -> float | None:
    known = [(value, weight) for value, weight in zip(values, weights, strict=True) if value is not None]
    return sum(value * weight for value, weight in known) / sum(weight for _, weight in known) if known else None


def _quietest(span: Span, longest_s: float) -> int:
    """The sample in the middle of the quietest stretch near the end of what fits."""
    step, last = round(QUIET_S * RATE_HZ), int(longest_s * RATE_HZ)
    first = max(step, round(last * (1 - SEARCHED)))
    energy = [float(np.square(span.sound[at : at + step]).mean()) for at in range(first, last - step + 1, step)]
    return min(last, first + int(np.argmin(energy)) * step + step // 2) if energy else max(1, last)


def _part(span: Span, start: int, end: int) -> Span:
    start_s = span.start_s + start / RATE_HZ
    end_s = span.start_s + end / RATE_HZ
    pauses = tuple(pause for pause in span.pauses_s if start_s < pause < end_s)
    return Span(span.sound[start:end], start_s, pauses)
