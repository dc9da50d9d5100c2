"""Why each segment has its rung: what was foretold at every rung, what was taken, and what was measured afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from chasqui.codecs.opus import FRAME_MS, RUNGS, ladder
from chasqui.config import Config
from chasqui.errors import NotReady
from chasqui.events import Listener
from chasqui.records import Analysis, Choice, Forecast, Measured, Plan, Renditions, Segment
from chasqui.run.local import run_stages
from chasqui.run.size import show_time
from chasqui.run.story import lines
from chasqui.store import Store
from chasqui.words import reason, say

if TYPE_CHECKING:
    from rich.table import Table

METRICS = ("estoi", "visqol")


def explained(
    recording_id: str, store: Store, config: Config, anew: bool, listener: Listener | None = None
) -> list[dict[str, Any]]:
    """The rows of the plan as it stands; of a new one where there is none, or where it is asked for `anew`.

    Raises:
        ChasquiError: whatever choosing has to say.
    """
    if anew or store.get(recording_id, "choose", Plan) is None:
        run_stages(["choose"], recording_id, store, config, listener)
    return rows(recording_id, store)


def rows(recording_id: str, store: Store) -> list[dict[str, Any]]:
    """One plain row per segment, as `--json` prints them. `measured` is null where encode has not run on this plan.

    Raises:
        NotReady: nothing was chosen yet.
    """
    plan, analysis = store.get(recording_id, "choose", Plan), store.get(recording_id, "analyze", Analysis)
    if plan is None or analysis is None:
        raise NotReady(stage="choose", needs="analyze", recording_id=recording_id)
    segments = list(lines(analysis.segments, Segment, store))
    choices = list(lines(plan.choices, Choice, store))
    made = store.get(recording_id, "encode", Renditions)
    found = list(lines(made.measured, Measured, store)) if made else []
    fits = len(found) == len(choices) and all(_planned(m) == c.rung for m, c in zip(found, choices, strict=True))
    return [
        _row(segment, choice, found[segment.index] if fits else None)
        for segment, choice in zip(segments, choices, strict=True)
    ]


def _planned(line: Measured) -> str:
    """The rung that a segment was first encoded at: what its plan said."""
    names = [rung.name for rung in ladder(RUNGS[line.rung].application)]
    return names[names.index(line.rung) - line.stepped_up + line.stepped_down]


def _row(segment: Segment, choice: Choice, measured: Measured | None) -> dict[str, Any]:
    rungs = [rung.name for rung in ladder("audio" if segment.kind == "music" else "voip")]
    told = choice.forecast
    return {
        "segment": segment.index,
        "start_s": round(segment.start_packet * FRAME_MS / 1000, 2),
        "kind": segment.kind,
        "rung": choice.rung,
        "chance": told.chance[rungs.index(choice.rung)] if told and choice.rung in rungs else None,
        "model": told.model if told else None,
        "rungs": _by_rung(rungs, told) if told else {},
        "measured": _facts(measured) if measured else None,
        "why": choice.why,
    }


def _by_rung(rungs: list[str], told: Forecast) -> dict[str, Any]:
    facts = told.model_dump(include={"bytes", "chance", "estoi", "estoi_low", "visqol", "visqol_low"})
    columns = {name: values for name, values in facts.items() if values is not None}
    return {rung: {name: values[at] for name, values in columns.items()} for at, rung in enumerate(rungs)}


def _facts(line: Measured) -> dict[str, Any]:
    return {
        "rung": line.rung,
        "bytes": line.bytes,
        "encodes": line.encodes,
        **line.scores.model_dump(include=set(METRICS)),
    }


def table(told: Iterable[Mapping[str, Any]], lang: str) -> Table:
    """The rows for people. Each metric has a line of its own: every rung's rate with what it should score, ± down to
    the bound that is reached with nine chances in ten; the rung taken stands in brackets.
    """
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE, pad_edge=False)
    for column in ("time", "kind", "foretold", "rung", "chance", "measured"):
        drawn.add_column(say(f"cli.explain.{column}", lang), overflow="fold")
    for row in told:
        foretold = "\n".join(_line(metric, row) for metric in METRICS if _has(metric, row))
        chance = "–" if row["chance"] is None else f"{row['chance']:.0%}"
        cells = (
            show_time(row["start_s"]),
            say(f"cli.story.{row['kind']}", lang),
            foretold or reason(row["why"], lang),
            row["rung"],
            chance,
            _after(row["measured"]),
        )
        drawn.add_row(*(Text(cell) for cell in cells))
    return drawn


def _has(metric: str, row: Mapping[str, Any]) -> bool:
    return any(metric in facts for facts in row["rungs"].values())


def _line(metric: str, row: Mapping[str, Any]) -> str:
    cells = []
    for rung, facts in row["rungs"].items():
        score, below = facts[metric], facts[metric] - facts[f"{metric}_low"]
        cell = f"{rung.partition('-')[2]} {score:.2f}±{below:.2f}"
        cells.append(f"[{cell}]" if rung == row["rung"] else cell)
    return f"{'ESTOI' if metric == 'estoi' else 'ViSQOL'}  " + "  ".join(cells)


def _after(measured: Mapping[str, Any] | None) -> str:
    if measured is None:
        return "–"
    scores = [f"{measured[metric]:.3f}" for metric in METRICS if measured[metric] is not None]
    return f"{measured['rung']} {' '.join(scores)}".strip()
