"""A catalog on each database that there is."""

from __future__ import annotations

import importlib.util
import os
import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from absent import missing

from chasqui.catalog import Catalog

#: Where PostgreSQL is, for tests: a server that lets us make databases.
POSTGRES = os.environ.get("CHASQUI_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


#: Without the extra these tests have nothing to test; the modules that import its packages are not even read.
ABSENT = [
    name for name in ("sqlalchemy", "alembic", "argon2", "psycopg", "pyotp") if not importlib.util.find_spec(name)
]
collect_ignore_glob = ["test_*.py"] if ABSENT and os.environ.get("CI") != "true" else []


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of an empty database, dropped afterwards."""
    import psycopg

    name = f"chasqui_test_{secrets.token_hex(4)}"
    try:
        server = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        missing(f"no PostgreSQL at CHASQUI_TEST_POSTGRES: {error}")
    with closing(server):
        server.execute(f"CREATE DATABASE {name}")
        yield POSTGRES.rpartition("/")[0] + f"/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'catalog.db'}"
    return str(request.getfixturevalue("postgres"))


@pytest.fixture
def catalog(url: str) -> Iterator[Catalog]:
    """Tables without rows."""
    from chasqui.catalog import open_catalog
    from chasqui.catalog.tables import Table

    opened = open_catalog(url)
    yield opened
    with opened.writing() as db:
        for table in reversed(Table.metadata.sorted_tables):
            db.execute(table.delete())
    opened.close()
