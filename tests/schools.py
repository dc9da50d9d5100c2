"""What takes longer than most tests, made once or left out: tables, people, hashing a password, waiting for the disk.

How the tables come about is what `tests/catalog/test_migrations.py` looks at; what a password really costs,
`tests/catalog/test_secrets.py`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from chasqui.catalog import Catalog


def relaxed(catalog: Catalog) -> Catalog:
    """The same, no longer waiting for the disk at each change: nobody pulls the plug here."""
    from sqlalchemy import event

    if catalog.engine.dialect.name == "sqlite":
        catalog.close()  # connections from before
        event.listen(catalog.engine, "connect", lambda link, _: link.execute("PRAGMA synchronous=OFF"))
    return catalog


@dataclass(frozen=True)
class Schools:
    """Two schools with somebody of every role."""

    file: Path
    ids: dict[str, str]  # ours, theirs → id
    tokens: dict[tuple[str, str], str]  # (school, role) → a token with all scopes

    def copy_to(self, data: Path) -> None:
        """Into the data folder of a service that has no catalog yet."""
        data.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.file, data / "catalog.db")


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id with the least of everything; as it really is, each password takes a quarter of a second."""
    import argon2

    from chasqui.catalog import secrets

    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(secrets, "_hasher", lambda: hasher)
    monkeypatch.setattr(secrets, "_nobody", lambda: hasher.hash("nobody"))


@pytest.fixture(scope="session")
def plugins() -> Iterator[None]:
    """flask-openapi3 reads what every installed package offers, for each application anew."""
    from flask_openapi3 import openapi

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openapi, "entry_points", cache(openapi.entry_points))
        yield


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog without rows, as a file."""
    from chasqui.catalog import open_catalog

    file = tmp_path_factory.mktemp("tables") / "catalog.db"
    open_catalog(f"sqlite:///{file}").close()
    return file


@pytest.fixture(scope="session")
def two_schools(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Schools:
    from chasqui.catalog import accounts, open_catalog
    from chasqui.catalog.permissions import ACTIONS, ROLES, Actor
    from chasqui.catalog.tables import Person

    file = tmp_path_factory.mktemp("schools") / "catalog.db"
    shutil.copyfile(tables, file)
    catalog = relaxed(open_catalog(f"sqlite:///{file}"))
    schools = {name: accounts.make_school(catalog, name, name).id for name in ("ours", "theirs")}
    tokens = {}
    for (name, school), role in ((pair, role) for pair in schools.items() for role in ROLES):
        at = None if role == "operator" else school
        with catalog.writing() as db:
            db.add(person := Person(school_id=at, role=role, name=f"{role} {name}"))
            db.flush()
        tokens[name, role] = accounts.make_token(catalog, Actor(person.id, role, at), "tests", list(ACTIONS))
    catalog.close()
    return Schools(file, schools, tokens)
