"""The words people read, by language: Spanish first, English second. One JSON file per language and room.

A key is `room.key`: `say("cli.pack.title", "es", count=3)` looks up `pack.title` in `words/es/cli.json`. Facts fill the
text by name, as in `str.format`. What a programme reads (records, events, JSON) never passes through here.
"""

from __future__ import annotations

import json
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
            evidence[fact] = catalogue("reasons", lang).get(said, said)
    if error.code not in texts:
        return str(error)
    return fill(texts[error.code], evidence)
