"""Throws out what nobody said: recognisers make up text where it is quiet, and get caught in loops.

Three signs, each with its bound: text where there is no sound, the same words over and over, and more letters in a
second than anybody speaks. What is thrown out is counted, and the counts are in the Transcript.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from chasqui.asr import RATE_HZ, Heard, Span
from chasqui.records import Word

#: Whisper's own bounds: more sure than this that nobody speaks, and less sure than this of its words (exp −1).
NOBODY, UNSURE = 0.6, 0.37
#: The loudest 20 ms of a spoken word; levelled speech at −19 LUFS hardly falls below −45 even where it is whispered.
QUIET_DBFS = -55.0
FRAME = RATE_HZ // 50
#: Recognisers are this far off with the ends of words.
SLACK_S = 0.15
#: A phrase of up to so many words counts as a loop when it comes so often, and makes so many words in all.
PHRASE_WORDS, TIMES, LOOP_WORDS = 8, 4, 12
#: Fast Spanish has 20 letters in a second, an auctioneer 30. Counted over several words: single ones have odd times.
LETTERS_PER_S, TOGETHER = 50.0, 8


def kept(heard: Heard, span: Span) -> tuple[list[Word], Counter[str]]:
    """The words that were said, and how many were thrown out for which sign: silence, repetition, rate."""
    dropped: Counter[str] = Counter()
    words = list(heard.words)
    nobody = heard.silence is not None and heard.silence > NOBODY
    if words and nobody and heard.confidence is not None and heard.confidence < UNSURE:
        return [], Counter(silence=len(words))
    for sign, rule in (
        ("silence", lambda w: _sounding(w, span)),
        ("repetition", _unlooped),
        ("rate", _speakable),
    ):
        left = rule(words)
        if lost := len(words) - len(left):
            dropped[sign] = lost
        words = left
    return words, dropped


def _sounding(words: Sequence[Word], span: Span) -> list[Word]:
    """Those with something to hear at their place."""
    whole = np.pad(span.sound, (0, -len(span.sound) % FRAME)).reshape(-1, FRAME)
    levels = 10 * np.log10(np.maximum(np.square(whole).mean(axis=1, dtype=np.float64), 1e-12))

    def sounds(word: Word) -> bool:
        first = max(0, int((word.start_s - span.start_s - SLACK_S) * RATE_HZ / FRAME))
        last = int((word.end_s - span.start_s + SLACK_S) * RATE_HZ / FRAME) + 1
        return bool(levels[first:last].max(initial=-120.0) > QUIET_DBFS)

    return [word for word in words if sounds(word)]


def _unlooped(words: Sequence[Word]) -> list[Word]:
    """A phrase that comes over and over stands once: the first time it may well have been said."""
    bare = [re.sub(r"[\W_]+", "", word.text).casefold() for word in words]
    left: list[Word] = []
    at = 0
    while at < len(words):
        size, times = _loop(bare, at)
        left += words[at : at + size]
        at += size * times
    return left


def _loop(bare: Sequence[str], at: int) -> tuple[int, int]:
    """(words, times) of the loop that begins here; (1, 1) if none does."""
    for size in range(1, PHRASE_WORDS + 1):
        phrase, times = bare[at : at + size], 1
        while bare[at + size * times : at + size * (times + 1)] == phrase:
            times += 1
        if times >= TIMES and times * size >= LOOP_WORDS:
            return size, times
    return 1, 1


def _speakable(words: Sequence[Word]) -> list[Word]:
    """Without the runs of words that no tongue could follow."""
    fast: set[int] = set()
    for first in range(len(words) - TOGETHER + 1):
        run = words[first : first + TOGETHER]
        letters = sum(len(word.text) + 1 for word in run)
        if letters > LETTERS_PER_S * (run[-1].end_s - run[0].start_s + SLACK_S):
            fast.update(range(first, first + TOGETHER))
    return [word for place, word in enumerate(words) if place not in fast]
