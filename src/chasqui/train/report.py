"""The evaluation as one HTML file with its pictures inside, small enough to be sent around."""

from __future__ import annotations

import io
import re
from importlib.resources import files
from typing import Any

import jinja2

from chasqui.models.card import METRICS

#: Nothing to compare with: where the oracle stands, bytes are 0 % over by definition.
BESIDE = ("every rung",)
UNCHECKED = ("one rung", "rule of thumb")
COLOURS = ("#1b6ca8", "#c8553d", "#588157", "#8d5a97", "#e09f3e", "#3d405b", "#6b705c", "#a44a3f", "#2a9d8f", "#555555")


def html(results: dict[str, Any]) -> str:
    """The report of what `evaluate` found for each kind of segment."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["percent"] = lambda value, digits=1: f"{100 * value:.{digits}f} %"
    environment.filters["number"] = lambda value, digits=2: f"{value:.{digits}f}"
    template = environment.from_string((files(__package__) / "templates" / "report.html").read_text(encoding="utf-8"))
    pictures = {kind: _pictures(found) for kind, found in results["kinds"].items()}
    return template.render(results=results, pictures=pictures, unchecked=UNCHECKED)


def _pictures(found: dict[str, Any]) -> dict[str, str]:
    return {
        "spending": _spending(found),
        "reliability": _reliability(found),
        "coverage": _coverage(found),
        "examples": _examples(found),
    }


def _spending(found: dict[str, Any]) -> str:
    """Bytes over the oracle against encodes per segment, one panel per target."""
    figure, panels = _panels(len(found["targets"]), "encodes per segment")
    for panel, (target, told) in zip(panels, found["targets"].items(), strict=True):
        shown = [(name, one) for name, one in told["methods"].items() if name not in (*BESIDE, *UNCHECKED)]
        for (name, one), colour in zip(shown, COLOURS, strict=False):
            x, y = one["encodes"], one["regret"]
            panel.errorbar(
                x["value"], 100 * y["value"],
                xerr=[[max(x["value"] - x["low"], 0)], [max(x["high"] - x["value"], 0)]],
                yerr=[[100 * max(y["value"] - y["low"], 0)], [100 * max(y["high"] - y["value"], 0)]],
                fmt="o", markersize=5, linewidth=0.8, color=colour, label=name,
            )  # fmt: skip
        panel.axhline(5, color="#999999", linewidth=0.7, linestyle=":")
        panel.axvline(1.25, color="#999999", linewidth=0.7, linestyle=":")
        panel.set_title(target, fontsize=10)
        panel.set_ylim(bottom=0)
    panels[0].set_ylabel("bytes over the oracle, %")
    panels[-1].legend(fontsize=7, frameon=False)
    return _svg(figure)


def _reliability(found: dict[str, Any]) -> str:
    """How many of the rungs said to keep a target with some probability do."""
    figure, (panel,) = _panels(1, "said to keep the target")
    panel.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=0.8)
    for (name, model), colour in zip(found["models"].items(), COLOURS, strict=False):
        bins = model["reliability"]
        _line(panel, [one["said"] for one in bins], [one["kept"] for one in bins], colour, name)
    panel.set_ylabel("share that does")
    panel.legend(fontsize=7, frameon=False)
    return _svg(figure)


def _coverage(found: dict[str, Any]) -> str:
    """How much lies within the intervals, against what was promised."""
    metrics = METRICS[found["kind"]]
    figure, panels = _panels(len(metrics), "probability of the interval")
    for panel, metric in zip(panels, metrics, strict=True):
        panel.plot([0.45, 1], [0.45, 1], color="#bbbbbb", linewidth=0.8)
        for (name, model), colour in zip(found["models"].items(), COLOURS, strict=False):
            told = model["coverage"][metric]
            _line(panel, [float(share) for share in told], list(told.values()), colour, name)
        panel.set_title(metric, fontsize=10)
    panels[0].set_ylabel("measured within it")
    panels[-1].legend(fontsize=7, frameon=False)
    return _svg(figure)


def _examples(found: dict[str, Any]) -> str:
    """A few held-out segments: foretold with its central 80 % interval, and measured."""
    examples = found["examples"]
    metrics = METRICS[found["kind"]]
    figure, panels = _panels(len(examples), "kb/s", rows=len(metrics))
    for place, example in enumerate(examples):
        for row, metric in enumerate(metrics):
            panel = panels[row * len(examples) + place]
            told, rate = example[metric], [bps / 1000 for bps in example["bps"]]
            panel.fill_between(rate, told["low"], told["high"], color="#1b6ca8", alpha=0.2, linewidth=0)
            panel.plot(rate, told["mean"], color="#1b6ca8", linewidth=1)
            panel.plot(rate, told["measured"], "o", color="#c8553d", markersize=3)
            panel.set_xscale("log")
            panel.set_xticks([5, 10, 20, 40], ["5", "10", "20", "40"])
            panel.minorticks_off()
            if row == 0:
                panel.set_title(example["what"], fontsize=8)
            if place == 0:
                panel.set_ylabel(metric)
    return _svg(figure)


def _line(panel: Any, x: list[float], y: list[float], colour: str, name: str) -> None:
    panel.plot(x, y, "o-", markersize=3, linewidth=1, color=colour, label=name)


def _panels(columns: int, label: str, rows: int = 1) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(3.2 * columns, 4.2), 2.9 * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for panel in panels:
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[-columns:]:
        panel.set_xlabel(label, fontsize=9)
    return figure, panels


def _svg(figure: Any) -> str:
    """The picture as it goes into a page: the same numbers give the same text."""
    import matplotlib as mpl

    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "chasqui"}):
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    # Coordinates come with six digits behind the point; one is finer than any screen.
    text = re.sub(r"(\d+\.\d)\d+", r"\1", text[text.index("<svg") :])
    return re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
