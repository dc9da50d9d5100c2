"""`chasqui transcribe FILE…`: the words of recordings, as files, without making lessons of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from chasqui.errors import SOME_REFUSED, BadConfig, ChasquiError
from chasqui.flags import common, listening_with, read_flags
from chasqui.pipeline import stages_for
from chasqui.words import explain, reason, say


@click.command()
@click.argument("wanted", nargs=-1, required=True)
@click.option("--out", "words_out", type=click.Path(path_type=Path, file_okay=False), default=Path())
@listening_with
@common
def transcribe(wanted: tuple[str, ...], words_out: Path, captions: str | None, as_json: bool, **flags: Any) -> int:
    from chasqui.run.deliver import writable
    from chasqui.store import open_store

    config = read_flags(flags)
    store, errors = open_store(config.store), []
    with writable(words_out):
        for name, take, brought in _with_captions(list(_recordings(wanted, store)), captions, config):
            try:
                recording_id, folder = take()
                _bring(brought, recording_id, store, config, as_json)
                if Path(name).exists():
                    _somebody_knows(recording_id, store, config)
                _one(recording_id, words_out / folder, store, config, as_json)
            except ChasquiError as error:
                if len(wanted) == 1 and not Path(wanted[0]).is_dir():
                    raise
                errors.append(error)
                shown = Path(name).name or name
                click.echo(say("cli.refused", config.lang, name=shown, message=explain(error, config.lang)), err=True)
    return SOME_REFUSED if errors else 0


def _recordings(wanted: tuple[str, ...], store: Any) -> Iterator[tuple[str, Any]]:
    """Path or name, and what gives (recording id, folder): files as they are on the disk, else known lessons."""
    from chasqui.ingest import accept, find
    from chasqui.run.story import resolve

    for what in wanted:
        if not Path(what).exists():
            yield what, lambda what=what: (resolve(what, store), "")
            continue
        for path, folder in find([Path(what)]):
            yield (
                str(path),
                lambda path=path, folder=folder: (accept(path, store, folder=folder).recording_id, folder),
            )


def _with_captions(
    recordings: list[tuple[str, Any]], captions: str | None, config: Any
) -> Iterator[tuple[str, Any, Any]]:
    if captions is None:
        yield from ((name, take, None) for name, take in recordings)
        return
    from chasqui.run.captions import match, without

    takes = {Path(name): take for name, take in recordings}
    found = [(path, "") for path in takes]
    brought = match(captions, found, config.options("transcribe").language)
    yield from ((str(path), takes[path], brought.get(path)) for path, _ in without(found, brought))


def _bring(brought: Any, recording_id: str, store: Any, config: Any, as_json: bool) -> None:
    from chasqui.run.captions import bring
    from chasqui.run.progress import listening

    with listening(as_json, config.lang) as listener:
        bring(brought, recording_id, store, listener)


def _somebody_knows(recording_id: str, store: Any, config: Any) -> None:
    """Of a lesson that is packed stage by stage, "no transcript" is an answer; of a file it is not.

    Raises:
        BadConfig: there is neither a recogniser nor anything that a person brought.
    """
    from chasqui.records import Given

    given = store.get(recording_id, "captions", Given)
    if config.options("transcribe").recogniser is None and (given is None or given.source is None):
        if given is not None and given.failure is not None:
            raise given.failure.as_error()
        raise BadConfig(why="no recogniser was asked for; name one with --recogniser, for example pocketsphinx")


def _one(recording_id: str, out: Path, store: Any, config: Any, as_json: bool) -> None:
    from chasqui.run.local import run_stages
    from chasqui.run.progress import json_lines, listening
    from chasqui.run.story import readable

    names = [stage.name for stage in stages_for("transcribe")]
    if config.options("diarize").speakers != "none":
        names.insert(-1, "diarize")
    with listening(as_json, config.lang) as listener:
        transcript: Any = run_stages(names, recording_id, store, config, listener)[-1]
    if failed := transcript.failure or (transcript.refused if transcript.words is None else None):
        raise failed.as_error()
    made: list[Path] = []
    if transcript.words is not None:
        made = _written(recording_id, transcript, out, store, config)
    facts = transcript.model_dump(mode="json")
    if as_json:
        json_lines().result({"stage": "transcribe", "record": facts, "files": [str(path) for path in made]})
    elif not made:
        click.echo(say("cli.story.no transcript", config.lang, why=reason(transcript.why, config.lang)))
        for line in readable(facts):
            click.echo(line)
    else:
        click.echo(say("cli.transcribed", config.lang, words=transcript.word_count))
        for path in made:
            click.echo(f"  {path}")


def _written(recording_id: str, transcript: Any, out: Path, store: Any, config: Any) -> list[Path]:
    from chasqui.captions.forms import forms
    from chasqui.captions.rttm import rttm
    from chasqui.records import PhraseEnd, Request, Word
    from chasqui.store import lines
    from chasqui.store.guard import disk

    request = store.get(recording_id, "request", Request)
    stem = Path(request.name).stem if request else recording_id
    made = []
    with disk(out):
        out.mkdir(parents=True, exist_ok=True)
        words = lines.read(store.path(transcript.words), Word)
        who, ends = _turns(recording_id, store, config)
        if transcript.phrases is not None:
            ends = lines.read(store.path(transcript.phrases), PhraseEnd)
        texts = {f"transcript.{ending}": text for ending, text in forms(words, transcript.language, who, ends).items()}
        if len({turn.speaker for turn in who}) > 1:
            texts["speakers.rttm"] = rttm(who, stem)
        for name, text in texts.items():
            made.append(out / f"{stem}.{name}")
            made[-1].write_bytes(text.encode())
    return made


def _turns(recording_id: str, store: Any, config: Any) -> tuple[list[Any], list[Any]]:
    """Turns and phrase ends, where this run asked for them."""
    from chasqui.records import PhraseEnd, Turn, Turns
    from chasqui.store import lines

    turns = store.get(recording_id, "diarize", Turns)
    if config.options("diarize").speakers == "none" or turns is None or turns.turns is None or turns.phrases is None:
        return [], []
    return lines.read(store.path(turns.turns), Turn), lines.read(store.path(turns.phrases), PhraseEnd)
