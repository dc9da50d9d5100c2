"""Schools: the own one, and for operators all of them."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from pydantic import Field
from sqlalchemy import select

from chasqui.catalog import accounts
from chasqui.catalog import schools as catalog_schools
from chasqui.catalog.permissions import Thing
from chasqui.catalog.tables import School
from chasqui.errors import UnknownThing
from chasqui.web.api.accounts.blueprint import api
from chasqui.web.api.accounts.shapes import SchoolShape
from chasqui.web.auth import catalog, me, needs
from chasqui.web.bodies import MOST, SIGNED_IN, SLUG, Body, ById, Language, Name, OtherName
from chasqui.web.paging import Page, listed, piece
from chasqui.web.rows import found
from chasqui.web.shapes import Target, many


class NewSchool(Body):
    slug: str = Field(pattern=SLUG, examples=["ie-40-quispicanchi"])
    name: str = Name
    quota_bytes: int | None = Field(None, ge=0, le=MOST)


class OwnSchool(Body):
    """What its administrator sets. null takes a wish for new lessons back."""

    name: str | None = OtherName
    language: str | None = Language
    licence: str | None = Field(None, min_length=1, max_length=100, examples=["CC BY 4.0"])
    target: Target | None = None


class AnySchool(OwnSchool):
    """What operators set besides."""

    quota_bytes: int | None = Field(None, ge=0, le=MOST, description="null: as much as it likes")


@api.get("/school", responses={200: SchoolShape}, security=SIGNED_IN, summary="The own school")
@needs("school.read")
def school() -> Response:
    return jsonify(_shown(_permitted(me().school_id, "school.read")))


@api.patch(
    "/school", responses={200: SchoolShape}, security=SIGNED_IN, summary="Its name, and what new lessons begin with"
)
@needs("school.write")
def change_own_school(body: OwnSchool) -> Response:
    return _changed(_permitted(me().school_id, "school.write").id, body)


@api.get("/schools", responses={200: many(SchoolShape)}, security=SIGNED_IN, summary="Schools, closed ones too")
@needs("schools.write")
def schools(query: Page) -> Response:
    with catalog().reading() as db:
        rows, following = piece(db, select(School), School, query)
    return listed([_shown(one) for one in rows], following)


@api.post("/schools", responses={201: SchoolShape}, security=SIGNED_IN, summary="Open a school")
@needs("schools.write")
def make_school(body: NewSchool) -> tuple[Response, int]:
    return jsonify(_shown(accounts.make_school(catalog(), body.slug, body.name, body.quota_bytes))), 201


@api.get("/schools/<id>", responses={200: SchoolShape}, security=SIGNED_IN, summary="One school")
@needs("schools.write")
def one_school(path: ById) -> Response:
    return jsonify(_shown(_permitted(path.id, "schools.write")))


@api.patch("/schools/<id>", responses={200: SchoolShape}, security=SIGNED_IN, summary="Its name, its quota")
@needs("schools.write")
def change_school(path: ById, body: AnySchool) -> Response:
    return _changed(_permitted(path.id, "schools.write").id, body)


@api.put(
    "/schools/<id>/closure",
    responses={200: SchoolShape},
    security=SIGNED_IN,
    summary="Close it: nobody gets in, its lessons are withdrawn; what it has is kept for 30 days",
)
@needs("schools.write")
def close_school(path: ById) -> Response:
    return jsonify(_shown(catalog_schools.close(catalog(), _permitted(path.id, "schools.write").id)))


@api.delete(
    "/schools/<id>/closure",
    responses={200: SchoolShape},
    security=SIGNED_IN,
    summary="Open it again; what its closing withdrew is published again",
)
@needs("schools.write")
def open_school(path: ById) -> Response:
    return jsonify(_shown(catalog_schools.open_again(catalog(), _permitted(path.id, "schools.write").id)))


def _changed(school_id: str, body: OwnSchool) -> Response:
    said = body.model_dump(exclude_unset=True)
    if said.get("name", "") is None:
        del said["name"]  # a school has one
    return jsonify(_shown(catalog_schools.change(catalog(), school_id, said)))


def _permitted(school_id: str | None, action: str) -> School:
    if school_id is None:  # an operator's own
        raise UnknownThing(kind="school", name="-")
    return found(School, school_id, action, "school", lambda one: Thing(one.id))


def _shown(school: School) -> dict[str, Any]:
    fields = SchoolShape.model_fields.keys() - {"kept_until_s"}
    until_s = None if school.closed_s is None else school.closed_s + catalog_schools.KEPT_S
    return {field: getattr(school, field) for field in fields} | {"kept_until_s": until_s}
