"""How the page says things: every text in both languages at once, every number as both Peru and English write it."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from chasqui.words import LANGUAGES, say


class Word(str):
    """A fact that is itself a key of the catalogue, to be said in the language of the sentence around it."""


def both(key: str, **facts: Any) -> Markup:
    """The text `report.key` in every language, each in a span that CSS shows or hides; facts are escaped."""
    return Markup().join(
        Markup('<span lang="{}">{}</span>').format(lang, escape(say(f"report.{key}", lang, **_said(facts, lang))))
        for lang in LANGUAGES
    )


def _said(facts: dict[str, Any], lang: str) -> dict[str, Any]:
    return {name: say(f"report.{fact}", lang) if isinstance(fact, Word) else fact for name, fact in facts.items()}


def clock(at_s: float) -> str:
    """`4:05` or `1:04:05`: a moment in a recording, rounded down."""
    minutes, seconds = divmod(int(at_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def spoken(duration_s: float) -> str:
    """`1 h 5 min`, `12 min`, `2 min 5 s`, `40 s`: a duration, as exact as it matters."""
    seconds = round(duration_s)
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    if seconds >= 600:
        return f"{round(seconds / 60)} min"
    minutes, rest = divmod(seconds, 60)
    return " ".join(f"{n} {unit}" for n, unit in ((minutes, "min"), (rest, "s")) if n) or "0 s"


def kbps(bitrate_bps: float) -> str:
    """`8` or `5.5`, in thousands of bits per second."""
    return f"{bitrate_bps / 1000:.1f}".removesuffix(".0")


def short(value: float) -> str:
    """A number with its unit beside it: three digits that matter at most, no empty decimals, a real minus sign."""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}".removesuffix(".0")
    return text.replace("-", "−") if text != "-0" else "0"
