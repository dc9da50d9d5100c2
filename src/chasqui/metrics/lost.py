"""Which words of a master are not heard any more in an encode, and whether that is more than chance.

Recognisers are shaky: they hear the same words differently when nothing but a bit has changed. So three things are
asked of a loss before it counts against an encode:

- **Sure.** Only words count that the recogniser gave at least `SURE` in the master.
- **More than the noise floor.** `FLOOR` is the share of sure words that flip between a master and an encode that nobody
  can tell from it (Opus at 32 and 48 kb/s).
- **More than usual**, for who asks for it. A recogniser that was taught on wideband speech loses words wherever an
  encode is narrowband: that is its weakness, and the same everywhere in the recording. Then a segment is held against
  the rate of the segments drawn by lot from the same encode, where that is higher than the floor.

`too_many` asks whether a segment's losses are that unlikely; the binomial distribution takes its words as independent.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import comb
from typing import NamedTuple

from chasqui.codecs.opus import FRAME_MS
from chasqui.metrics import wer
from chasqui.records import LostWord, Segment, Word

VERSION = f"lost-1+{wer.VERSION}"

#: A recogniser's own probability, from which on it counts as sure. One that gives none counts as sure of everything.
SURE = 0.7
#: pocketsphinx on 14 LibriSpeech speakers, 442 words: of those it gave 0.7 or more, 0.9 % flip at 32 kb/s and 2.2 % at
#: 48 (of all words 7 and 8 %). How to measure it again is in docs/verify.md.
FLOOR = 0.02
#: Losses that chance explains in fewer than one of a hundred segments are not chance.
CHANCE = 0.01
#: One word proves nothing.
LEAST = 2


class Kept(NamedTuple):
    """How the words of one segment fared."""

    segment: int
    words: int  # spoken words of the master
    errors: int
    sure: int
    lost: tuple[LostWord, ...]


def by_segment(
    said: Sequence[Word], heard: Sequence[Word], segments: Sequence[Segment], language: str | None
) -> list[Kept]:
    """One Kept for each of `segments`, which follow each other without a gap.

    `said` was heard of the master, `heard` of the encode, both by the same recogniser in the sound of these segments.
    They are aligned as a whole; each word counts in the segment that holds its middle.
    """
    of_said, of_heard = ([_place(word, segments) for word in words] for words in (said, heard))
    texts = [word.text for word in said], [word.text for word in heard]
    errors = wer.grouped(*texts, language or "", of_said, of_heard)
    kept = []
    for place, segment in enumerate(segments):
        own = errors.get(place) or wer.WordErrors(0, 0, 0, 0)
        sure = [word for word, at in zip(said, of_said, strict=True) if at == place and _sure(word)]
        lost = tuple(_lost(said[one.position], one.heard) for one in own.lost if _sure(said[one.position]))
        wrong = own.substitutions + own.deletions + own.insertions
        kept.append(Kept(segment.index, own.words, wrong, len(sure), lost))
    return kept


def too_many(sure: int, lost: int, usual: float) -> bool:
    """Whether a segment lost more of its sure words than chance would where `usual` (0–1) of them are lost."""
    if lost < LEAST:
        return False
    rate = min(max(FLOOR, usual), 1.0)
    return sum(comb(sure, k) * rate**k * (1 - rate) ** (sure - k) for k in range(lost, sure + 1)) < CHANCE


def _sure(word: Word) -> bool:
    return word.probability is None or word.probability >= SURE


def _place(word: Word, segments: Sequence[Segment]) -> int:
    """Which of the segments a word's middle lies in."""
    starts = [segment.start_packet * FRAME_MS / 1000 for segment in segments]
    return max(0, bisect_right(starts, (word.start_s + word.end_s) / 2) - 1)


def _lost(word: Word, heard: str | None) -> LostWord:
    return LostWord(text=word.text, start_s=word.start_s, end_s=word.end_s, heard=heard)
