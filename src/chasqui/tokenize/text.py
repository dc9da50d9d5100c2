"""Words as tokens: in order, with their place in the plain text and their time, each in the language of its stretch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from chasqui.records import Listened, Provenance, Token, Transcript, Word
from chasqui.store import Workspace, lines
from chasqui.tokenize.extras import Extras
from chasqui.tokenize.layout import Laid, Stretch, given, laid, stretches
from chasqui.tokenize.norm import norm
from chasqui.tokenize.pieces import Pieces
from chasqui.tokenize.tongues import Tongue, tongue

if TYPE_CHECKING:
    from chasqui.tokenize import Options


class Written(NamedTuple):
    """What there is to say of the words. `facts` are fields of Tokens."""

    facts: dict[str, Any]
    words_said: int | None  # None: nobody listened


def tokenize(
    transcript: Transcript | None, provenance: Provenance | None, options: Options, work: Workspace
) -> Written:
    """Tokens of the words of a transcript, else of the text that stands beside the recording; none, and why, where
    there is neither.

    Raises:
        BadConfig: a tokenizer or model that was named is not there.
    """
    said, where = _said(transcript, provenance, work)
    first = next(said, None)
    if first is None:
        return Written({"why": _why_none(transcript)}, None)
    tally = _Tally()
    extras, pieces = Extras(options), Pieces(options.pieces)
    plain, tokens = work.folder / "plain.txt", work.folder / "tokens.jsonl"
    # newline="": offsets count in what is written, on every system.
    with plain.open("w", encoding="utf-8", newline="") as text, tokens.open("w", encoding="utf-8") as out:
        at = 0
        for part in chain([first], said):
            how = tongue(part.language, options.tokenizer, options.lemmas)
            found = cut(part, how, at)
            text.write(part.text + "\n")
            out.writelines(token.model_dump_json() + "\n" for token in found)
            tally.add(found, part, how)
            extras.add(part, found, how, at)
            pieces.add(part.text, at)
            at += len(part.text) + 1
    facts = {
        "why": tally.why(where, options.lemmas),
        "plain": work.keep(plain, "text/plain; charset=utf-8"),
        "text": work.keep(tokens, "application/jsonl"),
        "tokenizer": tally.tokenizer,
        "token_count": tally.tokens,
        "stop_count": tally.stops,
        "type_count": len(tally.types),
        "pieces": pieces.keep(work),
        "extras": extras.keep(work),
    }
    return Written(facts, tally.words)


def cut(part: Laid, how: Tongue, at: int = 0) -> list[Token]:
    """The tokens of a stretch whose text begins at character `at`; `plain[token.start:token.end] == token.text`."""
    found = []
    for piece in how.cut(part.text):
        text = part.text[piece.start : piece.end]
        counted, word = norm(text), part.word_at(piece.start)
        found.append(
            Token(
                text=text,
                norm=counted,
                start=at + piece.start,
                end=at + piece.end,
                start_s=word.start_s if word else None,
                end_s=word.end_s if word else None,
                language=part.language,
                stop=counted in how.stops,
                word=any(letter.isalnum() for letter in text),
                lemma=piece.lemma,
            )
        )
    return found


def _said(transcript: Transcript | None, provenance: Provenance | None, work: Workspace) -> tuple[Iterator[Laid], str]:
    """What is said, and where that is known from."""
    if transcript is not None and transcript.words is not None and transcript.word_count:
        words = lines.read(work.path(transcript.words), Word)
        listened = lines.read(work.path(transcript.listened), Listened) if transcript.listened else []
        where = "words that a person wrote" if transcript.status == "given" else "words that a recogniser heard"
        return _laid(stretches(words, listened, transcript.language)), where
    if provenance is not None and provenance.text:
        language = code(provenance.facts.get("language", ""))
        return _laid(given(provenance.text, language)), "the text beside the recording; when what is said is not known"
    return iter(()), ""


def code(language: str) -> str | None:
    """ISO 639 code of a language as people write it (es, es-PE, ES_pe); None where it is no code."""
    first = re.split("[-_]", language.strip().lower())[0]
    return first if re.fullmatch("[a-z]{2,3}", first) and first not in ("und", "mul", "zxx") else None


def _laid(parts: Iterable[Stretch]) -> Iterator[Laid]:
    return (found for part in parts if (found := laid(part)) is not None)


def _why_none(transcript: Transcript | None) -> str:
    if transcript is None:
        return "there are no words: it was not transcribed"
    return f"there are no words: {transcript.why}"


class _Tally:
    """Sums over the stretches."""

    def __init__(self) -> None:
        self.tokens = self.stops = self.words = 0
        self.types: set[str] = set()
        self._names: dict[str, None] = {}
        self._notes: dict[str, None] = {}
        self._lemmas: dict[str, None] = {}

    def add(self, found: list[Token], part: Laid, how: Tongue) -> None:
        self.tokens += len(found)
        self.stops += sum(token.stop for token in found)
        self.words += sum(token.word for token in found)
        self.types.update(token.norm for token in found if token.word)
        self._names[how.name] = None
        language = part.language or "und"
        if how.why_plain:
            self._notes[f"{language}: cut without rules of its own ({how.why_plain})"] = None
        if not how.stops:
            self._notes[f"{language}: no stop words, because there is no list of its own"] = None
        if how.why_no_lemmas:
            self._lemmas[f"{language}: no lemmas ({how.why_no_lemmas})"] = None

    @property
    def tokenizer(self) -> str:
        from chasqui.tokenize.installed import installed

        return ", ".join(
            f"{name} ({installed('spacy')})" if name.startswith("spacy") else name for name in sorted(self._names)
        )

    def why(self, where: str, lemmas: bool) -> str:
        """What was done, and what could not be."""
        return "; ".join([where, *self._notes, *(self._lemmas if lemmas else ())])
