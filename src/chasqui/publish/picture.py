"""The picture of a lesson: its sound, coloured by rung, above the quality of each part, on one time axis.

Gives shapes in drawing units; the template writes them as SVG. The drawing is stretched to the width of the page and
never in height, so one unit down is one pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from chasqui.codecs.opus import RUNGS
from chasqui.metrics.targets import Target
from chasqui.publish.speech import kbps
from chasqui.publish.wave import Outline
from chasqui.records import Kind, Measured

WIDTH = 1440
#: Above this many parts neighbours are drawn as one block, with their worst scores: a 10-hour class stays a small page.
MOST_BLOCKS = 480
WAVE_MIDDLE, WAVE_HALF = 92, 66
#: Top of the first panel of scores, distance between panels, height of one.
PANEL_TOP, PANEL_STEP, PANEL_HEIGHT = 206, 124, 76
#: Bits per second up to which a rung wears colour 0, 1, 2 …; what is above the last wears the next colour.
#: The steps are finest where most parts end up.
COLOUR_STEPS_BPS = (5_500, 6_000, 8_000, 10_000, 14_000, 24_000)
#: What a panel shows, bottom to top. ESTOI below 0.4 is noise to a listener; ViSQOL ends at 1 and 5 by definition.
RANGES = {"estoi": (0.4, 1.0), "visqol": (1.0, 5.0)}


@dataclass(frozen=True)
class Block:
    """One part, or several neighbours drawn as one."""

    x: float
    width: float
    start_s: float
    end_s: float
    first: int
    last: int
    kind: Kind
    rung: str
    colour: int
    scores: dict[str, float]


@dataclass(frozen=True)
class Mark:
    """The score of a block in a panel, or what was asked of it: a short line at height `y`, from `x` on."""

    x: float
    y: float
    width: float
    kept: bool = True


@dataclass(frozen=True)
class Panel:
    """One metric over time. `goals` is empty where the promise says nothing about this metric."""

    metric: str
    top: int
    height: int
    low: float
    high: float
    target: float | None  # of speech; music may have another, which its goals show
    marks: tuple[Mark, ...]
    goals: tuple[Mark, ...]


@dataclass(frozen=True)
class Picture:
    """Everything the drawing needs."""

    height: int
    outline: str
    body: str
    blocks: tuple[Block, ...]
    panels: tuple[Panel, ...]
    duration_s: float
    colours: tuple[tuple[int, str], ...]  # (colour, its rates in kb/s) for the legend, cheap to dear


def draw(outline: Outline, measured: Sequence[Measured], duration_s: float, target: Target) -> Picture:
    """The Picture of a lesson that was asked to keep `target`."""
    blocks = tuple(_block(group, duration_s) for group in _grouped(measured))
    shown = [metric for metric in RANGES if any(metric in b.scores for b in blocks)]
    panels = tuple(_panel(metric, n, blocks, target) for n, metric in enumerate(shown))
    return Picture(
        height=(panels[-1].top + PANEL_HEIGHT if panels else WAVE_MIDDLE + WAVE_HALF) + 6,
        outline=_ribbon(outline.high, outline.low, outline.peak),
        body=_ribbon(outline.rms, -outline.rms, outline.peak),
        blocks=blocks,
        panels=panels,
        duration_s=duration_s,
        colours=_legend({m.rung for m in measured}),
    )


def colour_of(rung: str) -> int:
    """Number of the colour class of a rung, 0 for the cheapest."""
    return sum(_bitrate(rung) > step for step in COLOUR_STEPS_BPS)


def goal_of(target: Target, kind: Kind, metric: str) -> float | None:
    """What the promise asks of this metric in parts of this kind; None: nothing."""
    if kind == "speech":
        return target.speech_estoi if metric == "estoi" else target.speech_visqol
    return target.music_visqol if kind == "music" and metric == "visqol" else None


def _bitrate(rung: str) -> int:
    return RUNGS[rung].bitrate_bps


def _legend(rungs: set[str]) -> tuple[tuple[int, str], ...]:
    rates = sorted({_bitrate(rung) for rung in rungs})
    found = []
    for colour, group in groupby(rates, lambda rate: sum(rate > step for step in COLOUR_STEPS_BPS)):
        ends = [kbps(rate) for rate in group]
        found.append((colour, ends[0] if len(ends) == 1 else f"{ends[0]}–{ends[-1]}"))
    return tuple(found)


def _grouped(measured: Sequence[Measured]) -> list[list[Measured]]:
    each = -(-len(measured) // MOST_BLOCKS) or 1
    return [[m for _, m in group] for _, group in groupby(enumerate(measured), lambda pair: pair[0] // each)]


def _block(group: list[Measured], duration_s: float) -> Block:
    first, last = group[0], group[-1]
    dearest = max(group, key=lambda m: _bitrate(m.rung))
    loud = [m for m in group if m.kind != "silence"]
    scores = {
        metric: min(values)
        for metric in RANGES
        if (values := [v for m in loud if (v := getattr(m.scores, metric)) is not None])
    }
    x = _x(first.start_s, duration_s)
    return Block(
        x=x,
        width=round(_x(last.end_s, duration_s) - x, 2),
        start_s=first.start_s,
        end_s=last.end_s,
        first=first.segment,
        last=last.segment,
        kind=loud[0].kind if loud else "silence",
        rung=dearest.rung,
        colour=colour_of(dearest.rung),
        scores=scores,
    )


def _x(at_s: float, duration_s: float) -> float:
    return round(min(at_s / duration_s, 1.0) * WIDTH, 2) if duration_s > 0 else 0.0


def _panel(metric: str, n: int, blocks: Sequence[Block], target: Target) -> Panel:
    low, high = RANGES[metric]
    top = PANEL_TOP + n * PANEL_STEP

    def y(score: float) -> float:
        share = (min(max(score, low), high) - low) / (high - low)
        return round(top + PANEL_HEIGHT * (1 - share), 1)

    marks, goals = [], []
    for block in blocks:
        goal = goal_of(target, block.kind, metric)
        if (score := block.scores.get(metric)) is not None:
            marks.append(Mark(block.x, y(score), block.width, goal is None or score >= goal))
        if goal is not None:
            goals.append(Mark(block.x, y(goal), block.width))
    wanted = goal_of(target, "speech", metric)
    return Panel(metric, top, PANEL_HEIGHT, low, high, wanted, tuple(marks), _joined(goals))


def _joined(goals: list[Mark]) -> tuple[Mark, ...]:
    """Neighbours at one height as one line, so that its dashes run on."""
    lines: list[Mark] = []
    for goal in goals:
        if lines and lines[-1].y == goal.y and abs(lines[-1].x + lines[-1].width - goal.x) < 0.05:
            goal = Mark(lines[-1].x, goal.y, round(goal.x + goal.width - lines.pop().x, 2))
        lines.append(goal)
    return tuple(lines)


def _ribbon(upper: object, lower: object, peak: float) -> str:
    """An SVG path around the area between two arrays; the loudest moment fills the height."""
    scale = WAVE_HALF / peak if peak > 0 else 0.0
    above, below = [float(v) for v in upper], [float(v) for v in lower]  # type: ignore[attr-defined]
    step = WIDTH / max(len(above) - 1, 1)

    def points(values: list[float], side: float) -> list[str]:
        # Half a unit keeps a thread of line where the sound is silent.
        return [f"{n * step:.0f} {WAVE_MIDDLE - v * scale - side:.1f}" for n, v in enumerate(values)]

    return "M" + "L".join(points(above, 0.5) + points(below, -0.5)[::-1]) + "Z"
