"""Settings: defaults, then a file, then the environment, then flags; and answers to typing mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import Rooms

from chasqui.config import Config, load
from chasqui.errors import BadConfig

pytestmark = pytest.mark.usefixtures("fake_rooms")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "chasqui.toml"
    path.write_text(
        'store = "file:from-file"\nlang = "en"\nthreads = 3\n[choose]\ntarget = "clear"\nbudget_bytes = 5\n'
    )
    return path


def test_defaults() -> None:
    config = load(env={})
    assert (config.store, config.lang, config.threads) == ("file:.chasqui", "es", 0)
    assert config.workers >= 1
    assert config.options("choose").target == "comfortable"


def test_flags_win_over_the_environment_and_that_over_the_file(file: Path) -> None:
    env = {"CHASQUI_LANG": "es", "CHASQUI_THREADS": "5", "CHASQUI_CHOOSE__TARGET": "understood", "PATH": "/bin"}
    config = load(file, env=env, threads=7)
    assert (config.store, config.lang, config.threads) == ("file:from-file", "es", 7)
    choose = config.options("choose")
    assert (choose.target, choose.budget_bytes, choose.threads) == ("understood", 5, 7)
    assert load(file, env=env, choose__target="comfortable").options("choose").target == "comfortable"


def test_flags_that_were_not_given_change_nothing(file: Path) -> None:
    assert load(file, env={}, lang=None, choose__target=None) == load(file, env={})


def test_the_language_reaches_the_stages_that_speak() -> None:
    assert load(env={}, lang="en").options("publish").lang == "en"
    assert load(env={}, lang="en", publish__lang="es").options("publish").lang == "es"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"choose__tarjet": "clear"}, "did you mean 'target'?"),
        ({"chose__target": "clear"}, "did you mean 'choose'?"),
        ({"stroe": "x"}, "did you mean 'store'?"),
        ({"lang": "fr"}, "settings.lang"),
        ({"threads": "many"}, "settings.threads"),
        ({"choose__target": "loud"}, "choose.target"),
        ({"choose__budget_bytes": "a lot"}, "'a lot'"),
        ({"zzz": 1}, "no option 'zzz'"),
    ],
)
def test_mistakes_are_answered(flags: dict[str, object], words: str) -> None:
    with pytest.raises(BadConfig) as caught:
        load(env={}, **flags)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("store = ", "cannot be read as settings"),
        ("[chose]\ntarget = 'clear'", "did you mean 'choose'?"),
        ("choose = 3", "must be a section"),
        ("[choose]\ntarget = 3", "choose.target"),
        ("\xff", "cannot be read as settings"),
    ],
)
def test_a_file_with_mistakes_is_answered(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "chasqui.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(BadConfig) as caught:
        load(tmp_path / "chasqui.toml", env={})
    assert words in str(caught.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="cannot be read"):
        load(tmp_path / "absent.toml", env={})


def test_a_mistake_in_the_environment_is_answered() -> None:
    with pytest.raises(BadConfig, match="did you mean 'budget_bytes'"):
        load(env={"CHASQUI_CHOOSE__BUDGET_BYTE": "3"})


def test_other_variables_of_ours_are_left_alone() -> None:
    assert load(env={"CHASQUI_MEDIA": "/x", "CHASQUI_DEBUG": "1", "HOME": "/h"}) == Config()


def test_a_stage_that_does_not_exist_is_answered(fake_rooms: Rooms) -> None:
    with pytest.raises(BadConfig, match="did you mean 'encode'"):
        load(env={}).options("encoder")
