"""The words people read, by language: Spanish first, English second. One JSON file per language and room.

A key is `room.key`: `say("cli.pack.title", "es", count=3)` looks up `pack.title` in `words/es/cli.json`. Facts fill the
text by name, as in `str.format`. What a programme reads (records, events, JSON) never passes through here.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from chasqui.errors import ChasquiError, fill

LANGUAGES = ("es", "en")


@cache
def catalogue(room: str, lang: str) -> dict[str, str]:
    """All texts of one room in one language, as they stand in the file.

    Raises:
        KeyError: there is no such catalogue.
    """
    file = files(__name__) / lang / f"{room}.json"
    try:
        texts: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KeyError(f"no words for {room!r} in {lang!r}") from None
    return texts


def say(key: str, lang: str, **facts: Any) -> str:
    """The text of `room.key` in a language, filled with facts; a fact that nobody gave reads as '?'.

    Raises:
        KeyError: no such key. A test holds the languages to the same keys, so this is a slip in our own code.
    """
    room, _, rest = key.partition(".")
    return fill(catalogue(room, lang)[rest], facts)


def explain(error: ChasquiError, lang: str) -> str:
    """What went wrong, in the user's language. Its `why` and `kind` too, where `reasons.json` knows them."""
    texts = catalogue("errors", lang)
    evidence = dict(error.evidence)
    for fact in ("why", "kind"):
        if isinstance(said := evidence.get(fact), str):
            evidence[fact] = reason(said, lang)
    if error.code not in texts:
        return str(error)
    return fill(texts[error.code], evidence)


def reason(said: str, lang: str) -> str:
    """A reason that our code gave in English, in the user's language; one that `reasons.json` lacks stays as it is.

    Keys of that catalogue are the English texts; `{name}` in a key stands for any words, which go into the translation.
    """
    texts = catalogue("reasons", lang)
    if said in texts:
        return texts[said]
    for pattern, text in _templates(lang):
        if found := pattern.fullmatch(said):
            return fill(text, found.groupdict())
    if "; " in said:  # several reasons in a row
        return "; ".join(reason(part, lang) for part in said.split("; "))
    return said


#: What a gap in a reason may hold: anything, but never the end of one reason and the start of the next.
GAP = r"(?P<\1>(?:(?!; ).)+?)"


@cache
def _templates(lang: str) -> list[tuple[re.Pattern[str], str]]:
    """The reasons with gaps, those with most words of their own first."""
    texts = {key: text for key, text in catalogue("reasons", lang).items() if "{" in key}
    order = sorted(texts, key=lambda key: -len(re.sub(r"{\w+}", "", key)))
    return [(re.compile(re.sub(r"\\{(\w+)\\}", GAP, re.escape(key)), re.DOTALL), texts[key]) for key in order]
