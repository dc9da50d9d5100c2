"""What `show` tells of the words that a recogniser heard, or not, in the encoded voice."""

from __future__ import annotations

from collections.abc import Iterator

from chasqui.records import Reheard, Relistened
from chasqui.run.size import show_time
from chasqui.store import Store, lines
from chasqui.words import explain, reason, say


def told(found: Relistened, store: Store, lang: str, each: bool) -> Iterator[str]:
    """Lines of text; `each` adds every lost word."""
    if found.status != "done":
        why = explain(found.failure.as_error(), lang) if found.failure else reason(found.why, lang)
        yield say("cli.story.words unchecked", lang, why=why)
        return
    facts = found.model_dump(include={"listened", "segments"})
    facts |= {"seconds": f"{found.spent_s:.0f}", "budget": f"{found.budget_s:.0f}", "name": found.recogniser}
    yield say("cli.story.heard again", lang, words=found.sure, kept=found.sure - found.lost, **facts)
    yield say("cli.story.word rate", lang, rate=_percent(found.rate), drawn=_percent(found.drawn_rate))
    if found.raised:
        yield say("cli.story.words raised", lang, count=found.raised)
    yield say("cli.story.why", lang, why=reason(found.why, lang))
    if each and found.lines:
        for line in lines.read(store.path(found.lines), Reheard):
            for word in line.lost:
                facts = {"at": show_time(word.start_s), "text": word.text, "heard": word.heard or "–"}
                yield say("cli.story.lost word", lang, **facts)


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.1%}"
