"""Which words of a given text a recogniser heard as well: these stand fast, the others lie between them.

Three words in a row that come once in both texts are a beginning; of these the longest run that is in order in both;
what lies between two of them is compared word by word. So an hour takes a blink and a recogniser that gets half of the
words wrong is still good for fixing the other half.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

#: Words in a row that hardly come twice by chance.
ROW = 3
#: Between two anchors no more words than these are compared with one another.
BETWEEN = 400


def anchors(said: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs (place in said, place in heard), both rising. The words are compared as they are: give normal forms."""
    seeds = [(a + n, b + n) for a, b in _rising(_once_in_both(said, heard)) for n in range(ROW)]
    found: list[tuple[int, int]] = []
    if not seeds:
        return found
    before = (-1, -1)
    for seed in [*seeds, (len(said), len(heard))]:
        if seed[0] <= before[0] or seed[1] <= before[1]:
            continue
        found += _between(said, heard, before, seed)
        if seed != (len(said), len(heard)):
            found.append(seed)
        before = seed
    return found


def _once_in_both(said: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    rows = []
    for words in (said, heard):
        all_ = [tuple(words[n : n + ROW]) for n in range(len(words) - ROW + 1)]
        counts = Counter(all_)
        rows.append({row: n for n, row in enumerate(all_) if counts[row] == 1})
    return sorted((place, rows[1][row]) for row, place in rows[0].items() if row in rows[1])


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs in which the second rises as well."""
    lows: list[int] = []  # the lowest end of a run of each length
    ends: list[int] = []
    before: list[int] = []
    for n, (_, b) in enumerate(pairs):
        length = bisect_left(lows, b)
        before.append(ends[length - 1] if length else -1)
        if length == len(lows):
            lows.append(b)
            ends.append(n)
        else:
            lows[length], ends[length] = b, n
    run: list[tuple[int, int]] = []
    n = ends[-1] if ends else -1
    while n >= 0:
        run.append(pairs[n])
        n = before[n]
    return run[::-1]


def _between(
    said: Sequence[str], heard: Sequence[str], after: tuple[int, int], until: tuple[int, int]
) -> list[tuple[int, int]]:
    here, there = said[after[0] + 1 : until[0]], heard[after[1] + 1 : until[1]]
    if not here or not there or max(len(here), len(there)) > BETWEEN:
        return []
    blocks = SequenceMatcher(None, list(here), list(there), autojunk=False).get_matching_blocks()
    return [(after[0] + 1 + block.a + n, after[1] + 1 + block.b + n) for block in blocks for n in range(block.size)]
