"""Signing in and out, invitations, people, classes, tokens, the school."""

from __future__ import annotations

from typing import Any, Literal

from flask import Response, jsonify, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import select

from chasqui.catalog import accounts, factors
from chasqui.catalog.permissions import ACTIONS, Actor, Reach, Thing, reach
from chasqui.catalog.tables import Class, Person, Pupil, School, Token
from chasqui.errors import NotAllowed, UnknownThing
from chasqui.web.auth import COOKIE, catalog, csrf_token, https, me, needs, open_to_all, permit, public
from chasqui.web.limits import guesses
from chasqui.web.paging import Page, listed, piece

api = APIBlueprint("accounts", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="accounts")])
SIGNED_IN: list[dict[str, list[str]]] = [{"token": []}]
Role = Literal["student", "teacher", "creator", "administrator", "operator", "data"]
#: Numbers that every database and every reader of JSON holds exactly (RFC 8259 §6).
MOST = 2**53 - 1
Name = Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]+$")


class Body(BaseModel):
    """Bodies hold what they say and nothing else; a 1 is no true."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, strict=True)

    @field_validator("*", mode="before")
    @classmethod
    def _text(cls, said: Any) -> Any:
        """PostgreSQL keeps no NUL."""
        if isinstance(said, str) and "\0" in said:
            raise ValueError("NUL is no text")
        return said


class SignIn(Body):
    email: str = Field(max_length=320, examples=["rosa@example.pe"])
    password: str = Field(max_length=300, examples=["la llama come ichu"])
    code: str | None = Field(None, max_length=12, description="second factor, where there is one")


class EnterClass(Body):
    code: str = Field(max_length=40, examples=["KPT34MN"])
    nickname: str = Name


class Accept(Body):
    link: str = Field(max_length=200)
    name: str = Name
    email: str = Field(max_length=320, pattern=r"^[^\s@]+@[^\s@]+$")
    password: str = Field(max_length=300)


class Invite(Body):
    role: Role
    school_id: str | None = Field(None, max_length=40, description="operators only; else the own school")


class NewToken(Body):
    name: str = Name
    scopes: list[str] = Field(max_length=len(ACTIONS), examples=[["uploads.write", "lessons.read"]])
    days: float | None = Field(None, gt=0, le=3660)


class NewClass(Body):
    name: str = Name


class NewSchool(Body):
    slug: str = Field(pattern="^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$", examples=["ie-40-quispicanchi"])
    name: str = Name
    quota_bytes: int | None = Field(None, ge=0, le=MOST)


class Code(Body):
    code: str = Field(max_length=12)


class OldCode(Body):
    code: str | None = Field(None, max_length=12, description="of the one before, where there is one")


class ById(BaseModel):
    id: str = Field(pattern="^[0-9a-f]{1,40}$")


class Me(BaseModel):
    person_id: str
    role: Role
    school_id: str | None
    scopes: list[str] | None
    csrf: str | None  # to be sent as X-CSRF-Token with changes, where a cookie signs in


@api.post("/sessions", responses={201: Me}, summary="Sign in with address and password")
@open_to_all
def sign_in(body: SignIn) -> Response:
    with guesses("passwords"):
        return _entered(accounts.sign_in(catalog(), body.email, body.password, body.code))


@api.post("/sessions/class", responses={201: Me}, summary="Enter a class with its code and a nickname")
@open_to_all
def enter_class(body: EnterClass) -> Response:
    with guesses("class codes"):
        return _entered(accounts.enter_class(catalog(), body.code, body.nickname))


@api.delete("/sessions", responses={204: None}, summary="Sign out")
@open_to_all
def sign_out() -> Response:
    if session := request.cookies.get(COOKIE):
        accounts.sign_out(catalog(), session)
    response = Response(status=204)
    response.delete_cookie(COOKIE)
    return response


@api.post("/people", responses={201: Me}, summary="Make the account that a link invites to")
@open_to_all
def accept(body: Accept) -> Response:
    with guesses("links"):
        accounts.accept(catalog(), body.link, body.name, body.email, body.password)
    return _entered(accounts.sign_in(catalog(), body.email, body.password))


@api.get("/me", responses={200: Me}, security=SIGNED_IN, summary="Who is signed in")
@needs("school.read")
def whoami() -> dict[str, Any]:
    return _me(me(), request.cookies.get(COOKIE)).model_dump()


@api.post("/invitations", security=SIGNED_IN, summary="A link that makes one account")
@needs("people.write")
def invite(body: Invite) -> Response:
    school = body.school_id or me().school_id
    if reach(me(), "people.write") < Reach.EVERYTHING and (school != me().school_id or body.role == "operator"):
        raise NotAllowed(why="people.write")
    if body.role == "operator":
        school = None
    elif school is None or not _exists(School, school):
        raise UnknownThing(kind="school", name=school or "?")
    link = accounts.invite(catalog(), school, body.role)
    return _made({"link": link, "url": f"{public()}/invitation#{link}", "role": body.role})


@api.get("/people", security=SIGNED_IN, summary="The people of the school")
@needs("people.read")
def people(query: Page) -> Response:
    wanted = select(Person).where(Person.removed_s.is_(None))
    if reach(me(), "people.read") < Reach.EVERYTHING:
        wanted = wanted.where(Person.school_id == me().school_id)
    with catalog().reading() as db:
        found, following = piece(db, wanted, Person, query)
    fields = ("id", "school_id", "role", "name", "email", "created_s")
    return listed([{field: getattr(one, field) for field in fields} for one in found], following)


@api.delete("/people/<id>", responses={204: None}, security=SIGNED_IN, summary="Remove an account")
@needs("people.write")
def remove(path: ById) -> Response:
    with catalog().reading() as db:
        person = db.get(Person, path.id)
    if person is None or person.removed_s:
        raise UnknownThing(kind="person", name=path.id)
    if not (reach(me(), "people.write") == Reach.EVERYTHING or person.school_id == me().school_id):
        raise UnknownThing(kind="person", name=path.id)
    accounts.remove(catalog(), path.id)
    return Response(status=204)


@api.post("/second-factor", security=SIGNED_IN, summary="Begin with one-time codes")
@needs("tokens.write")
def begin_second_factor(body: OldCode) -> Response:
    from chasqui.catalog.secrets import totp_link

    secret = factors.begin(catalog(), me(), body.code)
    return _made({"secret": secret, "uri": totp_link(secret, me().person_id)})


@api.put("/second-factor", responses={204: None}, security=SIGNED_IN, summary="Prove the first code")
@needs("tokens.write")
def confirm_second_factor(body: Code) -> Response:
    factors.confirm(catalog(), me(), body.code, request.cookies.get(COOKIE))
    return Response(status=204)


@api.post("/tokens", security=SIGNED_IN, summary="A key for programs; it is shown only now")
@needs("tokens.write")
def make_token(body: NewToken) -> Response:
    lasts_s = body.days * 86_400 if body.days else None
    if (scopes := me().scopes) is not None and not set(body.scopes) <= scopes:
        raise NotAllowed(why="scopes")  # a token must not make a stronger one
    return _made({"token": accounts.make_token(catalog(), me(), body.name, body.scopes, lasts_s), "name": body.name})


@api.get("/tokens", security=SIGNED_IN, summary="The own keys, without their secrets")
@needs("tokens.write")
def tokens(query: Page) -> Response:
    wanted = select(Token).where(Token.person_id == me().person_id, Token.revoked_s.is_(None))
    with catalog().reading() as db:
        found, following = piece(db, wanted, Token, query)
    fields = ("id", "name", "scopes", "created_s", "expires_s", "used_s")
    return listed([{field: getattr(one, field) for field in fields} for one in found], following)


@api.delete("/tokens/<id>", responses={204: None}, security=SIGNED_IN, summary="Revoke a key")
@needs("tokens.write")
def revoke(path: ById) -> Response:
    import time

    with catalog().writing() as db:
        token = db.get(Token, path.id)
        if token is None or token.person_id != me().person_id:
            raise UnknownThing(kind="token", name=path.id)
        token.revoked_s = token.revoked_s or time.time()
    return Response(status=204)


@api.post("/classes", security=SIGNED_IN, summary="A class, with the code that lets students in")
@needs("classes.write")
def make_class(body: NewClass) -> Response:
    room = accounts.make_class(catalog(), me().school_id or "", me().person_id, body.name)
    return _made({"id": room.id, "name": room.name, "code": room.code})


@api.get("/classes", security=SIGNED_IN, summary="Classes")
@needs("classes.read")
def classes(query: Page) -> Response:
    wanted = select(Class).where(Class.school_id == me().school_id, Class.closed_s.is_(None))
    if reach(me(), "classes.read") == Reach.OWN:  # students: those that they are in
        wanted = wanted.join(Pupil, Pupil.class_id == Class.id).where(Pupil.person_id == me().person_id)
    with catalog().reading() as db:
        found, following = piece(db, wanted, Class, query)
    return listed([{"id": one.id, "name": one.name, "code": one.code} for one in found], following)


@api.delete("/classes/<id>", responses={204: None}, security=SIGNED_IN, summary="Close a class: its code ends")
@needs("classes.write")
def close_class(path: ById) -> Response:
    import time

    with catalog().writing() as db:
        room = db.get(Class, path.id)
        thing = Thing(room.school_id, room.teacher_id) if room else Thing("-")
        permit("classes.write", thing, "class", path.id)
        if room is not None:
            room.closed_s = room.closed_s or time.time()
    return Response(status=204)


@api.get("/school", security=SIGNED_IN, summary="The own school")
@needs("school.read")
def school() -> Response:
    with catalog().reading() as db:
        found = db.get(School, me().school_id) if me().school_id else None
    if found is None:
        raise UnknownThing(kind="school", name=me().school_id or "-")
    fields = ("id", "slug", "name", "quota_bytes", "used_bytes")
    return jsonify({field: getattr(found, field) for field in fields})


@api.post("/schools", security=SIGNED_IN, summary="Open a school")
@needs("schools.write")
def make_school(body: NewSchool) -> Response:
    made = accounts.make_school(catalog(), body.slug, body.name, body.quota_bytes)
    return _made({"id": made.id, "slug": made.slug, "name": made.name})


def _entered(entered: accounts.Entered) -> Response:
    if before := request.cookies.get(COOKIE):  # whoever was signed in here is not any more
        accounts.sign_out(catalog(), before)
    response = _made(_me(entered.actor, entered.session).model_dump())
    lasts_s = accounts.STUDENT_SESSION_S if entered.actor.role == "student" else accounts.SESSION_S
    response.set_cookie(COOKIE, entered.session, max_age=int(lasts_s), httponly=True, samesite="Lax", secure=https())
    return response


def _me(actor: Actor, session: str | None) -> Me:
    scopes = sorted(actor.scopes) if actor.scopes is not None else None
    csrf = csrf_token(session) if session and actor.scopes is None else None
    return Me(person_id=actor.person_id, role=actor.role, school_id=actor.school_id, scopes=scopes, csrf=csrf)  # type: ignore[arg-type]


def _made(facts: dict[str, Any]) -> Response:
    response = jsonify(facts)
    response.status_code = 201
    return response


def _exists(table: Any, key: str) -> bool:
    with catalog().reading() as db:
        return db.get(table, key) is not None
