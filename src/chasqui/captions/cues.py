"""Makes cues out of words: where to break, and from when to when each stands.

Breaks are chosen for the whole text at once, by the least sum of what each one costs (a shortest path over words, each
cue looking back over the few dozen words that it can hold): linear in time, an hour takes well under a second.
"""

from __future__ import annotations

from collections.abc import Sequence

from chasqui.captions import Cue, cleaned
from chasqui.captions.limits import SPANISH, Limits
from chasqui.captions.lines import breath, ends_sentence, wrapped
from chasqui.records import PhraseEnd, Word

#: A pause this long ends a cue as a full stop does.
PAUSE_S = 0.6
#: Times of words and of pauses come from different ears.
ASIDE_S = 0.15
#: Across a silence as long as this no cue stands: it would be read long before it is heard.
SILENCE_S = 2.0
#: A cue may come this much before its first word, to be long enough to read.
EARLY_S = 0.5
#: Nothing on a screen is seen if it is shorter than this.
GLIMPSE_S = 0.05

#: Prices, in the steps of `breath`: each further sentence in a cue, a cue that is too short, each second of reading
#: that lacks, and each cue as such: without that, single words would be the cheapest.
SENTENCE, TOO_SHORT, HURRY, EACH = 3.0, 6.0, 3.0, 1.0


def cues(words: Sequence[Word], limits: Limits = SPANISH, ends: Sequence[PhraseEnd] = ()) -> list[Cue]:
    """Cues of all the words, in order, none over another. Words keep their times as well as readers can follow.

    Each cue holds the words of one speaker. `ends` say where the voice ends a phrase, in order: what there is to go by
    in a text without punctuation.
    """
    pieces = _pieces(words, limits)
    groups = [pieces[start:end] for start, end in _breaks(pieces, limits, _strengths(pieces, ends))]
    return _timed(groups, limits)


def _pieces(words: Sequence[Word], limits: Limits) -> list[Word]:
    """Words that fit into a line, in the order of their times: what is longer (an address, a formula) is cut."""
    found: list[Word] = []
    for word in sorted(words, key=lambda word: word.start_s):
        # A recogniser may give several words as one; each of them may end a line.
        for text in cleaned(word.text).split(" "):
            for start in range(0, len(text), limits.columns):
                found.append(word.model_copy(update={"text": text[start : start + limits.columns]}))
    return found


def _strengths(words: list[Word], ends: Sequence[PhraseEnd]) -> list[float]:
    """How much the voice ends a phrase before each word, 0–1; noughts where the text itself tells its sentences."""
    found = [0.0] * (len(words) + 1)
    if any(ends_sentence(word.text) for word in words):
        return found
    place = 0
    for end in ends:
        while place < len(words) and words[place].start_s < end.at_s - ASIDE_S:
            place += 1
        # The voice stops where one word ends and before the next begins, as far as the times of words can be believed.
        for at in (place, place + 1):
            if 0 < at < len(words) and words[at - 1].end_s - ASIDE_S <= end.at_s <= words[at].start_s + ASIDE_S:
                found[at] = max(found[at], end.strength)
                break
    return found


def _breaks(words: list[Word], limits: Limits, strengths: Sequence[float]) -> list[tuple[int, int]]:
    """The cues as (first word, word behind the last), cheapest in all."""
    cheapest, came_from = [0.0] + [float("inf")] * len(words), [0] * (len(words) + 1)
    ended = _sentences(words)
    for end in range(1, len(words) + 1):
        after = _after(words, end, strengths[end])
        letters = -1
        for start in range(end - 1, -1, -1):
            letters += 1 + len(words[start].text)
            if start < end - 1 and not _may_hold(words, start, end, letters, limits):
                break
            inside = SENTENCE * (ended[end - 1] - ended[start])
            price = cheapest[start] + after + inside + _price(words, start, end, letters, limits)
            if price < cheapest[end]:
                cheapest[end], came_from[end] = price, start
    found, end = [], len(words)
    while end:
        found.append((came_from[end], end))
        end = came_from[end]
    return found[::-1]


def _sentences(words: list[Word]) -> list[int]:
    """How many sentences have ended before each word; a long pause ends one too."""
    counts = [0]
    for place, word in enumerate(words[:-1]):
        ended = ends_sentence(word.text) or words[place + 1].start_s - word.end_s >= PAUSE_S
        counts.append(counts[-1] + ended)
    return counts


def _may_hold(words: list[Word], start: int, end: int, letters: int, limits: Limits) -> bool:
    first, last = words[start], words[end - 1]
    if letters > limits.letters + limits.lines - 1 or last.end_s - first.start_s > limits.longest_s:
        return False
    if words[start].speaker != words[start + 1].speaker:
        return False
    if words[start + 1].start_s - first.end_s > SILENCE_S:
        return False
    return letters <= limits.columns or bool(
        wrapped([word.text for word in words[start:end]], limits.columns, limits.lines)
    )


def _after(words: list[Word], end: int, strength: float) -> float:
    """What it costs to end a cue before word `end`."""
    if end == len(words):
        return 0.0
    pause_s = words[end].start_s - words[end - 1].end_s
    spoken = breath(words[end - 1].text)
    if pause_s >= PAUSE_S:
        return 0.0
    # Without punctuation (pocketsphinx gives none) pauses, and how the voice ends, are all there is to go by.
    return spoken * (1 - max(0.0, pause_s / PAUSE_S, strength))


def _price(words: list[Word], start: int, end: int, letters: int, limits: Limits) -> float:
    price = EACH
    until = words[end].start_s - limits.gap_s if end < len(words) else float("inf")
    since = max(words[start].start_s - EARLY_S, words[start - 1].end_s + limits.gap_s if start else 0.0)
    since = min(since, words[start].start_s)
    seconds = min(until, since + limits.longest_s) - since
    if seconds < limits.shortest_s:
        price += TOO_SHORT
    return price + HURRY * max(0.0, letters / limits.letters_per_s - seconds)


def _timed(groups: list[list[Word]], limits: Limits) -> list[Cue]:
    found: list[Cue] = []
    free_s = 0.0  # from here on nothing stands yet
    for place, group in enumerate(groups):
        texts = [word.text for word in group]
        lines = wrapped(texts, limits.columns, limits.lines) or (" ".join(texts),)
        said_s = max(group[0].start_s, 0.0)
        spoken_s = max(word.end_s for word in group)
        next_s = groups[place + 1][0].start_s if place + 1 < len(groups) else float("inf")
        wanted_s = limits.reading_s(len(" ".join(lines)))
        # Times that come back (a damaged transcript) or crowd: the text waits until there is room for it.
        start_s = max(said_s, free_s)
        end_s = min(max(spoken_s, start_s + wanted_s), next_s - limits.gap_s)
        if end_s - start_s < wanted_s:
            start_s = max(free_s, said_s - EARLY_S, min(start_s, end_s - wanted_s))
        end_s = max(end_s, start_s + GLIMPSE_S)
        start_s = round(start_s, 3)
        end_s = round(min(end_s, start_s + limits.longest_s), 3)
        found.append(Cue(start_s, end_s, lines, group[0].speaker))
        free_s = end_s + limits.gap_s
    return found
