"""Fixtures everybody needs. Real recordings live outside the repository; without them a test skips, in CI it fails."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from absent import missing

pytest_plugins = ("buckets", "fakes", "lesson", "nodes", "schools", "standin", "surroundings")


@pytest.fixture(scope="session")
def media() -> Path:
    """The folder of real recordings: `CHASQUI_MEDIA`, or ../shared/media beside the repository."""
    folder = Path(os.environ.get("CHASQUI_MEDIA", Path(__file__).parents[2] / "shared" / "media"))
    if not (folder / "media.tsv").exists():
        missing(f"the folder of real recordings ({folder.name}; set CHASQUI_MEDIA)")
    return folder


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """Finds a program of this machine by name, such as opusdec."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            missing(name)
        return str(path)

    return find
