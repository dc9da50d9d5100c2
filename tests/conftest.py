"""Fixtures everybody needs. Real recordings live outside the repository; without them a test skips, in CI it fails."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from absent import missing

pytest_plugins = ("buckets", "fakes", "lesson", "nodes", "schools", "standin", "surroundings")

#: Files of the tests that take longest, the longest first.
LONGEST = (
    "tests/run/queue/test_kill.py",
    "tests/examples/test_airflow.py",
    "tests/train/test_sweep.py",
    "tests/stories/test_operator.py",
    "tests/web/test_description.py",
    "tests/run/queue/test_transport.py",
    "tests/run/test_pool.py",
    "tests/run/test_sources_bucket.py",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """How many go beside each other: as many as there are cores, four at most, because each has servers of its own."""
    return min(4, os.cpu_count() or 1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, or at the end one worker has them and the others have nothing."""
    places = {file: place for place, file in enumerate(LONGEST)}
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


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
