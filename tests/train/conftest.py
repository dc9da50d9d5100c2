"""A small part of a real sweep, kept with the tests: 80 segments of speech and 42 of music at every rung."""

from __future__ import annotations

from pathlib import Path

import pytest
from absent import missing


@pytest.fixture(scope="session")
def small_sweep() -> Path:
    try:
        import pyarrow
        import sklearn  # noqa: F401 - only whether it is there
    except ImportError as error:
        missing(f"{error.name} (pip install 'chasqui[train]')")
    del pyarrow
    return Path(__file__).parent / "data" / "sweep"
