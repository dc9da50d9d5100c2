"""Rules of the house that no other tool checks: who may import what, sizes, versions, nothing of one machine."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "chasqui"
MODULES = sorted(SOURCE.rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

#: Files over 300 lines and functions over 60, each with its reason.
FIRST_TABLES = "catalog/migrations/versions/0001_first_tables.py"
LONG_FILES: dict[str, str] = {FIRST_TABLES: "a step of the database that was taken never changes again"}
LONG_FUNCTIONS: dict[str, str] = {f"{FIRST_TABLES}:upgrade": "the same", f"{FIRST_TABLES}:downgrade": "the same"}

#: Beginnings of paths that exist on one machine only, and hosts that packages came from. Written apart, so that this
#: file does not find itself.
FOREIGN = [
    "/" + name
    for name in ("work/main", "work/shared", "root/", "opt/pypi", "opt/wheels", "tmp/bash_jobs", "usr/lib/python")
]
FOREIGN += ["files.python" + "hosted.org", "pypi" + ".org/simple", "extra-index" + "-url", "--index" + "-url"]


def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def name(module: Path) -> str:
    return module.relative_to(SOURCE).as_posix()


def imports(module: Path) -> Iterator[str]:
    """Packages that a module imports, at the top or inside a function."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [path for entry in listed.stdout.decode().split("\0") if entry and (path := ROOT / entry).is_file()]


def test_only_media_touches_pyav() -> None:
    assert [name(m) for m in MODULES if "av" in imports(m) and not name(m).startswith("media/")] == []


def test_imports_point_one_way() -> None:
    checked = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_room_is_in_the_import_contract() -> None:
    layers = " ".join(PROJECT["tool"]["importlinter"]["contracts"][0]["layers"])
    rooms = {m.relative_to(SOURCE).parts[0].removesuffix(".py") for m in MODULES} - {"__init__", "__main__"}
    assert {room for room in rooms if f"chasqui.{room}" not in layers.split()} == set()


def test_files_stay_short() -> None:
    long = {name(m) for m in MODULES if len(m.read_text(encoding="utf-8").splitlines()) > 300}
    assert long == set(LONG_FILES)


def test_functions_stay_short() -> None:
    long = {
        f"{name(m)}:{node.name}"
        for m in MODULES
        for node in ast.walk(tree(m))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
    }
    assert long == set(LONG_FUNCTIONS)


def test_every_module_says_what_it_is_for() -> None:
    assert [name(m) for m in MODULES if not ast.get_docstring(tree(m))] == []


def test_every_room_has_tests() -> None:
    rooms = {m.relative_to(SOURCE).parts[0] for m in MODULES if len(m.relative_to(SOURCE).parts) > 1}
    assert {room for room in rooms if not list((ROOT / "tests" / room).glob("test_*.py"))} == set()


def test_nothing_of_one_machine_is_tracked() -> None:
    leaks = []
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data[:8192]:
            leaks += [f"{path.relative_to(ROOT)}: {bad}" for bad in FOREIGN if bad.encode() in data]
    assert leaks == []


def test_big_files_are_known() -> None:
    big = {path.relative_to(ROOT).as_posix() for path in tracked() if path.stat().st_size > 1_000_000}
    assert big <= {
        "examples/demo-lesson/clase.flac",
        "src/chasqui/metrics/models/visqol_speech_lattice.tflite",
        "src/chasqui/models/speaker/weights.npz",
    }


def test_both_catalogues_have_the_same_words() -> None:
    spanish, english = (
        {
            path.name: set(json.loads(path.read_text(encoding="utf-8")))
            for path in (SOURCE / "words" / lang).glob("*.json")
        }
        for lang in ("es", "en")
    )
    assert spanish
    assert spanish == english


def test_constraints_are_exact_and_cover_what_we_depend_on() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.+]*( ?;.+)?", pin)] == []
    pinned = {normal(pin.split("==")[0]) for pin in pins}
    project = PROJECT["project"]
    wanted = list(chain(project["dependencies"], *project["optional-dependencies"].values()))
    assert {normal(re.split(r"[\[<>=!~; ]", need)[0]) for need in wanted} - pinned == set()


def normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def test_nobody_needs_a_compiler() -> None:
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "libsvm-official" not in constraints  # no wheels: see docs/decisions/0002


def test_ci_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=False).returncode == 0
