"""Units: ordered lists of lessons with a byte budget."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session as Db

from chasqui.catalog import lessons
from chasqui.catalog.permissions import Reach, Thing, reach
from chasqui.catalog.tables import Lesson, Unit, UnitLesson
from chasqui.web.auth import catalog, me, needs
from chasqui.web.bodies import MOST, SIGNED_IN, Body, ById, Name
from chasqui.web.paging import Page, listed, piece
from chasqui.web.rows import found
from chasqui.web.shapes import UnitShape, many

api = APIBlueprint("units", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="units")])


class NewUnit(Body):
    title: str = Name
    budget_bytes: int | None = Field(None, ge=1000, le=MOST)


class Order(Body):
    lessons: list[str] = Field(max_length=500, description="ids, in the order in which they are taught")


@api.get("/units", responses={200: many(UnitShape)}, security=SIGNED_IN, summary="Units, newest first")
@needs("units.read")
def listing(query: Page) -> Response:
    with catalog().reading() as db:
        rows, following = piece(db, select(Unit).where(Unit.school_id == me().school_id), Unit, query)
        return listed([_shown(db, unit) for unit in rows], following)


@api.post("/units", responses={201: UnitShape}, security=SIGNED_IN, summary="A new one, empty")
@needs("units.write")
def make(body: NewUnit) -> tuple[Response, int]:
    with catalog().writing() as db:
        unit = Unit(school_id=me().school_id or "", owner_id=me().person_id, **body.model_dump())
        db.add(unit)
        db.flush()
        return jsonify(_shown(db, unit)), 201


@api.get("/units/<id>", responses={200: UnitShape}, security=SIGNED_IN, summary="One unit")
@needs("units.read")
def one(path: ById) -> Response:
    unit = _permitted(path.id, "units.read")
    with catalog().reading() as db:
        return jsonify(_shown(db, unit))


@api.put("/units/<id>/lessons", responses={200: UnitShape}, security=SIGNED_IN, summary="Its lessons, in order")
@needs("units.write")
def order(path: ById, body: Order) -> Response:
    unit = _permitted(path.id, "units.write")
    lessons.put_in_unit(catalog(), path.id, body.lessons)
    with catalog().reading() as db:
        return jsonify(_shown(db, unit))


@api.delete("/units/<id>", responses={204: None}, security=SIGNED_IN, summary="Remove it; its lessons stay")
@needs("units.write")
def remove(path: ById) -> Response:
    _permitted(path.id, "units.write")
    with catalog().writing() as db:
        db.delete(db.get_one(Unit, path.id))
    return Response(status=204)


def _shown(db: Db, unit: Unit) -> dict[str, Any]:
    """With the lessons that the one who asks may hear, and what they weigh together."""
    wanted = select(Lesson).join(UnitLesson, UnitLesson.lesson_id == Lesson.id).where(UnitLesson.unit_id == unit.id)
    if reach(me(), "lessons.read") == Reach.PUBLISHED:
        wanted = wanted.where(Lesson.state == "published")
    there = list(db.scalars(wanted.order_by(UnitLesson.place)))
    fields = ("id", "title", "budget_bytes", "owner_id", "created_s")
    return {field: getattr(unit, field) for field in fields} | {
        "lessons": [lesson.id for lesson in there],
        "bytes": sum(lesson.facts.get("bytes", 0) for lesson in there),
    }


def _permitted(unit_id: str, action: str) -> Unit:
    # A unit has no state of its own: whoever hears published lessons sees it; its lessons are looked at one by one.
    return found(Unit, unit_id, action, "unit", lambda unit: Thing(unit.school_id, unit.owner_id, published=True))
