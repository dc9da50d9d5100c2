"""Tags and names as clean, short text: they travel into records, file names, feeds and pages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from chasqui.records import Chapter

#: Records stay a few kB: lyrics, XMP packets and base64 pictures in tags do not travel.
MOST_TAGS = 32
MOST_KEY = 40
MOST_VALUE = 300
#: A chapter a minute for ten hours; titles that are longer are descriptions.
MOST_CHAPTERS, MOST_TITLE = 600, 120

_LONE = re.compile("[\ud800-\udfff]")  # halves of a character: what Python makes of undecodable bytes
_SPACE = re.compile(r"\s+")


def one_line(text: str, most: int = MOST_VALUE) -> str:
    """Text in one line: composed (NFC), no control or direction characters, spaces joined, at most `most` characters.

    What could not be decoded shows as U+FFFD. Idempotent.
    """
    whole = _LONE.sub("\ufffd", text[: most * 8])
    seen = "".join(_shown(letter) for letter in unicodedata.normalize("NFC", whole))
    return _SPACE.sub(" ", seen).strip()[:most].strip()


def _shown(letter: str) -> str:
    """Whitespace stays, as a space. Control, format, private and unassigned characters go: they hide or turn text."""
    if letter.isspace():
        return " "
    kind = unicodedata.category(letter)
    return letter if kind[0] != "C" else ""


def cleaned(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags fit to travel: keys in small letters, values in one line, the first of each key, empty ones left out."""
    kept: dict[str, str] = {}
    for key, value in tags.items():
        name, text = one_line(key, MOST_KEY).lower(), one_line(value)
        if name and text and name not in kept and len(kept) < MOST_TAGS:
            kept[name] = text
    return kept


def chapters_of(found: Sequence[tuple[float, str]], duration_s: float) -> tuple[Chapter, ...]:
    """Chapters fit to travel: in order, inside the sound, with titles in one line; none where there is but one.

    One without a title is called by its number. Times that are not numbers, or the same twice, are left out.
    """
    starts: dict[float, str] = {}
    for start_s, title in sorted(found, key=lambda chapter: chapter[0]):
        if -1.0 < start_s < duration_s and len(starts) < MOST_CHAPTERS:
            starts.setdefault(round(max(start_s, 0.0), 3), one_line(title, MOST_TITLE))
    if len(starts) < 2:
        return ()
    ends = [*list(starts)[1:], round(duration_s, 3)]
    return tuple(
        Chapter(start_s=start_s, end_s=end_s, title=title or str(number))
        for number, ((start_s, title), end_s) in enumerate(zip(starts.items(), ends, strict=True), 1)
    )
