"""Classes: their codes, and who is in them."""

from __future__ import annotations

import time
from typing import Any

from flask import Response, jsonify
from pydantic import BaseModel, Field
from sqlalchemy import select

from chasqui.catalog import accounts, people
from chasqui.catalog.permissions import Reach, Thing, reach
from chasqui.catalog.tables import Class, Person, Pupil
from chasqui.web.api.accounts.blueprint import api
from chasqui.web.api.accounts.shapes import ClassShape, PupilShape
from chasqui.web.auth import catalog, me, needs
from chasqui.web.bodies import ID, SIGNED_IN, Body, ById, Name
from chasqui.web.paging import Page, listed, piece
from chasqui.web.rows import found
from chasqui.web.shapes import many


class NewClass(Body):
    name: str = Name


class InClass(BaseModel):
    id: str = Field(pattern=ID)
    person_id: str = Field(pattern=ID)


@api.post(
    "/classes", responses={201: ClassShape}, security=SIGNED_IN, summary="A class, with the code that lets students in"
)
@needs("classes.write")
def make_class(body: NewClass) -> tuple[Response, int]:
    return jsonify(_shown(accounts.make_class(catalog(), me().school_id or "", me().person_id, body.name))), 201


@api.get("/classes", responses={200: many(ClassShape)}, security=SIGNED_IN, summary="Classes")
@needs("classes.read")
def classes(query: Page) -> Response:
    wanted = select(Class).where(Class.school_id == me().school_id, Class.closed_s.is_(None))
    if reach(me(), "classes.read") == Reach.OWN:  # students: those that they are in
        wanted = wanted.join(Pupil, Pupil.class_id == Class.id).where(Pupil.person_id == me().person_id)
    with catalog().reading() as db:
        rows, following = piece(db, wanted, Class, query)
    return listed([_shown(one) for one in rows], following)


@api.delete("/classes/<id>", responses={204: None}, security=SIGNED_IN, summary="Close a class: its code ends")
@needs("classes.write")
def close_class(path: ById) -> Response:
    _permitted(path.id)
    with catalog().writing() as db:
        room = db.get_one(Class, path.id, with_for_update=True)
        room.closed_s = room.closed_s or time.time()
    return Response(status=204)


@api.post(
    "/classes/<id>/codes",
    responses={201: ClassShape},
    security=SIGNED_IN,
    summary="Another code: the old one lets nobody in any more; who is in stays",
)
@needs("classes.write")
def new_code(path: ById) -> tuple[Response, int]:
    _permitted(path.id)
    return jsonify(_shown(accounts.new_code(catalog(), path.id))), 201


@api.get("/classes/<id>/pupils", responses={200: many(PupilShape)}, security=SIGNED_IN, summary="Who is in a class")
@needs("classes.write")
def pupils(path: ById, query: Page) -> Response:
    _permitted(path.id)
    wanted = select(Person).join(Pupil, Pupil.person_id == Person.id).where(Pupil.class_id == path.id)
    with catalog().reading() as db:
        rows, following = piece(db, wanted, Person, query)
    return listed([{field: getattr(one, field) for field in PupilShape.model_fields} for one in rows], following)


@api.delete(
    "/classes/<id>/pupils/<person_id>", responses={204: None}, security=SIGNED_IN, summary="Take a pupil out of it"
)
@needs("classes.write")
def take_out(path: InClass) -> Response:
    _permitted(path.id)
    people.leave(catalog(), path.id, path.person_id)
    return Response(status=204)


@api.delete("/me/classes/<id>", responses={204: None}, security=SIGNED_IN, summary="Leave a class")
@needs("classes.leave")
def leave_class(path: ById) -> Response:
    people.leave(catalog(), path.id, me().person_id)
    return Response(status=204)


def _permitted(class_id: str) -> Class:
    def thing(room: Class) -> Thing | None:
        return None if room.closed_s else Thing(room.school_id, room.teacher_id)

    return found(Class, class_id, "classes.write", "class", thing)


def _shown(room: Class) -> dict[str, Any]:
    return {"id": room.id, "name": room.name, "code": room.code}
