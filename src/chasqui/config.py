"""Settings: defaults, then `chasqui.toml`, then `CHASQUI_*` in the environment, then flags. One frozen Config.

Each stage's options stand beside the code that reads them (`<stage>.Options`); this file only brings them together.
Environment: `CHASQUI_STORE`, `CHASQUI_LANG`, `CHASQUI_THREADS`, and `CHASQUI_<STAGE>__<OPTION>`
(`CHASQUI_PUBLISH__PEN_PER_MB`).
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chasqui.errors import BadConfig
from chasqui.pipeline import PIPELINE


class Config(BaseModel):
    """Everything a run can be told. `stages` holds the overrides per stage; `options(name)` gives them checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    store: str = "file:.chasqui"
    lang: str = Field(default="es", pattern="^(es|en)$")  # teachers and students first
    threads: int = Field(default=0, ge=0, le=256)  # 0: as many as there are cores
    stages: dict[str, dict[str, Any]] = {}

    def options(self, stage: str) -> Any:
        """The stage's Options, checked.

        Raises:
            BadConfig: an unknown option (with the nearest known name) or a value out of range.
        """
        if stage not in PIPELINE:
            raise BadConfig(why=f"there is no stage {stage!r}" + _meant(stage, PIPELINE))
        kind = PIPELINE[stage].room.Options
        values = dict(self.stages.get(stage, {}))
        if "threads" in kind.model_fields:  # how fast, not what: such fields are excluded from the key
            values.setdefault("threads", self.workers)
        if "lang" in kind.model_fields:
            values.setdefault("lang", self.lang)
        if stage == "diarize" and self.stages.get("transcribe", {}).get("recogniser"):
            values.setdefault("speakers", "auto")  # words want speakers; --speakers none says otherwise
        if "listening" in kind.model_fields:  # the same ears for master and encode
            values.setdefault("listening", self.options("transcribe").as_listening())
        return _checked(kind, values, where=stage)

    @property
    def workers(self) -> int:
        """How many threads may work at once."""
        return self.threads or os.cpu_count() or 1


def load(path: Path | None = None, env: Mapping[str, str] = os.environ, **flags: Any) -> Config:
    """The Config from a TOML file (if there is one), the environment and the flags that are not None.

    Raises:
        BadConfig: a file that is not TOML, an unknown key, a value of the wrong kind.
    """
    settings: dict[str, Any] = _read(path) if path else {}
    stages: dict[str, Any] = {name: settings.pop(name) for name in PIPELINE if name in settings}
    for name, section in stages.items():
        if not isinstance(section, dict):
            raise BadConfig(why=f"{name} in {path} must be a section: [{name}]")
    for name, value in env.items():
        key = name.removeprefix("CHASQUI_").lower()
        if key == name.lower() or key in ("media",):
            continue
        stage, _, option = key.partition("__")
        if option and stage in PIPELINE:
            stages.setdefault(stage, {})[option] = value
        elif key in Config.model_fields and key != "stages":
            settings[key] = value
    for name, value in flags.items():
        if value is None:
            continue
        stage, _, option = name.partition("__")
        if option:
            stages.setdefault(stage, {})[option] = value
        else:
            settings[name] = value
    config: Config = _checked(Config, {**settings, "stages": stages}, where="settings")
    for stage in stages:
        config.options(stage)
    return config


def read_setting(text: str) -> tuple[str, str]:
    """`stage.option=value`, as the command line takes it, as a flag for `load`.

    Raises:
        BadConfig: not of that form.
    """
    name, equals, value = text.partition("=")
    stage, dot, option = name.strip().partition(".")
    if not (equals and dot and stage and option):
        raise BadConfig(why=f"--set {text!r} is not of the form stage.option=value")
    return f"{stage}__{option.replace('-', '_')}", value.strip()


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfig(why=f"{path} cannot be read as settings: {error}") from error


def _checked(kind: type[BaseModel], values: Mapping[str, Any], where: str) -> Any:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise BadConfig(why=_in_words(kind, error, where)) from error


def _in_words(kind: type[BaseModel], error: ValidationError, where: str) -> str:
    said = []
    for problem in error.errors():
        name = str(problem["loc"][0]) if problem["loc"] else "?"
        if problem["type"] == "extra_forbidden":
            known = [*kind.model_fields, *(PIPELINE if kind is Config else ())]
            said.append(f"{where}: there is no option {name!r}" + _meant(name, known))
        else:
            said.append(f"{where}.{name}: {problem['msg']} (got {problem.get('input')!r})")
    return "; ".join(said)


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
