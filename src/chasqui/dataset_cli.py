"""`chasqui dataset SOURCE`: data out of a folder or a bucket, and what can be done with it. It only translates."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from chasqui.flags import common, read_flags, telling_apart
from chasqui.words import say

F = TypeVar("F", bound=Callable[..., Any])
FOLDER = click.Path(path_type=Path, file_okay=False)
FORMATS = ("parquet", "sqlite", "jsonl")
#: What export can make: `collect.export.FORMS`. A test compares the two, so that no start pays for that import.
FORMS = ("lhotse", "webdataset", "hf", "parquet", "sqlite", "jsonl")


class _Building(click.Group):
    """A group whose first word may be left out: `chasqui dataset SOURCE` is `chasqui dataset build SOURCE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in self.commands:
            args = ["build", *args]
        return super().parse_args(ctx, args)


@click.group(name="dataset", cls=_Building)
def dataset() -> None:
    pass


def _ordering(command: F) -> F:
    """The options that say what is in the source and what is done with it."""
    for option in (
        click.option("--stages", "stages", metavar="STAGE,STAGE"),
        click.option("--recogniser", metavar="NAME"),
        click.option("--limit", "most", type=int, metavar="N"),
        click.option("--prefix", "prefix", default="", metavar="P"),
    ):
        command = option(command)
    return common(telling_apart(command))


def _order(source: str, out: Path, flags: dict[str, Any], **wishes: Any) -> Any:
    from chasqui.run.order import Order

    stages, most, prefix = flags.pop("stages", None), flags.pop("most", None), flags.pop("prefix", "")
    named = tuple(name.strip() for name in stages.split(",") if name.strip()) if stages else None
    return Order(source, out, read_flags(flags), stages=named, limit=most, prefix=prefix, **wishes)


@click.command(name="dataset build")
@click.argument("source")
@click.option("--out", "dataset_out", type=FOLDER, default=Path("dataset"))
@click.option("--format", "rows_format", type=click.Choice(FORMATS))
@click.option("--audio", "sound", type=click.Choice(("beside", "inside")))
@click.option("--batch-size", "batch", type=int, metavar="N")
@click.option("--workers", "workers", type=int, default=0, metavar="N")
@click.option("--skip-ingest", "skip_ingest", is_flag=True)
@click.option("--skip-summary", "skip_summary", is_flag=True)
@click.option("--no-cache", "no_cache", is_flag=True)
@click.option("--ray", "on_ray", is_flag=True)
@click.option("--verbose", "verbose", is_flag=True)
@_ordering
def build(
    source: str,
    dataset_out: Path,
    rows_format: str | None,
    sound: str | None,
    batch: int | None,
    no_cache: bool,
    on_ray: bool,
    verbose: bool,
    as_json: bool,
    **flags: Any,
) -> int:
    from chasqui.run import dataset as run
    from chasqui.run.dataset_progress import listening
    from chasqui.run.dataset_tell import result, told
    from chasqui.run.progress import json_lines

    wishes = {name: flags.pop(name) for name in ("workers", "skip_ingest", "skip_summary")}
    wishes |= {"batch": batch} if batch is not None else {}
    order = _order(source, dataset_out, flags, format=rows_format, audio=sound, cache=not no_cache, **wishes)
    lang = order.config.lang
    with listening(as_json, lang, verbose) as listener:
        made = run.build(order, listener, _ray(order) if on_ray else None)
    if as_json:
        json_lines().result(result(made, lang))
    else:
        for line in told(made, lang):
            click.echo(line)
    return int(made.exit_code)


def _ray(order: Any) -> Any:
    from chasqui.run.ray import runner

    return runner(order.workers, order.batch)


@click.command(name="dataset list")
@click.argument("source")
@_ordering
def list_places(source: str, as_json: bool, **flags: Any) -> None:
    from chasqui.run.take import places

    for place in places(_order(source, Path("dataset"), flags)):
        facts = {"name": place.name, "bytes": place.bytes, "where": place.where}
        click.echo(json.dumps(facts) if as_json else place.name)


@click.command(name="dataset take")
@click.argument("source")
@click.argument("place")
@_ordering
def take_place(source: str, place: str, as_json: bool, **flags: Any) -> None:
    from chasqui.run.progress import json_lines, listening
    from chasqui.run.take import take

    order = _order(source, Path("dataset"), flags)
    with listening(as_json, order.config.lang) as listener:
        outcome = take(order, place, order.stages or ("ingest",), listener)
    facts = {"recording_id": outcome.recording_id, "name": place, "duration_s": outcome.duration_s}
    if as_json:
        json_lines().result(facts)
    else:
        click.echo(outcome.recording_id)


@click.command(name="dataset add")
@click.argument("dataset_dir", type=FOLDER)
@click.argument("lesson", nargs=-1, required=True)
@common
def add_rows(dataset_dir: Path, lesson: tuple[str, ...], as_json: bool, **flags: Any) -> None:
    from chasqui.run.progress import json_lines, listening
    from chasqui.run.story import resolve
    from chasqui.run.take import add
    from chasqui.store import open_store

    order = _order(".", dataset_dir, flags)
    store = open_store(order.config.store)
    with listening(as_json, order.config.lang) as listener:
        count = add(order, [resolve(wanted, store) for wanted in lesson], listener)
    if as_json:
        json_lines().result({"folder": str(dataset_dir), "rows": count})
    else:
        click.echo(say("dataset.added", order.config.lang, rows=count, folder=dataset_dir))


@click.command(name="dataset check")
@click.argument("dataset_dir", type=FOLDER)
@common
def check_rows(dataset_dir: Path, as_json: bool, **flags: Any) -> int:
    from chasqui.collect.check import check, tell
    from chasqui.errors import BadDataset
    from chasqui.run.progress import json_lines

    lang, findings = read_flags(flags).lang, []
    for finding in check(dataset_dir):
        findings.append({"finding": finding.key, **finding.facts})
        if not as_json:
            click.echo(tell(finding, lang))
    code = BadDataset.exit_code if findings else 0
    if as_json:
        json_lines().result({"folder": str(dataset_dir), "exit_code": code, "findings": findings})
    elif not findings:
        click.echo(say("dataset.whole", lang, folder=dataset_dir))
    return code


@click.command(name="dataset summary")
@click.argument("dataset_dir", type=FOLDER)
@common
def summarise(dataset_dir: Path, as_json: bool, **flags: Any) -> None:
    from chasqui.collect.page import write_summary
    from chasqui.run.progress import json_lines

    write_summary(dataset_dir, read_flags(flags).lang)
    files = [str(dataset_dir / name) for name in ("summary.html", "summary.json")]
    if as_json:
        json_lines().result({"folder": str(dataset_dir), "files": files})
    else:
        for file in files:
            click.echo(file)


@click.command(name="dataset export")
@click.argument("dataset_dir", type=FOLDER)
@click.option("--to", "to_form", type=click.Choice(FORMS), required=True)
@click.option("--out", "export_out", type=FOLDER)
@common
def export_rows(dataset_dir: Path, to_form: Any, export_out: Path | None, as_json: bool, **flags: Any) -> None:
    from chasqui.collect.export import export
    from chasqui.run.progress import json_lines

    read_flags(flags)
    out = export(dataset_dir, to_form, export_out or dataset_dir.with_name(f"{dataset_dir.name}-{to_form}"))
    if as_json:
        json_lines().result({"folder": str(dataset_dir), "to": to_form, "out": str(out)})
    else:
        click.echo(str(out))


for _name, _command in (
    ("build", build),
    ("list", list_places),
    ("take", take_place),
    ("add", add_rows),
    ("check", check_rows),
    ("summary", summarise),
    ("export", export_rows),
):
    dataset.add_command(_command, _name)
