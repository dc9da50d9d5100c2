"""`chasqui train …`: the commands of somebody who makes models. They translate and call, no more.

Each command is a function here that imports what it needs when it is called; helps stand in the catalogues under the
names of the commands and options.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chasqui.train import cli_models, cli_tokens
from chasqui.words import LANGUAGES, explain, say

if TYPE_CHECKING:
    from chasqui.train.sweep import Planned

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group(name="train")
def train() -> None:
    pass


@train.command()
@click.option("--media", type=FOLDER, envvar="CHASQUI_MEDIA", required=True)
@click.option("--out", "sweep_out", type=FOLDER, default=Path("sweep"))
@click.option("--seed", type=int, default=1)
@click.option("--jobs", type=click.IntRange(0, 256), default=0)
@click.option("--limit", type=click.IntRange(1))
@click.option("--rungs", metavar="NAME,NAME…", default="")
@click.option("--collect", is_flag=True)
@click.option("--again", is_flag=True)
@click.option("--pesq", type=click.FloatRange(0, 1), default=0.0)
@click.option("--lang", type=click.Choice(LANGUAGES))
@click.option("--json", "as_json", is_flag=True)
def sweep(sweep_out: Path, rungs: str, collect: bool, lang: str | None, as_json: bool, **wanted: Any) -> int:
    from chasqui.config import load
    from chasqui.errors import SOME_REFUSED
    from chasqui.run.progress import json_lines, listening
    from chasqui.train import sweep as room

    lang = load(None, lang=lang).lang
    asked = room.Asked(out=sweep_out, rungs=tuple(filter(None, rungs.split(","))), **wanted)
    planned = room.plan(asked)
    if not as_json:
        _tell_plan(planned, lang)
    if collect:
        facts = room.collect(asked, planned)
    else:
        with listening(as_json, lang) as listener:
            facts = room.sweep(asked, listener, planned)
    if as_json:
        json_lines().result(facts)
    else:
        _tell_sweep(facts, sweep_out, lang)
    return SOME_REFUSED if facts["takes"]["refused"] else 0


for _command in (cli_models.fit, cli_models.evaluate, cli_models.export, cli_tokens.units, cli_tokens.pieces):
    train.add_command(_command)


def _tell_plan(planned: Planned, lang: str) -> None:
    for one in planned.skipped:
        line = say("cli.refused", lang, name=click.format_filename(one.path), message=explain(one.error, lang))
        click.echo(line, err=True)
    treatments = {part for take in planned.takes for part in take.treatment.split("+")}
    for missing in sorted({"noise", "bed"} - treatments):
        click.echo(say(f"train.sweep.no {missing}", lang), err=True)


def _tell_sweep(facts: dict[str, Any], out: Path, lang: str) -> None:
    cpu_s = sum(facts["cpu_s"].values())
    said = {
        "takes": facts["takes"],
        "segments": {**facts["segments"], "rows": facts["rows"], "minutes": f"{facts['audio_s'] / 60:.1f}"},
        "cost": {"each": facts["cpu_s_per_segment"], "minutes": f"{cpu_s / 60:.1f}"},
        "out": {"out": click.format_filename(out)},
    }
    for name, numbers in said.items():
        click.echo(say(f"train.sweep.{name}", lang, **numbers))
