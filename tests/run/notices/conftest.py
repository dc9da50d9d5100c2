"""A catalog with a school in it, and a broker."""

from __future__ import annotations

import importlib.util
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mosquitto import listen, mosquitto  # noqa: F401 - fixtures
from schools import relaxed

if TYPE_CHECKING:
    from chasqui.catalog import Catalog

ABSENT = [name for name in ("sqlalchemy", "paho", "celery") if not importlib.util.find_spec(name)]
collect_ignore_glob = ["test_*.py"] if ABSENT and os.environ.get("CI") != "true" else []


@dataclass
class School:
    """A catalog with one school and one teacher in it."""

    catalog: Catalog
    id: str
    teacher: str

    def lesson(self, title: str = "La papa") -> str:
        """A lesson that is made."""
        from chasqui.catalog.tables import Lesson

        files = {"voice.opus": {"bytes": 9, "sha256": "ab" * 32, "type": "audio/ogg"}}
        facts = {"school_id": self.id, "owner_id": self.teacher, "recording_id": os.urandom(8).hex()}
        with self.catalog.writing() as db:
            db.add(lesson := Lesson(**facts, title=title, facts={"bytes": 9, "files": files}))
            db.flush()
            return str(lesson.id)

    def job(self, **facts: Any) -> str:
        """A job that runs."""
        from chasqui.catalog.tables import Job

        usual = {"state": "running", "stage": "clean", "goal": "publish", "recording_id": "ab", "beat_s": time.time()}
        with self.catalog.writing() as db:
            db.add(job := Job(school_id=self.id, owner_id=self.teacher, **{**usual, **facts}))
            db.flush()
            return str(job.id)


@pytest.fixture
def school(tables: Path, tmp_path: Path) -> Iterator[School]:
    from chasqui.catalog import accounts, open_catalog
    from chasqui.catalog.tables import Person

    shutil.copyfile(tables, tmp_path / "catalog.db")
    catalog = relaxed(open_catalog(f"sqlite:///{tmp_path / 'catalog.db'}"))
    made = accounts.make_school(catalog, "ie-40", "I. E. 40")
    with catalog.writing() as db:
        db.add(person := Person(school_id=made.id, role="administrator", name="Rosa"))
        db.flush()
    yield School(catalog, made.id, person.id)
    catalog.close()
