"""In and out: by address and password, by the code of a class."""

from __future__ import annotations

from flask import Response, jsonify, request
from pydantic import Field

from chasqui.catalog import accounts
from chasqui.catalog.permissions import Actor
from chasqui.web.api.accounts.blueprint import api
from chasqui.web.api.accounts.shapes import Me
from chasqui.web.auth import COOKIE, catalog, csrf_token, https, me, needs, open_to_all
from chasqui.web.bodies import SIGNED_IN, Body, Name, Password
from chasqui.web.limits import guesses


class SignIn(Body):
    email: str = Field(max_length=320, examples=["rosa@example.pe"])
    password: str = Password
    code: str | None = Field(None, max_length=12, description="second factor, where there is one")


class EnterClass(Body):
    code: str = Field(max_length=40, examples=["KPT34MN"])
    nickname: str = Name


@api.post("/sessions", responses={201: Me}, summary="Sign in with address and password")
@open_to_all
def sign_in(body: SignIn) -> Response:
    with guesses("passwords"):
        return entered(accounts.sign_in(catalog(), body.email, body.password, body.code))


@api.post("/sessions/class", responses={201: Me}, summary="Enter a class with its code and a nickname")
@open_to_all
def enter_class(body: EnterClass) -> Response:
    with guesses("class codes"):
        return entered(accounts.enter_class(catalog(), body.code, body.nickname))


@api.delete("/sessions", responses={204: None}, summary="Sign out")
@open_to_all
def sign_out() -> Response:
    if session := request.cookies.get(COOKIE):
        accounts.sign_out(catalog(), session)
    response = Response(status=204)
    response.delete_cookie(COOKIE)
    return response


@api.get("/me", responses={200: Me}, security=SIGNED_IN, summary="Who is signed in")
@needs("school.read")
def whoami() -> Response:
    return jsonify(_me(me(), request.cookies.get(COOKIE)).model_dump())


def entered(who: accounts.Entered) -> Response:
    """The answer to somebody who has just come in, with their cookie."""
    if before := request.cookies.get(COOKIE):  # whoever was signed in here is not any more
        accounts.sign_out(catalog(), before)
    response = jsonify(_me(who.actor, who.session).model_dump())
    response.status_code = 201
    lasts_s = accounts.STUDENT_SESSION_S if who.actor.role == "student" else accounts.SESSION_S
    response.set_cookie(COOKIE, who.session, max_age=int(lasts_s), httponly=True, samesite="Lax", secure=https())
    return response


def _me(actor: Actor, session: str | None) -> Me:
    scopes = sorted(actor.scopes) if actor.scopes is not None else None
    csrf = csrf_token(session) if session and actor.scopes is None else None
    return Me(person_id=actor.person_id, role=actor.role, school_id=actor.school_id, scopes=scopes, csrf=csrf)  # type: ignore[arg-type]
