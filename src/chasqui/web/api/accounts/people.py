"""People: invited, listed, changed, removed; links for who forgot the password."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from pydantic import Field
from sqlalchemy import select

from chasqui.catalog import accounts
from chasqui.catalog import people as catalog_people
from chasqui.catalog.permissions import Reach, Thing, reach
from chasqui.catalog.tables import Person, School
from chasqui.errors import NotAllowed, UnknownThing
from chasqui.web.api.accounts.blueprint import api
from chasqui.web.api.accounts.sessions import entered
from chasqui.web.api.accounts.shapes import InvitationShape, Me, PersonShape, ResetShape
from chasqui.web.auth import catalog, me, needs, open_to_all, public
from chasqui.web.bodies import SIGNED_IN, Body, ById, Name, OtherName, Password
from chasqui.web.limits import guesses
from chasqui.web.paging import Page, listed, piece
from chasqui.web.rows import found
from chasqui.web.shapes import Role, many


class Accept(Body):
    link: str = Field(max_length=200)
    name: str = Name
    email: str = Field(max_length=320, pattern=r"^[^\s@]+@[^\s@]+$")
    password: str = Password


class Invite(Body):
    role: Role
    school_id: str | None = Field(None, max_length=40, description="operators only; else the own school")


class PersonChange(Body):
    name: str | None = OtherName
    role: Role | None = Field(None, description="one that allows less ends sessions, and tokens that allowed more")


@api.post("/people", responses={201: Me}, summary="Make the account that a link invites to")
@open_to_all
def accept(body: Accept) -> Response:
    with guesses("links"):
        accounts.accept(catalog(), body.link, body.name, body.email, body.password)
    return entered(accounts.sign_in(catalog(), body.email, body.password))


@api.post("/invitations", responses={201: InvitationShape}, security=SIGNED_IN, summary="A link that makes one account")
@needs("people.write")
def invite(body: Invite) -> tuple[Response, int]:
    school = body.school_id or me().school_id
    if reach(me(), "people.write") < Reach.EVERYTHING and (school != me().school_id or body.role == "operator"):
        raise NotAllowed(why="people.write")
    if body.role == "operator":
        school = None
    elif school is None or not _open(school):
        raise UnknownThing(kind="school", name=school or "?")
    link = accounts.invite(catalog(), school, body.role)
    return jsonify({"link": link, "url": f"{public()}/invitation#{link}", "role": body.role}), 201


@api.get("/people", responses={200: many(PersonShape)}, security=SIGNED_IN, summary="The people of the school")
@needs("people.read")
def people(query: Page) -> Response:
    wanted = select(Person).where(Person.removed_s.is_(None))
    if reach(me(), "people.read") < Reach.EVERYTHING:
        wanted = wanted.where(Person.school_id == me().school_id)
    with catalog().reading() as db:
        rows, following = piece(db, wanted, Person, query)
    return listed([_shown(one) for one in rows], following)


@api.get("/people/<id>", responses={200: PersonShape}, security=SIGNED_IN, summary="Somebody")
@needs("people.read")
def one_person(path: ById) -> Response:
    return jsonify(_shown(_permitted(path.id, "people.read")))


@api.patch("/people/<id>", responses={200: PersonShape}, security=SIGNED_IN, summary="Another name, another role")
@needs("people.write")
def change_person(path: ById, body: PersonChange) -> Response:
    _permitted(path.id, "people.write")
    return jsonify(_shown(catalog_people.change(catalog(), path.id, body.name, body.role)))


@api.delete("/people/<id>", responses={204: None}, security=SIGNED_IN, summary="Remove an account")
@needs("people.write")
def remove(path: ById) -> Response:
    _permitted(path.id, "people.write")
    catalog_people.remove(catalog(), path.id)
    return Response(status=204)


@api.post(
    "/people/<id>/password-links",
    responses={201: ResetShape},
    security=SIGNED_IN,
    summary="A link that sets a new password, once; the one before it ends",
)
@needs("people.write")
def password_link(path: ById) -> tuple[Response, int]:
    _permitted(path.id, "people.write")
    link, expires_s = catalog_people.password_link(catalog(), path.id)
    return jsonify({"link": link, "url": f"{public()}/password#{link}", "expires_s": expires_s}), 201


def _permitted(person_id: str, action: str) -> Person:
    return found(Person, person_id, action, "person", lambda one: None if one.removed_s else Thing(one.school_id))


def _shown(person: Person) -> dict[str, Any]:
    return {field: getattr(person, field) for field in PersonShape.model_fields}


def _open(school_id: str) -> bool:
    with catalog().reading() as db:
        school = db.get(School, school_id)
    return school is not None and school.closed_s is None
