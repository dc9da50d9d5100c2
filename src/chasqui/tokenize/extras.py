"""What may be said of a text beyond its tokens, each thing by name, with its maker or the reason why it is not there.

`keywords` needs nothing: phrases between stop words. `entities` needs a spaCy pipeline that was trained for it, and
`sentiment:FOLDER` a text classifier that the caller trusts: none that is free, kept up and small speaks Spanish.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from chasqui.errors import BadConfig
from chasqui.records import Blob, Token
from chasqui.store import Workspace
from chasqui.tokenize.layout import Laid
from chasqui.tokenize.tongues import Tongue

if TYPE_CHECKING:
    from chasqui.tokenize import Options

KNOWN = ("keywords", "entities", "sentiment")
#: Phrases told at most, and words in one: longer ones are sentences without a stop word.
MOST, LONGEST = 20, 3


class Asked(NamedTuple):
    """An extra by name, and the model it shall be made with."""

    name: str
    source: str | None


class Extra(Protocol):
    """Hears of every stretch, tells at the end."""

    def add(self, part: Laid, tokens: list[Token], how: Tongue, at: int) -> None: ...

    def told(self) -> dict[str, Any]:
        """`items` (None: could not be made), `made_by`, `why`."""
        ...


def asked(text: str) -> Asked:
    """
    Raises:
        ValueError: no extra of that name, or one that needs a model and names none.
    """
    name, _, source = text.partition(":")
    if name not in KNOWN:
        raise ValueError(f"there is no extra {name!r}; known: {', '.join(KNOWN)}")
    if name == "sentiment" and not source:
        raise ValueError("sentiment needs the folder of a text classifier: sentiment:FOLDER")
    return Asked(name, source or None)


class Extras:
    """All that were asked for."""

    def __init__(self, options: Options) -> None:
        """
        Raises:
            BadConfig: a model that was named is not there, or what runs it.
        """
        self._parts = {wanted.name: _made(wanted) for wanted in map(asked, options.extras)}

    def add(self, part: Laid, tokens: list[Token], how: Tongue, at: int) -> None:
        """One more stretch; its text begins at character `at`."""
        for extra in self._parts.values():
            extra.add(part, tokens, how, at)

    def keep(self, work: Workspace) -> Blob | None:
        """JSON, a key each."""
        if not self._parts:
            return None
        path = work.folder / "extras.json"
        facts = {name: extra.told() for name, extra in self._parts.items()}
        path.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return work.keep(path, "application/json")


def _made(wanted: Asked) -> Extra:
    if wanted.name == "keywords":
        return Keywords()
    if wanted.name == "entities":
        return Entities(wanted.source)
    from chasqui.tokenize.sentiment import Sentiment

    return Sentiment(wanted.source or "")


class Keywords:
    """Phrases of up to three words between stop words and marks, by how often they are said times their words."""

    def __init__(self) -> None:
        self._phrases: Counter[tuple[str, ...]] = Counter()
        self._without: dict[str, None] = {}

    def add(self, part: Laid, tokens: list[Token], how: Tongue, at: int) -> None:
        if not how.stops:
            self._without[part.language or "und"] = None
            return
        for told, run in groupby(tokens, lambda token: token.word and not token.stop):
            phrase = tuple(token.norm for token in run) if told else ()
            if 0 < len(phrase) <= LONGEST and any(len(word) > 2 and not word.isdigit() for word in phrase):
                self._phrases[phrase] += 1

    def told(self) -> dict[str, Any]:
        ranked = sorted(self._phrases.items(), key=lambda item: (-item[1] * len(item[0]), item[0]))
        notes = [f"{language}: no stop words, so no keywords" for language in self._without]
        items = [{"text": " ".join(phrase), "count": count} for phrase, count in ranked[:MOST]]
        nothing = not items and bool(notes)
        why = "; ".join(notes or ["phrases between stop words, by how often they are said"])
        return {"items": None if nothing else items, "made_by": "phrases-1", "why": why}


class Entities:
    """Names of people, places, things, by a trained spaCy pipeline: the one that is named, or one installed for the
    language."""

    def __init__(self, source: str | None) -> None:
        self._named = _pipeline(source) if source else None
        self._found: list[dict[str, Any]] = []
        self._makers: dict[str, None] = {}
        self._without: dict[str, None] = {}

    def add(self, part: Laid, tokens: list[Token], how: Tongue, at: int) -> None:
        nlp = self._named or _installed(part.language)
        if nlp is None:
            self._without[part.language or "und"] = None
            return
        self._makers[f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}"] = None
        with nlp.memory_zone():
            for entity in nlp(part.text).ents:
                place = {"start": at + entity.start_char, "end": at + entity.end_char}
                self._found.append({"text": entity.text, "label": entity.label_, **place})

    def told(self) -> dict[str, Any]:
        notes = [f"{language}: no spaCy pipeline for it is installed" for language in self._without]
        return {
            "items": self._found if self._makers else None,
            "made_by": ", ".join(self._makers) or None,
            "why": "; ".join(notes or ["names that a trained spaCy pipeline found"]),
        }


def _pipeline(source: str) -> Any:
    try:
        import spacy
    except ImportError:
        raise BadConfig(why="entities need a package that is missing: pip install 'chasqui[data]'") from None
    try:
        return spacy.load(source)
    except (OSError, ValueError) as error:
        raise BadConfig(why=f"tokenize.extras: there is no spaCy pipeline {source}") from error


def _installed(language: str | None) -> Any:
    from chasqui.tokenize.tongues import has_spacy

    if language is None or not has_spacy():
        return None
    import spacy

    names = sorted(name for name in spacy.util.get_installed_models() if name.startswith(f"{language}_"))
    return _pipeline(names[0]) if names else None
