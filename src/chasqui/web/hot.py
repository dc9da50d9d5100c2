"""Lessons as lists show them, written once for each of their versions.

Which lessons somebody may see, in which order and in which version, the catalog says each time. Only then is the text
of that very version taken from the cache: one that was withdrawn or changed a moment ago is not asked for any more.
"""

from __future__ import annotations

from typing import Any

from flask import current_app, json
from sqlalchemy import select
from sqlalchemy.orm import Session

from chasqui import __version__
from chasqui.cache import Cache
from chasqui.catalog import lessons
from chasqui.catalog.tables import Lesson
from chasqui.web.paging import Page, rows


def lesson_texts(db: Session, conditions: list[Any], page: Page) -> tuple[list[bytes], str | None]:
    """One piece of the lessons that fulfil the conditions, each as JSON, and what to ask for next."""
    cache: Cache = current_app.extensions["cache"]
    found, following = rows(db, select(Lesson.id, Lesson.version).where(*conditions), Lesson, page)
    keys = {lesson_id: _key(lesson_id, version) for lesson_id, version in found}
    known = cache.get_many(list(keys.values()))
    texts = {lesson_id: known[key] for lesson_id, key in keys.items() if key in known}
    if missing := keys.keys() - texts.keys():
        made = {}
        # The conditions again: between two looks somebody may have withdrawn one.
        for lesson in db.scalars(select(Lesson).where(*conditions, Lesson.id.in_(missing))):
            text = json.dumps(lessons.shown(lesson)).encode()
            texts[lesson.id] = made[_key(lesson.id, lesson.version)] = text
        cache.put_many(made)
    return [texts[lesson_id] for lesson_id in keys if lesson_id in texts], following


def _key(lesson_id: str, version: str) -> str:
    return f"lesson:{lesson_id}:{version}:{__version__}"  # another Chasqui shows them otherwise
