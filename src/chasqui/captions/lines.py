"""Where a text may be broken: after a sentence, after a comma, and never between an article and its noun."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

#: Words that belong to the next one, in Spanish and English.
_CLINGING = (
    "a al ante bajo con contra de del desde durante e el en entre hacia hasta la las le les lo los me mi mis "
    "ni no nos o para pero por que se si sin sobre su sus te tu tus u un una unas unos y an and are as at be "
    "but by for from had has have he her his i if in into is it its my not of on or our she so than that the "
    "their they this to was we were which who will with you your"
)
CLINGING = frozenset(_CLINGING.split())
SENTENCE_ENDS = ".?!…"
CLAUSE_ENDS = ",;:—–"
CLOSING = "\"'”’»)]}"


@lru_cache(maxsize=1 << 14)
def breath(word: str) -> float:
    """What it costs to break after this word: 0 after a sentence, 1 after a clause, 4 inside, 7 before its noun."""
    bare = word.rstrip(CLOSING)
    if bare.endswith(tuple(SENTENCE_ENDS)):
        return 0.0
    if bare.endswith(tuple(CLAUSE_ENDS)):
        return 1.0
    return 7.0 if bare.casefold() in CLINGING else 4.0


def ends_sentence(word: str) -> bool:
    """Whether a sentence ends with this word."""
    return breath(word) == 0.0


def wrapped(words: Sequence[str], columns: int, lines: int = 2) -> tuple[str, ...] | None:
    """The words in as few lines as they need, broken where it hurts least and evenly; None if they do not fit."""
    whole = " ".join(words)
    if len(whole) <= columns:
        return (whole,)
    if lines < 2 or len(whole) > lines * columns + lines - 1:
        return None
    if lines > 2:
        return _filled(words, columns, lines)
    best: tuple[float, int] | None = None
    first = len(words[0])
    for place in range(1, len(words)):
        second = len(whole) - first - 1
        if first <= columns and second <= columns:
            # Two letters of unevenness weigh like one step of breath; the lower line should be the longer one.
            cost = breath(words[place - 1]) + abs(first - second) / 8 + (0.5 if first > second else 0.0)
            best = min(best or (cost, place), (cost, place))
        first += 1 + len(words[place])
    return None if best is None else (" ".join(words[: best[1]]), " ".join(words[best[1] :]))


def _filled(words: Sequence[str], columns: int, lines: int) -> tuple[str, ...] | None:
    filled: list[str] = []
    for word in words:
        if filled and len(filled[-1]) + 1 + len(word) <= columns:
            filled[-1] += " " + word
        else:
            filled.append(word)
    fits = len(filled) <= lines and all(len(line) <= columns for line in filled)
    return tuple(filled) if fits else None
