"""Which words are still heard in the small lesson, as the page and the manifest tell it."""

from __future__ import annotations

from typing import Any, Literal

from markupsafe import Markup
from pydantic import Field

from chasqui.publish.sources import Sources
from chasqui.publish.speech import both, clock
from chasqui.records import LostWord, Record, Reheard, Relistened
from chasqui.store import Workspace, lines
from chasqui.words import LANGUAGES, explain, reason, say

#: Lost words that the page lists; all of them are in certificate.json.
MOST_LOST = 24


class WordsHeard(Record):
    """What a recogniser heard of the encoded voice, beside what it had heard of the master."""

    status: Literal["none", "done", "failed"] = Field(
        description="none: nobody listened; done: a recogniser listened again; failed: it could not"
    )
    why: str
    words: int = Field(description="words of the master that it was sure of, in what it listened to again")
    kept: int = Field(description="of those, still heard in the encoded voice")
    rate: float | None = Field(description="word error rate of the encoded voice against the master, all words counted")
    drawn_rate: float | None = Field(
        description="the same of the parts drawn by lot, before any was given more bits: fair for what was not heard"
    )
    listened: int = Field(description="parts with speech that it listened to again")
    segments: int = Field(description="parts with speech")
    raised: int = Field(description="parts that got more bits because they had lost words")
    recogniser: str | None


def manifest(found: Relistened | None) -> WordsHeard | None:
    """What lesson.json says; nothing where there is no transcript."""
    if found is None:
        return None
    facts = found.model_dump(include={"status", "why", "listened", "segments", "raised", "recogniser"})
    return WordsHeard(
        words=found.sure,
        kept=found.sure - found.lost,
        rate=found.rate and round(found.rate, 4),
        drawn_rate=found.drawn_rate and round(found.drawn_rate, 4),
        **facts,
    )


def page(sources: Sources, work: Workspace) -> dict[str, Any] | None:
    """What the page says, ready to be put in its places; None where there is nothing to say."""
    found = sources.certificate.words
    if found is None:
        return None
    if found.status != "done" or not found.sure:
        return {"head": both("words_unchecked"), "how": [_why(found)], "lost": [], "more": None}
    told = lines.read(work.path(found.lines), Reheard) if found.lines else []
    lost = [word for line in told for word in line.lost]
    how = [both("words_how", listened=found.listened, all=found.segments, name=found.recogniser or "?")]
    if found.raised:
        how.append(both("words_raised_one" if found.raised == 1 else "words_raised", count=found.raised))
    if found.listened < found.segments and found.drawn_rate is not None:
        how.append(both("words_rest", rate=_percent(found.drawn_rate)))
    return {
        "head": both("words_kept", words=f"{found.sure:,}", kept=f"{found.sure - found.lost:,}"),
        "how": how,
        "lost": [_lost(word) for word in lost[:MOST_LOST]],
        "more": both("words_more", count=len(lost) - MOST_LOST) if len(lost) > MOST_LOST else None,
    }


def _why(found: Relistened) -> Any:
    """Why nobody knows, in each language."""
    if found.status == "done":
        return both("words_none_sure")
    told = {
        lang: explain(found.failure.as_error(), lang) if found.failure else reason(found.why, lang)
        for lang in LANGUAGES
    }
    return Markup().join(
        Markup('<span lang="{}">{}</span>').format(lang, say("report.words_why", lang, why=text))
        for lang, text in told.items()
    )


def _lost(word: LostWord) -> dict[str, Any]:
    return {
        "at": clock(word.start_s),
        "text": word.text,
        "instead": both("words_instead", heard=word.heard) if word.heard else both("words_nothing"),
    }


def _percent(rate: float) -> str:
    return f"{100 * rate:.0f}"
