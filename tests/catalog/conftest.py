"""A catalog on each database that there is."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from nodes import database
from schools import relaxed

from chasqui.catalog import Catalog

#: Without the extra these tests have nothing to test; the modules that import its packages are not even read.
ABSENT = [
    name for name in ("sqlalchemy", "alembic", "argon2", "psycopg", "pyotp") if not importlib.util.find_spec(name)
]
collect_ignore_glob = ["test_*.py"] if ABSENT and os.environ.get("CI") != "true" else []


@pytest.fixture(autouse=True)
def passwords(quick_passwords: None) -> None:
    """Nothing here is about what they cost."""


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database that the tests here have for themselves."""
    with database(request) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("tables"), tmp_path / "catalog.db")
        return f"sqlite:///{tmp_path / 'catalog.db'}"
    return str(request.getfixturevalue("postgres"))


@pytest.fixture
def catalog(url: str) -> Iterator[Catalog]:
    """Tables without rows."""
    from chasqui.catalog import open_catalog
    from chasqui.catalog.tables import Table

    opened = relaxed(open_catalog(url))
    yield opened
    with opened.writing() as db:
        for table in reversed(Table.metadata.sorted_tables):
            db.execute(table.delete())
    opened.close()
