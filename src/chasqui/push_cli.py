"""`chasqui push FILE… --server URL`: what `pack` does, on somebody else's machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chasqui.errors import SOME_REFUSED, BadConfig, ChasquiError, NoServer, NotSignedIn, ServerAway
from chasqui.events import Report
from chasqui.flags import promising
from chasqui.words import LANGUAGES, explain, say

if TYPE_CHECKING:
    from chasqui.client import Client
    from chasqui.events import Listener

#: Asked for at the first file, these would be answered alike at every other one.
FOR_ALL = (ServerAway, NoServer, NotSignedIn, BadConfig)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--server", envvar="CHASQUI_SERVER", metavar="URL", required=True)
@click.option("--token", envvar="CHASQUI_TOKEN", metavar="TOKEN", default="")
@click.option("--title", metavar="TEXT", default="")
@promising
@click.option("--publish", is_flag=True)
@click.option("--fetch", "fetch_into", type=click.Path(path_type=Path, file_okay=False))
@click.option("--lang", type=click.Choice(LANGUAGES))
@click.option("--json", "as_json", is_flag=True)
def push(paths: tuple[Path, ...], server: str, token: str, lang: str | None, as_json: bool, **wishes: Any) -> int:
    from chasqui.client import Client
    from chasqui.ingest import find
    from chasqui.run.progress import json_lines, listening

    lang = lang or os.environ.get("CHASQUI_LANG", "")
    lang = lang if lang in LANGUAGES else LANGUAGES[0]
    if not token:
        raise NotSignedIn()
    client = Client(server, token, lang=lang)
    found = list(find(paths))
    if wishes["title"] and len(found) > 1:
        raise BadConfig(why="one title for several recordings; push them one by one")
    told: list[dict[str, Any]] = []
    with listening(as_json, lang) as listener:
        for path, _folder in found:
            told.append(_one(client, path, wishes, listener))
            if not as_json:
                _say(told[-1], lang)
            if told[-1].get("stop"):
                break
    if as_json:
        json_lines().result(_result(told, lang))
    elif not found:
        click.echo(say("cli.nothing found", lang), err=True)
    return _exit_code(told)


def _one(client: Client, path: Path, wishes: dict[str, Any], listener: Listener) -> dict[str, Any]:
    """What became of one recording: the server's words on its lesson, or the error."""
    told: dict[str, Any] = {"source": str(path)}
    pack = Report("pack", "", listener)
    try:
        pack.say("started", facts={"source": str(path), "name": path.name})
        sending = Report("upload", "", listener)
        sending.say("started")
        made = client.upload(
            path,
            title=wishes["title"],
            target=wishes["target"] or "",
            budget=wishes["budget"] or "",
            advanced=lambda done, whole: sending.advanced(done, whole, "bytes"),
        )
        sending.say("finished")
        told |= {"lesson_id": made.lesson_id, "job_id": made.job_id, "recording_id": made.recording_id}
        if made.job_id:
            _follow(client, made.job_id, listener)
        if wishes["publish"]:
            client.publish(made.lesson_id)
        if wishes["fetch_into"]:
            told["folder"] = str(client.fetch(made.lesson_id, wishes["fetch_into"]))
        facts = client.lesson(made.lesson_id)
        told |= {name: facts.get(name) for name in ("title", "state", "bytes", "source_bytes", "promised", "kept")}
        pack.say("finished", facts={"lesson_id": made.lesson_id})
    except ChasquiError as error:
        facts = {"source": str(path), "error": error.code, "action": error.action, "exit_code": error.exit_code}
        pack.say("failed", message=str(error), facts=facts)
        told |= {"refused": error, "stop": isinstance(error, FOR_ALL)}
    return told


def _follow(client: Client, job_id: str, listener: Listener) -> None:
    """Tell of the stages as those of this machine tell of themselves."""
    report: Report | None = None
    for job in client.follow(job_id):
        if report is None or report.stage != job.stage:
            if report is not None:
                report.say("finished")
            report = Report(job.stage or "", job.recording_id, listener)
            report.say("started")
        if job.state == "running":
            report.advanced(job.done, 1.0, "part")
    if report is not None:
        report.say("finished")


def _say(told: dict[str, Any], lang: str) -> None:
    from chasqui.run.size import show_size

    if error := told.get("refused"):
        name = click.format_filename(told["source"])
        click.echo(say("cli.refused", lang, name=name, message=explain(error, lang)), err=True)
        return
    facts = {"before": show_size(told["source_bytes"] or 0), "after": show_size(told["bytes"] or 0)}
    promise = say(f"cli.promise.{told['kept'] or 'nothing'}", lang)
    where = told.get("folder") or told["lesson_id"]
    click.echo(say("cli.pushed", lang, title=told["title"], promise=promise, where=where, **facts))


def _exit_code(told: list[dict[str, Any]]) -> int:
    errors = [one["refused"] for one in told if "refused" in one]
    if not errors:
        return 0
    return int(errors[0].exit_code) if len(errors) == len(told) else SOME_REFUSED


def _result(told: list[dict[str, Any]], lang: str) -> dict[str, Any]:
    from chasqui.run.tell import RESULT_VERSION, failure

    return {
        "version": RESULT_VERSION,
        "exit_code": _exit_code(told),
        "lessons": [one for one in told if "refused" not in one],
        "refused": [{"source": one["source"], **failure(one["refused"], lang)} for one in told if "refused" in one],
    }
