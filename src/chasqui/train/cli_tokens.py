"""`chasqui train units|pieces`: what `tokenize` cuts sound and words with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from chasqui.words import LANGUAGES, say

FOLDER = click.Path(path_type=Path, file_okay=False)
LANG = click.option("--lang", type=click.Choice(LANGUAGES))
JSON = click.option("--json", "as_json", is_flag=True)


@click.command()
@click.option("--media", type=FOLDER, envvar="CHASQUI_MEDIA", required=True)
@click.option("--out", "units_out", type=FOLDER, default=Path("units"))
@click.option("--size", "sizes", type=click.IntRange(2, 65_536), multiple=True, default=(100, 500))
@click.option("--model-version", "model_version", default="0.0.0", metavar="X.Y.Z")
@click.option("--seed", type=int, default=1)
@LANG
@JSON
def units(
    media: Path, units_out: Path, sizes: tuple[int, ...], model_version: str, seed: int, lang: str | None, as_json: bool
) -> None:
    from chasqui.config import load
    from chasqui.errors import BadConfig
    from chasqui.run.progress import json_lines
    from chasqui.store.guard import disk
    from chasqui.tokenize.units import save
    from chasqui.train import units as room
    from chasqui.train.export import is_version

    lang = load(None, lang=lang).lang
    if not is_version(model_version):
        raise BadConfig(why=f"{model_version!r} is not a version such as 1.2.0")
    heard = room.listen_to(media, seed)
    made: list[dict[str, Any]] = []
    for size in sizes:
        book = room.fit(heard, size, seed, model_version)
        scores = room.judge(book, heard, media)
        book.card["scores"] = scores
        with disk(units_out):
            save(book, units_out / book.name)
        made.append({"name": book.name, **scores})
        if not as_json:
            click.echo(say("train.units.made", lang, name=book.name, **scores))
    if as_json:
        json_lines().result({"units": made})
    else:
        click.echo(say("train.units.out", lang, out=click.format_filename(units_out)))


@click.command()
@click.argument("texts", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--out", "pieces_out", type=click.Path(path_type=Path, dir_okay=False), default=Path("tokenizer.json"))
@click.option("--pieces", "most_pieces", type=click.IntRange(256, 1_000_000), default=8000)
@LANG
@JSON
def pieces(texts: tuple[Path, ...], pieces_out: Path, most_pieces: int, lang: str | None, as_json: bool) -> None:
    from chasqui.config import load
    from chasqui.errors import Unreadable
    from chasqui.run.progress import json_lines
    from chasqui.store.guard import disk
    from chasqui.tokenize.pieces import train

    lang = load(None, lang=lang).lang
    lines: list[str] = []
    for path in texts:
        try:
            lines += path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise Unreadable(name=click.format_filename(path), why="it is no text in UTF-8") from error
    trained = train(lines, most_pieces)
    with disk(pieces_out.parent):
        pieces_out.write_text(trained, encoding="utf-8")
    if as_json:
        json_lines().result({"texts": len(texts), "lines": len(lines), "out": str(pieces_out)})
    else:
        click.echo(say("train.pieces.out", lang, lines=len(lines), out=click.format_filename(pieces_out)))
