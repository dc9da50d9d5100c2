"""The cloud of words: laid out by wordcloud where it is installed, else one word after the other, bigger and smaller.

Either way it is text, which can be searched, copied and read aloud.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from markupsafe import Markup

WIDTH, HEIGHT = 960, 380
WORDS = 90
#: Colours of the page: c0 … c4.
COLOURS = 5
#: Sizes of the simple cloud: s1 … s7.
STEPS = 7


def cloud(counts: Mapping[str, int]) -> Markup:
    """The cloud as HTML; empty where there is nothing to show."""
    told = {word: count for word, count in list(counts.items())[:WORDS] if any(sign.isalnum() for sign in word)}
    if not told:
        return Markup("")
    try:
        import wordcloud  # type: ignore[import-untyped]  # noqa: F401
    except ImportError:
        return _flowing(told)
    return _laid_out(told)


def _laid_out(told: Mapping[str, int]) -> Markup:
    from PIL import ImageFont
    from wordcloud import WordCloud

    # The same words, the same picture: the layout draws lots.
    words = WordCloud(
        width=WIDTH,
        height=HEIGHT,
        random_state=1,
        prefer_horizontal=1,
        max_words=WORDS,
        max_font_size=HEIGHT // 4,
        margin=4,
    ).generate_from_frequencies(told)
    drawn = []
    for place, ((word, _), size, (top, left), _, _) in enumerate(words.layout_):
        font = ImageFont.truetype(words.font_path, size)
        # textLength: the reader's font is another one, and the word still fills its own place.
        drawn.append(
            Markup(
                '<text class="c{}" x="{}" y="{}" font-size="{}" textLength="{}" lengthAdjust="spacingAndGlyphs">{}'
                "<title>{}: {}</title></text>"
            ).format(
                place % COLOURS, int(left), int(top) + round(size * 0.8), size, round(font.getlength(word)), word,
                word, told[word],
            )
        )  # fmt: skip
    return Markup('<svg class="cloud" viewBox="0 0 {} {}" role="img">{}</svg>').format(
        WIDTH, HEIGHT, Markup("").join(drawn)
    )


def _flowing(told: Mapping[str, int]) -> Markup:
    most = max(told.values())
    words = [
        Markup('<span class="s{} c{}" title="{}">{}</span>').format(
            1 + round((STEPS - 1) * math.sqrt(count / most)), place % COLOURS, count, word
        )
        for place, (word, count) in enumerate(sorted(told.items()))
    ]
    return Markup('<p class="cloud">{}</p>').format(Markup(" ").join(words))
