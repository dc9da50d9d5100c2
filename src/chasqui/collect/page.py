"""summary.html and summary.json: what is in a dataset. One page that needs nothing else, not even a network.

It may not load anything but the dataset's own sound: its Content-Security-Policy allows its own style by hash.
"""

from __future__ import annotations

import base64
import hashlib
import math
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from markupsafe import Markup, escape
from pydantic import ValidationError

from chasqui import __version__
from chasqui.collect.cloud import cloud
from chasqui.collect.index import read_index
from chasqui.collect.passing import Cases, Histogram
from chasqui.collect.shards import open_shards, replacing
from chasqui.collect.summary import COLUMNS, SUMMARY_VERSION, Summary, Tally
from chasqui.errors import BadDataset
from chasqui.store.guard import disk
from chasqui.words import LANGUAGES, catalogue, say

PAGE, NUMBERS = "summary.html", "summary.json"
#: Tokens in the table beside the cloud.
IN_TABLE = 20


def write_summary(folder: Path, lang: str = "es") -> Summary:
    """Bring summary.json and summary.html of a dataset up to its rows; nothing is done where they tell of these rows.

    Raises:
        BadDataset: there is no dataset here.
        DiskFull, NotWritable: the disk says so.
    """
    index = read_index(folder)
    if index is None:
        raise BadDataset(path=str(folder), why="there is no dataset.json in it")
    done = read_summary(folder)
    if done and done.digest == index.totals.digest and index.closed and (folder / PAGE).exists():
        return done
    tally = Tally()
    for row in open_shards(folder, index.format, index.audio == "inside").rows(COLUMNS):
        tally.add(row)
    summary = tally.summary(index.totals.digest, index.title, __version__)
    beside = index.audio == "beside"
    with disk(folder):
        for name, text in ((NUMBERS, summary.model_dump_json(indent=1) + "\n"), (PAGE, page(summary, lang, beside))):
            with replacing(folder / name, folder) as aside:
                aside.write_text(text, encoding="utf-8")
    return summary


def read_summary(folder: Path) -> Summary | None:
    """The numbers of a dataset as they were told last, or None if nobody has told them, or in another way."""
    try:
        summary = Summary.model_validate_json((folder / NUMBERS).read_bytes())
    except (OSError, ValidationError):
        return None
    return summary if (summary.version, summary.tool_version) == (SUMMARY_VERSION, __version__) else None


def page(summary: Summary, lang: str, beside: bool) -> str:
    """The page. `beside`: the sound lies in files that can be linked."""
    from jinja2 import Environment, StrictUndefined, select_autoescape

    css = _asset("summary.css")
    template = Environment(
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).from_string(_asset("summary.html"))
    return template.render(
        w=both,
        name=reason_name,
        lang=lang,
        css=Markup(css),
        csp=_policy(css),
        version=__version__,
        title=summary.title,
        told=_totals(summary),
        cloud=cloud(dict(summary.tokens)),
        tokens=_bars(summary.tokens[:IN_TABLE]),
        types=number(summary.token_types),
        at_least=summary.tokens_at_least,
        languages=_bars(list(summary.languages.items())[:12]),
        hours=summary.language_hours,
        failures=[_named(cases, beside) for cases in summary.failures],
        odd=[_named(cases, beside) for cases in summary.odd],
        charts=[chart(histogram) for histogram in summary.histograms if any(histogram.counts)],
        empty=[histogram.column for histogram in summary.histograms if not any(histogram.counts)],
        said=[(key, number(count)) for key, count in summary.transcribed.items()],
    )


def both(key: str, **facts: Any) -> Markup:
    """The text `summary.key` in every language, each in a span that CSS shows or hides; facts are escaped."""
    return Markup().join(
        Markup('<span lang="{}">{}</span>').format(lang, escape(say(f"summary.{key}", lang, **facts)))
        for lang in LANGUAGES
    )


def reason_name(code: str) -> Markup:
    """An error in a few words; its class where nobody has found words for it."""
    key = f"error.{code}"
    return both(key) if key in catalogue("summary", "en") else escape(code)


def number(value: float) -> str:
    """As Peru and English write it: 12,345 or 3.2, and a real minus sign."""
    whole = abs(value) >= 100 or float(value).is_integer()
    return (f"{value:,.0f}" if whole else f"{value:,.2f}".rstrip("0").rstrip(".")).replace("-", "−")


def clock(seconds: float) -> str:
    """`12 h 5 min`, `12 min 5 s`, `40 s`."""
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "min")) if hours else ((minutes, "min"), (left, "s"))
    return " ".join(f"{n:,} {unit}" for n, unit in parts if n) or "0 s"


class Bar(NamedTuple):
    """A bar of a histogram: where it stands of 100 across, how high of 100, what it says."""

    x: float
    width: float
    height: float
    says: str


class Chart(NamedTuple):
    """A histogram as it is drawn."""

    column: str
    bars: list[Bar]
    marks: list[str]  # what stands below the axis, evenly
    mean: str
    least: str
    most: str
    missing: str


def chart(histogram: Histogram) -> Chart:
    """The bars between the first and the last bin that holds something."""
    counts, edges = histogram.counts, histogram.edges
    first = next(n for n, count in enumerate(counts) if count)
    last = len(counts) - next(n for n, count in enumerate(reversed(counts)) if count)
    width, tallest = 100 / (last - first), max(counts)
    unit = f" {histogram.unit}" if histogram.unit else ""
    bars = [
        Bar(round((n - first) * width, 3), round(width, 3), round(100 * counts[n] / tallest, 2), says)
        for n in range(first, last)
        if (says := f"{_between(edges, n)}{unit}: {number(counts[n])}")
    ]
    low, high = histogram.least or 0.0, histogram.most or 0.0
    ends = [edges[first - 1] if first else low, edges[last - 1] if last <= len(edges) else high]
    middle = edges[min((first + last) // 2 - 1, len(edges) - 1)]
    marks = [number(end) for end in ([ends[0], middle, ends[1]] if last - first > 2 else ends)]
    return Chart(
        histogram.column,
        bars,
        marks,
        number(histogram.mean or 0) + unit,
        number(low) + unit,
        number(high) + unit,
        number(histogram.missing) if histogram.missing else "",
    )


def _between(edges: tuple[float, ...], n: int) -> str:
    if n == 0:
        return f"< {number(edges[0])}"
    if n == len(edges):
        return f"≥ {number(edges[-1])}"
    return f"{number(edges[n - 1])} – {number(edges[n])}"


def _totals(summary: Summary) -> dict[str, str]:
    totals = summary.totals
    return {
        "recordings": number(totals["rows"] - totals["failed"]),
        "failed": number(totals["failed"]),
        "degraded": number(totals["degraded"]),
        "duration": clock(totals["duration_s"]),
        "speech": clock(totals["speech_s"]),
        "share": f"{100 * totals['speech_s'] / totals['duration_s']:.0f} %" if totals["duration_s"] else "–",
        "words": number(totals["word_count"]),
        "tokens": number(totals["token_count"]),
        "audio_tokens": number(totals["audio_token_count"]),
        "source_mb": number(round(totals["source_bytes"] / 1e6, 1)),
        "audio_mb": number(round(totals["audio_bytes"] / 1e6, 1)),
    }


def _named(cases: Cases, beside: bool) -> dict[str, Any]:
    rows = [
        {
            "path": case.path,
            "link": quote(case.audio_path) if case.audio_path and beside else None,
            "value": "" if case.value is None or not math.isfinite(case.value) else number(case.value),
            "message": case.message,
        }
        for case in cases.worst
    ]
    return {"key": cases.key, "count": number(cases.count), "rows": rows, "more": number(cases.count - len(rows))}


def _bars(counted: Any) -> list[tuple[str, str, float]]:
    most = max((count for _, count in counted), default=1)
    return [(name, number(count), round(100 * count / most, 1)) for name, count in counted]


def _policy(css: str) -> str:
    style = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{style}'; img-src data:; media-src 'self' file:; base-uri 'none'"


def _asset(name: str) -> str:
    return (files("chasqui.collect") / "template" / name).read_text(encoding="utf-8")
