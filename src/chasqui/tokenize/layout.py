"""The words of a transcript laid out as one plain text, in stretches of one language; offsets count in that text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import NamedTuple

from chasqui.records import Listened, Word

#: Scripts that put nothing between words.
_UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "km", "my", "bo"})
#: Words that are cut at once where nobody says what belongs together; a tokenizer sees no further.
TOGETHER = 200


class Stretch(NamedTuple):
    """Words in a row, in one language as far as anybody knows."""

    language: str | None
    words: tuple[Word, ...] | tuple[str, ...]  # texts: nobody knows when they are said


class Laid(NamedTuple):
    """A stretch as text, with the place in it at which each word begins."""

    language: str | None
    text: str
    words: tuple[Word | None, ...]
    starts: tuple[int, ...]

    def word_at(self, place: int) -> Word | None:
        """The word that the character at `place` belongs to, where its time is known."""
        return self.words[bisect_right(self.starts, place) - 1]


def stretches(words: Sequence[Word], listened: Sequence[Listened], language: str | None) -> Iterator[Stretch]:
    """The words by the stretch in which they were heard; in the one language that is known where nobody listened."""
    starts = [part.start_s for part in listened]
    for place, run in groupby(words, lambda word: bisect_right(starts, word.start_s) - 1 if starts else 0):
        told = listened[max(place, 0)].language if listened else language
        for part in _batches(run):
            yield Stretch(told, part)


def given(text: str, language: str | None) -> Iterator[Stretch]:
    """A text that somebody wrote, line by line: nobody knows when what is said."""
    for line in text.splitlines():
        words = iter(line.split())
        while part := tuple(islice(words, TOGETHER)):
            yield Stretch(language, part)


def laid(stretch: Stretch) -> Laid | None:
    """The stretch as text; None where no word has a letter or sign."""
    gap = "" if stretch.language in _UNSPACED else " "
    parts: list[str] = []
    words: list[Word | None] = []
    starts: list[int] = []
    at = 0
    for word in stretch.words:
        text = " ".join((word if isinstance(word, str) else word.text).split())
        if not text:
            continue
        parts.append(text)
        words.append(None if isinstance(word, str) else word)
        starts.append(at)
        at += len(text) + len(gap)
    return Laid(stretch.language, gap.join(parts), tuple(words), tuple(starts)) if parts else None


def _batches(words: Iterable[Word]) -> Iterator[tuple[Word, ...]]:
    left = iter(words)
    while part := tuple(islice(left, TOGETHER)):
        yield part
