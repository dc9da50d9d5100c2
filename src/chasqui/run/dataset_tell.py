"""What `chasqui dataset` says at the end: lines for people, a result for programmes. Described in docs/json.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chasqui.run.order import Made
from chasqui.run.size import show_time
from chasqui.run.tell import RESULT_VERSION, failure
from chasqui.words import explain, say

#: Refusals in the lines for people; the rest are counted.
MOST_LINES = 20


def told(made: Made, lang: str) -> Iterator[str]:
    """Files, hours, tokens, time; then what was refused, and why."""
    facts = {
        "recordings": made.recordings,
        "new": made.new,
        "hours": show_time(made.duration_s),
        "tokens": f"{made.text_tokens:,}",
        "units": f"{made.audio_tokens:,}",
        "took": show_time(made.wall_s),
        "worked": show_time(made.worked_s),
        "folder": made.folder,
        "refused": made.refused,
    }
    for line in ("rows", "sound", "work"):
        yield say(f"dataset.{line}", lang, **facts)
    if not made.refused:
        return
    yield say("dataset.refused", lang, **facts)
    for error, count in made.reasons.items():
        yield f"  {count:>5}  {error}"
    for name, why in made.failures[:MOST_LINES]:
        yield say("cli.refused", lang, name=name, message=explain(why.as_error(), lang))
    if made.refused > MOST_LINES:
        yield say("dataset.more refused", lang, count=made.refused - MOST_LINES)


def result(made: Made, lang: str) -> dict[str, Any]:
    """The fields of the last JSON line."""
    return {
        "version": RESULT_VERSION,
        "exit_code": made.exit_code,
        "folder": str(made.folder),
        "recordings": made.recordings,
        "new": made.new,
        "refused": made.refused,
        "reasons": made.reasons,
        "failures": [{"name": name, **failure(why.as_error(), lang)} for name, why in made.failures],
        "duration_s": round(made.duration_s, 3),
        "text_tokens": made.text_tokens,
        "audio_tokens": made.audio_tokens,
        "worked_s": round(made.worked_s, 3),
        "wall_s": round(made.wall_s, 3),
        "stage_s": {name: round(seconds, 3) for name, seconds in made.stage_s.items()},
        "unmet_facts": made.unmet_facts,
    }
