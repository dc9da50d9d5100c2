"""What every command may be told: the options that they share, and the Config that comes out of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from chasqui.words import LANGUAGES

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_CONFIG = Path("chasqui.toml")
TARGETS = ("understood", "comfortable", "clear")


def common(command: F) -> F:
    """The options that every command has."""
    for option in (
        click.option("--set", "sets", multiple=True, metavar="STAGE.OPTION=VALUE"),
        click.option("--threads", type=click.IntRange(0, 256)),
        click.option("--config", type=click.Path(path_type=Path, dir_okay=False)),
        click.option("--store", metavar="URL"),
        click.option("--lang", type=click.Choice(LANGUAGES)),
        click.option("--json", "as_json", is_flag=True),
    ):
        command = option(command)
    return command


def promising(command: F) -> F:
    """The two options that say what the listener shall get."""
    command = click.option("--budget", metavar="SIZE")(command)
    return click.option("--target", type=click.Choice(TARGETS))(command)


def telling_apart(command: F) -> F:
    """The option that says whether anybody asks who speaks."""
    return click.option("--speakers", metavar="none|auto|NUMBER")(command)


def listening_with(command: F) -> F:
    """The options that say who writes down what is said."""
    command = click.option("--captions", metavar="FILE_OR_FOLDER")(command)
    command = telling_apart(command)
    return click.option("--recogniser", metavar="NAME")(command)


def read_flags(flags: dict[str, Any]) -> Any:
    """The Config out of a command's flags.

    Raises:
        BadConfig: a setting that makes no sense.
    """
    from chasqui.config import load, read_setting
    from chasqui.run.size import read_size

    path = flags.pop("config") or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    budget, target = flags.pop("budget", None), flags.pop("target", None)
    settings: dict[str, Any] = dict(read_setting(text) for text in flags.pop("sets"))
    if budget is not None:
        settings["choose__budget_bytes"] = read_size(budget)
    if (recogniser := flags.pop("recogniser", None)) is not None:
        settings["transcribe__recogniser"] = recogniser
    if (speakers := flags.pop("speakers", None)) is not None:
        settings["diarize__speakers"] = speakers
    if target is not None:
        settings["choose__target"] = target
    return load(path, **settings, **flags)
