"""The cloud of words: as text that flows, which can be searched, copied and read aloud, in the reader's own font.

The package wordcloud was tried first and is not used: it reserves other boxes than it draws in (1.9.6), so that words
overlap.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from markupsafe import Markup

WORDS = 90
#: Colours and sizes of the page: c0 … c4, s1 … s9.
COLOURS, STEPS = 5, 9
#: The biggest words are as big as they get only where they are this many times more frequent than the smallest.
SPREAD = 12


def cloud(counts: Mapping[str, int]) -> Markup:
    """The most frequent words in the order of the alphabet, bigger the more frequent; empty where there are none."""
    told = [(word, count) for word, count in counts.items() if any(sign.isalpha() for sign in word)][:WORDS]
    if not told:
        return Markup("")
    least, most = min(count for _, count in told), max(count for _, count in told)
    words = [
        Markup('<span class="s{} c{}" title="{}: {}">{}</span>').format(
            _step(count, least, most), place % COLOURS, word, count, word
        )
        for place, (word, count) in enumerate(sorted(told))
    ]
    return Markup('<p class="cloud">{}</p>').format(Markup(" ").join(words))


def _step(count: int, least: int, most: int) -> int:
    """By the logarithm: words are as Zipf found them."""
    return 1 + round((STEPS - 1) * math.log(count / least) / math.log(max(most / least, SPREAD)))
