"""`chasqui models …`: which models there are, fetching them, checking what is there. It translates, and calls `asr`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from chasqui.words import LANGUAGES, say

DEFAULT_CONFIG = Path("chasqui.toml")


def _spoken(command: Any) -> Any:
    command = click.option("--lang", type=click.Choice(LANGUAGES))(command)
    return click.option("--json", "as_json", is_flag=True)(command)


def _lang(lang: str | None) -> str:
    from chasqui.config import load

    return load(DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None, lang=lang).lang


@click.group(name="models")
def models() -> None:
    pass


@models.command(name="list")
@_spoken
def list_models(as_json: bool, lang: str | None) -> None:
    lang = _lang(lang)
    rows = _rows()
    if as_json:
        return click.echo(json.dumps(rows))
    click.echo(say("asr.list.title", lang))
    for row in rows:
        here = say("asr.list.here" if row["here"] else "asr.list.away", lang)
        spoken = say(
            "asr.list.english" if row["languages"] == 1 else "asr.list.languages", lang, count=row["languages"]
        )
        click.echo(say("asr.list.row", lang, **{**row, "here": here, "languages": spoken}))
    click.echo(say("asr.list.hint", lang))
    return None


def _rows() -> list[dict[str, Any]]:
    from dataclasses import asdict

    from chasqui.asr.catalog import CATALOG, find
    from chasqui.errors import ModelAbsent, NoRecogniser

    rows = []
    for entry in CATALOG.values():
        try:
            here: str | None = str(find(entry.name))
        except (ModelAbsent, NoRecogniser):
            here = None
        rows.append({**asdict(entry), "here": here})
    return rows


@models.command()
@click.argument("names", nargs=-1, required=True)
@_spoken
def pull(names: tuple[str, ...], as_json: bool, lang: str | None) -> None:
    from chasqui.asr.catalog import CATALOG
    from chasqui.asr.pull import pull as fetch

    lang = _lang(lang)
    for name in names:
        if name in CATALOG and not as_json:
            click.echo(say("asr.pull.size", lang, name=name, megabytes=CATALOG[name].megabytes))
        folder = fetch(name)
        done = {"name": name, "folder": str(folder)}
        click.echo(json.dumps(done) if as_json else say("asr.pull.done", lang, **done))


@models.command()
@click.argument("names", nargs=-1, required=True)
@_spoken
def check(names: tuple[str, ...], as_json: bool, lang: str | None) -> None:
    from chasqui.asr.pull import check as prove

    lang = _lang(lang)
    for name in names:
        proofs = prove(name, _listens)
        if as_json:
            click.echo(json.dumps({"name": name, "files": proofs}))
            continue
        for file, proof in proofs.items():
            click.echo(f"  {file}  {proof}")
        click.echo(say("asr.check.done", lang, name=name))


def _listens(folder: str) -> None:
    """The model hears a second of silence: it can be loaded, and it runs."""
    import numpy as np

    from chasqui.asr import RATE_HZ, Span, open_recogniser

    recogniser = open_recogniser(f"whisper:{folder}")
    try:
        recogniser.hear([Span(np.zeros(RATE_HZ, np.float32))])
    finally:
        recogniser.close()
