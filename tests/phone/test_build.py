"""What is committed is what the source makes, it is small, and its types hold."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from pathlib import Path

import pytest

from phone.conftest import BUILT, ROOT, SHIPPED

PHONE = ROOT / "phone"
#: Every byte is paid by somebody: raise it only for something that is worth it.
MOST_GZIP = 7_200


@pytest.fixture
def program(missing, tool):
    """Programs that `make phone` installs."""

    def find(name: str) -> list[str]:
        path = PHONE / "node_modules" / name
        if not path.exists():
            missing(f"{name} (run make phone)")
        return [tool("node"), str(path)]

    return find


def test_the_source_makes_what_is_committed(program, tmp_path):
    program("esbuild/bin/esbuild")
    made = tmp_path / "made.js"
    subprocess.run(["node", PHONE / "build.mjs", made], check=True, timeout=60)
    assert made.read_bytes() == BUILT.read_bytes(), "run make phone and commit what it makes"


def test_types_hold(program):
    done = subprocess.run(
        [*program("typescript/bin/tsc"), "--project", PHONE], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout


def test_it_is_small():
    assert len(gzip.compress(BUILT.read_bytes(), 9)) <= MOST_GZIP


def test_it_needs_nothing():
    code = BUILT.read_text(encoding="utf-8")
    assert not re.search(r"\bimport\b|\brequire\b|\beval\b|\bfetch\b|new Function", code)


@pytest.mark.parametrize("path", sorted((PHONE / "src").glob("*.ts")), ids=lambda path: path.name)
def test_files_stay_short_and_say_what_they_are_for(path: Path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert text.startswith("/**")


def test_versions_are_exact():
    assert re.findall(r'": "(\^|~|>|\*)', (PHONE / "package.json").read_text(encoding="utf-8")) == []


def test_the_shipped_model_is_small(missing):
    path = SHIPPED / "model.json"
    if not path.exists():
        missing("the model for phones")
    assert path.stat().st_size <= 60_000
    assert len(gzip.compress(path.read_bytes(), 9)) <= 25_000
    assert os.access(SHIPPED / "model.tflite", os.R_OK)
