"""Other passwords, and second factors."""

from __future__ import annotations

from flask import Response, jsonify, request
from pydantic import Field

from chasqui.catalog import factors, people
from chasqui.web.api.accounts.blueprint import api
from chasqui.web.api.accounts.shapes import FactorShape
from chasqui.web.auth import COOKIE, catalog, me, needs, open_to_all
from chasqui.web.bodies import SIGNED_IN, Body, Password
from chasqui.web.limits import guesses


class NewPassword(Body):
    link: str = Field(max_length=200, description="what an administrator gave for this")
    password: str = Password


class OtherPassword(Body):
    old: str = Password
    new: str = Password


class Code(Body):
    code: str = Field(max_length=12)


class OldCode(Body):
    code: str | None = Field(None, max_length=12, description="of the one before, where there is one")


@api.put("/password", responses={204: None}, summary="Set a new password, by a link; all sessions end")
@open_to_all
def renew_password(body: NewPassword) -> Response:
    with guesses("links"):
        people.renew_password(catalog(), body.link, body.password)
    return Response(status=204)


@api.put("/me/password", responses={204: None}, security=SIGNED_IN, summary="Another password; other sessions end")
@needs("account.write")
def change_password(body: OtherPassword) -> Response:
    with guesses("passwords"):
        session = request.cookies.get(COOKIE) if me().scopes is None else None
        people.change_password(catalog(), me(), body.old, body.new, session)
    return Response(status=204)


@api.post("/second-factor", responses={201: FactorShape}, security=SIGNED_IN, summary="Begin with one-time codes")
@needs("tokens.write")
def begin_second_factor(body: OldCode) -> tuple[Response, int]:
    from chasqui.catalog.secrets import totp_link

    secret = factors.begin(catalog(), me(), body.code)
    return jsonify({"secret": secret, "uri": totp_link(secret, me().person_id)}), 201


@api.put("/second-factor", responses={204: None}, security=SIGNED_IN, summary="Prove the first code")
@needs("tokens.write")
def confirm_second_factor(body: Code) -> Response:
    factors.confirm(catalog(), me(), body.code, request.cookies.get(COOKIE))
    return Response(status=204)
