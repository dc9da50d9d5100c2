"""Keys for programs."""

from __future__ import annotations

import time

from flask import Response, jsonify
from pydantic import Field
from sqlalchemy import select

from chasqui.catalog import accounts
from chasqui.catalog.permissions import ACTIONS
from chasqui.catalog.tables import Token
from chasqui.errors import NotAllowed, UnknownThing
from chasqui.web.api.accounts.blueprint import api
from chasqui.web.api.accounts.shapes import NewTokenShape, TokenShape
from chasqui.web.auth import catalog, me, needs
from chasqui.web.bodies import SIGNED_IN, Body, ById, Name
from chasqui.web.paging import Page, listed, piece
from chasqui.web.shapes import many


class NewToken(Body):
    name: str = Name
    scopes: list[str] = Field(max_length=len(ACTIONS), examples=[["uploads.write", "lessons.read"]])
    days: float | None = Field(None, gt=0, le=3660)


@api.post(
    "/tokens", responses={201: NewTokenShape}, security=SIGNED_IN, summary="A key for programs; it is shown only now"
)
@needs("tokens.write")
def make_token(body: NewToken) -> tuple[Response, int]:
    lasts_s = body.days * 86_400 if body.days else None
    if (scopes := me().scopes) is not None and not set(body.scopes) <= scopes:
        raise NotAllowed(why="scopes")  # a token must not make a stronger one
    token = accounts.make_token(catalog(), me(), body.name, body.scopes, lasts_s)
    return jsonify({"token": token, "name": body.name}), 201


@api.get(
    "/tokens", responses={200: many(TokenShape)}, security=SIGNED_IN, summary="The own keys, without their secrets"
)
@needs("tokens.write")
def tokens(query: Page) -> Response:
    wanted = select(Token).where(Token.person_id == me().person_id, Token.revoked_s.is_(None))
    with catalog().reading() as db:
        found, following = piece(db, wanted, Token, query)
    return listed([{field: getattr(one, field) for field in TokenShape.model_fields} for one in found], following)


@api.delete("/tokens/<id>", responses={204: None}, security=SIGNED_IN, summary="Revoke a key")
@needs("tokens.write")
def revoke(path: ById) -> Response:
    with catalog().writing() as db:
        token = db.get(Token, path.id)
        if token is None or token.person_id != me().person_id:
            raise UnknownThing(kind="token", name=path.id)
        token.revoked_s = token.revoked_s or time.time()
    return Response(status=204)
