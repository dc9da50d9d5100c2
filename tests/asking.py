"""Somebody asks for a lesson: what the tests of the queue begin with. Needs the extra `serve`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from chasqui.catalog import Catalog, accounts, jobs
from chasqui.catalog.tables import Job, Person
from chasqui.ingest import accept
from chasqui.store import Store


def asked(catalog: Catalog, store: Store, folder: Path, text: str = "hola", **settings: Any) -> str:
    (folder / "clase.mp3").write_text(text)
    request = accept(folder / "clase.mp3", store)
    school = accounts.make_school(catalog, "ie-40", "I. E. 40")
    with catalog.writing() as db:
        db.add(person := Person(school_id=school.id, role="teacher", name="Rosa"))
        db.flush()
        return jobs.ask(
            db,
            school_id=school.id,
            owner_id=person.id,
            recording_id=request.recording_id,
            goal="publish",
            first="ingest",
            queue="voice",
            settings=settings,
        ).id


def whichever(store: Store) -> Callable[[str], Store]:
    """The same store for every school."""
    return lambda _school: store


def row(catalog: Catalog, job: str) -> Job:
    with catalog.reading() as db:
        return db.get_one(Job, job)
