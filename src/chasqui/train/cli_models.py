"""`chasqui train fit|evaluate|export`: from the tables of a sweep to the models that are shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from chasqui.words import LANGUAGES, explain, say

FOLDER = click.Path(path_type=Path, file_okay=False)
SWEEP = click.option("--sweep", "sweep_in", type=FOLDER, default=Path("sweep"))
MODELS = click.option("--models", "models", type=FOLDER, default=Path("models"))
LANG = click.option("--lang", type=click.Choice(LANGUAGES))
JSON = click.option("--json", "as_json", is_flag=True)

#: What `evaluate` leaves in the folder of models, and `export` reads.
RESULTS, REPORT = "evaluation.json", "report.html"


@click.command()
@SWEEP
@MODELS
@click.option("--algorithms", metavar="NAME,NAME…", default="")
@click.option("--seed", type=int, default=1)
@LANG
@JSON
def fit(sweep_in: Path, models: Path, algorithms: str, seed: int, lang: str | None, as_json: bool) -> None:
    from chasqui.config import load
    from chasqui.errors import BadTraining
    from chasqui.run.progress import json_lines
    from chasqui.train import fit as room
    from chasqui.train.fit_data import KINDS

    lang = load(None, lang=lang).lang
    asked = tuple(filter(None, algorithms.split(","))) or room.ALGORITHMS
    steps = []
    for kind in KINDS:
        try:
            for step in room.fit(sweep_in, models, kind, asked, seed):
                steps.append({**step._asdict(), "card": step.card.title})
                if not as_json:
                    facts = {"algorithm": step.algorithm, "kb": round(step.size / 1000), "cpu_s": step.cpu_s}
                    click.echo(say(f"train.fit.{kind}", lang, **facts))
        except BadTraining as error:
            if kind == "speech":
                raise
            click.echo(say("train.fit.no music", lang, why=explain(error, lang)), err=True)  # many folders have none
    if as_json:
        json_lines().result({"models": steps})
    else:
        click.echo(say("train.fit.out", lang, out=click.format_filename(models)))


@click.command()
@SWEEP
@MODELS
@LANG
@JSON
def evaluate(sweep_in: Path, models: Path, lang: str | None, as_json: bool) -> None:
    from chasqui.config import load
    from chasqui.run.progress import json_lines
    from chasqui.store.guard import disk
    from chasqui.train import evaluate as room
    from chasqui.train import report

    lang = load(None, lang=lang).lang
    results = room.evaluate(sweep_in, models)
    with disk(models):
        (models / RESULTS).write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (models / REPORT).write_text(report.html(results), encoding="utf-8")
    if as_json:
        return json_lines().result(results)
    for kind, found in results["kinds"].items():
        click.echo(say(f"train.evaluate.winner {kind}", lang, winner=found["winner"], **found["segments"]))
        for target, told in found["targets"].items():
            click.echo(_line(told["methods"][found["winner"]], say(f"cli.asked.{target}", lang), lang))
    click.echo(say("train.evaluate.out", lang, out=click.format_filename(models / REPORT)))
    return None


def _line(one: dict[str, Any], target: str, lang: str) -> str:
    facts = {
        "regret": 100 * one["regret"]["value"],
        "kept": 100 * one["kept"]["value"],
        "encodes": one["encodes"]["value"],
    }
    return say("train.evaluate.target", lang, target=target, **facts)


@click.command()
@MODELS
@click.option("--to", "ship_to", type=FOLDER, required=True)
@click.option("--model-version", "model_version", required=True, metavar="X.Y.Z")
@LANG
@JSON
def export(models: Path, ship_to: Path, model_version: str, lang: str | None, as_json: bool) -> None:
    from chasqui.config import load
    from chasqui.errors import BadConfig, BadTraining
    from chasqui.run.progress import json_lines
    from chasqui.store.guard import disk
    from chasqui.train import export as room

    lang = load(None, lang=lang).lang
    if not room.is_version(model_version):
        raise BadConfig(why=f"{model_version!r} is not a version such as 1.2.0")
    try:
        results = json.loads((models / RESULTS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadTraining(path=str(models / RESULTS), why="evaluate the models first") from error
    with disk(ship_to):
        cards = room.export(models, ship_to, model_version, results)
    if as_json:
        return json_lines().result({"models": [card.title for card in cards]})
    for card in cards:
        click.echo(say("train.export.model", lang, title=card.title, algorithm=card.algorithm))
    return None
