"""The command line: `pack`, a command per stage on the same store, and `show`. It translates and calls, no more.

What people read goes through the word catalogues; help texts too, under the names of the commands and options.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from chasqui import __version__
from chasqui.asr_cli import models
from chasqui.dataset_cli import dataset
from chasqui.errors import SOME_REFUSED, ChasquiError
from chasqui.flags import common, listening_with, promising, read_flags, telling_apart
from chasqui.push_cli import push
from chasqui.serve_cli import serve, service, worker
from chasqui.train.cli import train
from chasqui.transcribe_cli import transcribe
from chasqui.words import LANGUAGES, explain, say

#: Exit codes that are not an error's: an unexpected exception, a wrong command line, and Ctrl-C (128 + SIGINT).
UNEXPECTED, USAGE, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit. Expected errors are told in the user's language, without a traceback."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks ✓ or a name that is not text shows a "?"
            stream.reconfigure(errors="replace")
    lang = language(arguments, os.environ.get("CHASQUI_LANG", ""))
    _translate(chasqui, lang)
    sys.exit(_run(arguments, lang))


def _run(arguments: list[str], lang: str) -> int:
    say_error = partial(click.echo, err=True)
    try:
        code = chasqui.main(arguments, prog_name="chasqui", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except ChasquiError as error:
        if "--json" in arguments:
            from chasqui.run.tell import RESULT_VERSION, failure

            _json_lines().result({"version": RESULT_VERSION, **failure(error, lang)})
        else:
            say_error(say("cli.error", lang, message=explain(error, lang)))
        return error.exit_code
    except click.UsageError as error:
        if error.ctx is not None:
            say_error(say("cli.usage", lang, usage=error.ctx.command_path))
            say_error(say("cli.help hint", lang, command=error.ctx.command_path))
        say_error(say("cli.error", lang, message=error.format_message()))
        return USAGE
    except click.ClickException as error:
        say_error(say("cli.error", lang, message=error.format_message()))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        say_error("\n" + say("cli.interrupted", lang))
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("CHASQUI_DEBUG"):
            raise
        say_error(say("cli.traceback", lang, what=f"{type(error).__name__}: {error}"))
        return UNEXPECTED


def language(arguments: Sequence[str], default: str) -> str:
    """The language asked for by `--lang`, else the default, else Spanish. Click's help needs it before click runs."""
    for place, argument in enumerate(arguments):
        following = arguments[place + 1] if place + 1 < len(arguments) else ""
        if (asked := following if argument == "--lang" else argument.removeprefix("--lang=")) in LANGUAGES:
            return asked
    return default if default in LANGUAGES else LANGUAGES[0]


def _translate(command: click.Command, lang: str) -> None:
    command.help = say(f"cli.help.{command.name}", lang)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            parameter.help = say(f"cli.help.option.{parameter.name}", lang)
    command.short_help = command.help.partition(". ")[0].partition(":")[0]
    command.context_settings = {"help_option_names": ["-h", "--help"]}
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _translate(inner, lang)


class _InOrder(click.Group):
    """Lists its commands as they are written here: the order in which a recording meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(name="chasqui", cls=_InOrder)
@click.version_option(__version__, message="%(prog)s %(version)s")
def chasqui() -> None:
    pass


@chasqui.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False))
@promising
@click.option("--unit-budget", metavar="SIZE")
@listening_with
@common
def pack(
    paths: tuple[Path, ...],
    out: Path | None,
    unit_budget: str | None,
    captions: str | None,
    as_json: bool,
    **flags: Any,
) -> int:
    from chasqui.run.local import OUT, Packed, packing
    from chasqui.run.tell import exit_code, result
    from chasqui.store import open_store

    config = read_flags(flags)
    into, store = out or Path(OUT[config.lang]), open_store(config.store)
    results: list[Packed] = []
    with _listener(as_json, config.lang) as listener:
        if unit_budget is None:
            lessons = packing(paths, into, store, config, listener, captions)
        else:
            from chasqui.run.size import read_size
            from chasqui.run.unit import packing_unit

            lessons = packing_unit(paths, read_size(unit_budget), into, store, config, listener, captions)
        for packed in lessons:
            results.append(packed)
            if packed.error and not as_json:
                _refuse(packed.source, packed.error, config.lang)
    if as_json:
        _json_lines().result(result(results, config))
    else:
        _print_table(results, config)
    return exit_code(results)


def _refuse(path: Path, error: ChasquiError, lang: str) -> None:
    text = say("cli.refused", lang, name=click.format_filename(path), message=explain(error, lang))
    click.echo(text, err=True)


def _print_table(results: list[Any], config: Any) -> None:
    from chasqui.run.tell import summary, table

    if not results:
        click.echo(say("cli.nothing found", config.lang), err=True)
    if any(packed.lesson for packed in results):
        _print(table(results, config))
        click.echo("\n".join(summary(results, config)))


def _print(drawn: Any) -> None:
    from rich.console import Console

    # Away from a terminal nobody folds lines: a folder's name must come out whole.
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(drawn)


@chasqui.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@common
def ingest(paths: tuple[Path, ...], as_json: bool, **flags: Any) -> int:
    from chasqui.ingest import accept, find
    from chasqui.store import open_store

    config = read_flags(flags)
    store = open_store(config.store)
    codes = []
    for path, folder in find(paths):
        try:
            request = accept(path, store, folder=folder)
            _run_stage("ingest", request.recording_id, store, config, as_json)
        except ChasquiError as error:
            if len(paths) == 1 and not paths[0].is_dir():
                raise
            codes.append(error.exit_code)
            _refuse(path, error, config.lang)
    return SOME_REFUSED if codes else 0


def _stage_command(name: str) -> None:
    """`chasqui NAME LESSON...`: run one stage on what the store has, and print its record."""

    def run(lesson: tuple[str, ...], as_json: bool, explain: bool = False, **flags: Any) -> None:
        from chasqui.run.story import resolve
        from chasqui.store import open_store

        asks = any(flags.get(name) is not None for name in ("target", "budget"))
        config = read_flags(flags)
        store = open_store(config.store)
        for recording_id in [resolve(wanted, store) for wanted in lesson]:
            if explain:
                _explain(recording_id, store, config, as_json, anew=asks)
            else:
                _run_stage(name, recording_id, store, config, as_json)

    if name == "choose":
        run = click.option("--explain", is_flag=True)(promising(run))
    if name == "diarize":
        run = telling_apart(run)
    chasqui.command(name)(click.argument("lesson", nargs=-1, required=True)(common(run)))


def _explain(recording_id: str, store: Any, config: Any, as_json: bool, anew: bool) -> None:
    from chasqui.run.explain import explained, table

    with _listener(as_json, config.lang) as listener:
        told = explained(recording_id, store, config, anew, listener)
    if as_json:
        _json_lines().result({"stage": "choose", "recording_id": recording_id, "segments": told})
    else:
        _print(table(told, config.lang))


for _name in ("clean", "analyze", "diarize", "tokenize", "choose", "encode", "verify", "publish"):
    _stage_command(_name)
    if _name == "analyze":
        chasqui.add_command(transcribe)


@chasqui.command()
@click.argument("lesson", required=False)
@click.option("--segments", is_flag=True)
@common
def show(lesson: str | None, segments: bool, as_json: bool, **flags: Any) -> None:
    from chasqui.run.story import Teller, records, resolve
    from chasqui.store import open_store

    config = read_flags(flags)
    store = open_store(config.store)
    if lesson is None:
        return _list_lessons(store, config.lang, as_json)
    recording_id = resolve(lesson, store)
    if as_json:
        present = {name: record.model_dump(mode="json") for name, record in records(recording_id, store).items()}
        return click.echo(json.dumps(present))
    for line in Teller(store, config.lang, segments).tell(recording_id):
        click.echo(line)
    return None


def _list_lessons(store: Any, lang: str, as_json: bool) -> None:
    from chasqui.records import Request

    known = {recording_id: store.get(recording_id, "request", Request) for recording_id in store.recordings()}
    names = {recording_id: request.name if request else "?" for recording_id, request in known.items()}
    if as_json:
        return click.echo(json.dumps(names))
    click.echo(say("cli.lessons.title" if names else "cli.lessons.none", lang, store=store.url))
    for recording_id, name in names.items():
        click.echo(f"  {recording_id}  {name}")
    return None


def _run_stage(name: str, recording_id: str, store: Any, config: Any, as_json: bool) -> None:
    from chasqui.run.local import run_stages
    from chasqui.run.story import readable

    with _listener(as_json, config.lang) as listener:
        (record,) = run_stages([name], recording_id, store, config, listener)
    facts = record.model_dump(mode="json")
    if as_json:
        _json_lines().result({"stage": name, "record": facts})
    else:
        for line in readable(facts):
            click.echo(line)


def _listener(as_json: bool, lang: str) -> Any:
    from chasqui.run.progress import listening

    return listening(as_json, lang)


def _json_lines() -> Any:
    from chasqui.run.progress import json_lines

    return json_lines()


for _command in (dataset, push, serve, worker, service, train, models):
    chasqui.add_command(_command)
