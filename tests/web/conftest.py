"""A service in a folder, and somebody of every role in two schools."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from schools import Schools, relaxed

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from flask_openapi3 import OpenAPI

    from chasqui.catalog import Catalog
    from chasqui.run.service import Service
    from chasqui.store import Store, Stores

NEEDED = ("sqlalchemy", "flask_openapi3", "argon2", "celery", "cheroot")
ABSENT = [name for name in NEEDED if not importlib.util.find_spec(name)]
collect_ignore_glob = ["test_*.py", "*/test_*.py"] if ABSENT and os.environ.get("CI") != "true" else []

PASSWORD = "la llama come ichu"
API = "/api/v1"


@dataclass
class House:
    """An application with its parts. `client(role)` asks as somebody of that role."""

    app: OpenAPI
    service: Service
    catalog: Catalog
    stores: Stores
    schools: dict[str, str]  # ours, theirs → id
    tokens: dict[tuple[str, str], str]  # (school, role) → a token with all scopes

    @property
    def store(self) -> Store:
        """Of our school."""
        return self.stores(self.schools["ours"])

    def client(self, role: str | None = "teacher", school: str = "ours") -> Client:
        return Client(self.app.test_client(), self.tokens[school, role] if role else None)


@dataclass
class Client:
    """Flask's test client, with a token."""

    flask: FlaskClient
    token: str | None

    def __call__(self, method: str, path: str, body: Any = None, **rest: Any) -> Any:
        headers = dict(rest.pop("headers", {}))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            rest["json"] = body
        return self.flask.open(
            path if path.startswith(("/", "http:")) else f"{API}/{path}", method=method, headers=headers, **rest
        )


@pytest.fixture(autouse=True)
def passwords(quick_passwords: None) -> None:
    """Nothing here is about what they cost."""


@pytest.fixture
def house(tmp_path: Path, two_schools: Schools, plugins: None) -> Iterator[House]:
    from chasqui.run.service import Service
    from chasqui.web.app import make_app

    service = Service(data=tmp_path / "data")
    two_schools.copy_to(service.data)
    catalog, stores = relaxed(service.catalog()), service.stores()
    app = make_app(service, catalog, stores)
    yield House(app, service, catalog, stores, two_schools.ids, two_schools.tokens)
    catalog.close()
