"""Chapters out of words: where the topic changes, told by the words that are used. Their titles are those words.

Of all ways to divide a text the likeliest is taken, when each part draws its words from a bag of its own and a further
part costs something (Utiyama and Isahara 2001, "A statistical model for domain-independent text segmentation"): a
shortest path, no thresholds of likeness. It is done on sentences, with words cut to their beginnings so that célula and
células are one, and without the most common ones. A long pause tips the scales between two places.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from chasqui.captions.common import common
from chasqui.captions.lines import ends_sentence
from chasqui.records import Chapter, Word

#: Nobody looks for a place in less, and in less text nothing can be told.
SHORTEST_S, RECORDING_S = 120.0, 360.0
#: A part that is longer than this is found by nobody's model of its words; and it bounds the work.
LONGEST_S = 2700.0
#: Sentences are joined until they have so many words: shorter ones say nothing about a topic.
UNIT_WORDS = 25
#: Without punctuation a sentence ends at such a pause.
PAUSE_S = 0.6
#: Nothing is joined across such a one.
BREAK_S = 2.0
#: What a part costs, in the logarithm of the number of words. The paper's 1 divides what belongs together.
PRICE = 8.0
#: A pause between two parts is worth so much per second, up to three seconds: less than one word that fits better.
PAUSE_WORTH = 0.7
#: Letters of a word that count: what comes behind is its ending.
STEM = 6
TITLE_WORDS = 3


@dataclass(frozen=True)
class _Unit:
    start_s: float
    end_s: float
    stems: tuple[int, ...]
    pause_s: float  # before it


def chapters(words: Sequence[Word], language: str | None, duration_s: float) -> list[Chapter]:
    """Chapters of a text with times, the first from 0 on; none where it is short or stays with one topic."""
    if duration_s < RECORDING_S or not words:
        return []
    kept, names = _stems(words, language)
    units = _units(words, kept)
    starts = _parts(units)
    if len(starts) < 2:
        return []
    bags = [
        Counter(s for unit in units[a:b] for s in unit.stems) for a, b in zip(starts, [*starts[1:], None], strict=True)
    ]
    begins = [0.0, *(_between(units, start) for start in starts[1:])]
    return [
        Chapter(start_s=begin, end_s=end, title=_title(bag, bags, names) or str(number))
        for number, (begin, end, bag) in enumerate(
            zip(begins, [*begins[1:], round(duration_s, 3)], bags, strict=True), 1
        )
    ]


def _stems(words: Sequence[Word], language: str | None) -> tuple[list[int | None], dict[int, str]]:
    """The number of each word's stem, None for those that say nothing; and what each stem is called most often."""
    told, stems = common(language), dict[str, int]()
    kept: list[int | None] = []
    shapes: dict[int, Counter[str]] = {}
    for word in words:
        bare = re.sub(r"^[\W_]+|[\W_]+$", "", word.text)
        plain = "".join(c for c in unicodedata.normalize("NFKD", bare.casefold()) if not unicodedata.combining(c))
        if len(plain) < 3 or plain in told or not any(c.isalpha() for c in plain):
            kept.append(None)
            continue
        number = stems.setdefault(plain[:STEM], len(stems))
        shapes.setdefault(number, Counter())[bare if bare.isupper() else bare.lower()] += 1
        kept.append(number)
    return kept, {number: shape.most_common(1)[0][0] for number, shape in shapes.items()}


def _units(words: Sequence[Word], kept: Sequence[int | None]) -> list[_Unit]:
    """Sentences, joined until they say something."""
    units: list[_Unit] = []
    first = 0
    for place, word in enumerate(words):
        last = place + 1 == len(words)
        pause_s = words[place + 1].start_s - word.end_s if not last else 0.0
        ended = ends_sentence(word.text) or pause_s >= PAUSE_S
        size = place + 1 - first
        if last or (ended and size >= UNIT_WORDS) or size >= 3 * UNIT_WORDS or pause_s >= BREAK_S:
            before_s = words[first].start_s - words[first - 1].end_s if first else 0.0
            stems = tuple(s for s in kept[first : place + 1] if s is not None)
            units.append(_Unit(words[first].start_s, word.end_s, stems, max(before_s, 0.0)))
            first = place + 1
    return units


def _parts(units: Sequence[_Unit]) -> list[int]:
    """The unit that each part begins with, for the likeliest division."""
    total = sum(len(unit.stems) for unit in units)
    kinds = len({stem for unit in units for stem in unit.stems})
    if not total:
        return [0]
    price = PRICE * math.log(total)
    log = [math.log(n) for n in range(1, total + kinds + 2)]  # log[n] of n + 1
    best, came = [0.0] + [math.inf] * len(units), [0] * (len(units) + 1)
    end_s = units[-1].end_s
    for start, unit in enumerate(units):
        if best[start] == math.inf:
            continue
        counts: dict[int, int] = {}
        said, size = 0.0, 0
        for end in range(start, len(units)):
            for stem in units[end].stems:
                n = counts.get(stem, 0)
                # Σ c·log(c + 1), kept up word by word.
                said += (n + 1) * log[n + 1] - n * log[n]
                counts[stem] = n + 1
                size += 1
            seconds = units[end].end_s - unit.start_s
            if seconds > LONGEST_S and end > start:
                break
            if seconds < SHORTEST_S and not (start == 0 and end + 1 == len(units)):
                continue
            if end + 1 < len(units) and end_s - units[end].end_s < SHORTEST_S:
                continue  # too little would be left
            cost = best[start] + price + size * log[size + kinds - 1] - said
            if end + 1 < len(units):
                cost -= PAUSE_WORTH * min(units[end + 1].pause_s, 3.0)
            if cost < best[end + 1]:
                best[end + 1], came[end + 1] = cost, start
    starts, at = [], len(units)
    while at:
        at = came[at]
        starts.append(at)
    return starts[::-1]


def _between(units: Sequence[_Unit], start: int) -> float:
    """In the pause before a unit, near its beginning: who jumps there hears the first word whole."""
    return round(max(units[start].start_s - 0.5, (units[start - 1].end_s + units[start].start_s) / 2), 3)


def _title(bag: Counter[int], bags: Sequence[Counter[int]], names: dict[int, str]) -> str:
    """The words that this part says more than the others do, as they are said most often; the most telling first."""
    size, total = sum(bag.values()), sum(sum(other.values()) for other in bags)

    def telling(stem: int) -> float:
        everywhere = sum(other[stem] for other in bags)
        return bag[stem] * math.log((bag[stem] / size) / ((everywhere + 1) / (total + 1)))

    own = [stem for stem in bag if bag[stem] > 1 and len(names[stem]) > 3]
    first = sorted(own, key=lambda stem: (-telling(stem), names[stem]))[:TITLE_WORDS]
    text = ", ".join(names[stem] for stem in first)
    return text[:1].upper() + text[1:]
