"""Without the extra `serve` there is little to test here."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from schools import relaxed

if TYPE_CHECKING:
    from chasqui.catalog import Catalog
    from chasqui.store import Store

NEED = ["test_transport.py", "test_work.py", "test_post.py", "test_kill.py", "test_look.py"]
ABSENT = importlib.util.find_spec("celery") is None
collect_ignore = NEED if ABSENT and os.environ.get("CI") != "true" else []


@pytest.fixture
def catalog(tables: Path, tmp_path: Path) -> Iterator[Catalog]:
    from chasqui.catalog import open_catalog

    shutil.copyfile(tables, tmp_path / "catalog.db")
    opened = relaxed(open_catalog(f"sqlite:///{tmp_path / 'catalog.db'}"))
    yield opened
    opened.close()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    from chasqui.store.folder import FolderStore

    return FolderStore(tmp_path / "store")
