"""Imports: a link to a recording, or the newest episodes of a feed, fetched by the server itself."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field
from sqlalchemy import select

from chasqui.catalog import imports
from chasqui.catalog.permissions import Thing
from chasqui.catalog.tables import Import
from chasqui.ingest.address import syntax
from chasqui.records import Failure
from chasqui.web.api.uploads import checked, settings_of
from chasqui.web.auth import catalog, me, needs, permit
from chasqui.web.bodies import SIGNED_IN, Body, ById
from chasqui.web.limits import slow_down
from chasqui.web.paging import Page, listed, piece
from chasqui.web.problems import language
from chasqui.web.shapes import ImportShape, Target, many
from chasqui.words import explain

api = APIBlueprint("imports", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="imports")])


class NewImport(Body):
    """What to fetch."""

    url: str = Field(max_length=2000, examples=["https://radio.example/clase-1.mp3"], description="http(s), public")
    newest: int | None = Field(None, ge=1, le=50, description="the link is a feed; fetch so many of its episodes")
    title: str | None = Field(None, max_length=200)
    language: str | None = Field(None, pattern="^[a-z]{2,3}$")
    licence: str | None = Field(None, max_length=100)
    consent: bool | None = None
    target: Target | None = None
    budget: str | None = Field(None, max_length=20, examples=["2MB"])


@api.post("/imports", responses={202: ImportShape}, security=SIGNED_IN, summary="Fetch a link, or the newest of a feed")
@needs("uploads.write")
def ask(body: NewImport) -> tuple[Response, int]:
    slow_down("imports", me().person_id)
    facts = {name: str(said) for name, said in body.model_dump(exclude={"url", "newest"}, exclude_none=True).items()}
    facts = checked({name: said.lower() if name == "consent" else said for name, said in facts.items()})
    settings_of(facts)
    url = syntax(body.url).url
    return jsonify(_told(imports.ask(catalog(), me(), url, facts, body.newest))), 202


@api.get("/imports", responses={200: many(ImportShape)}, security=SIGNED_IN, summary="The own imports, newest first")
@needs("uploads.write")
def listing(query: Page) -> Response:
    with catalog().reading() as db:
        found, following = piece(db, select(Import).where(Import.owner_id == me().person_id), Import, query)
    return listed([_told(one) for one in found], following)


@api.get("/imports/<id>", responses={200: ImportShape}, security=SIGNED_IN, summary="One import")
@needs("uploads.write")
def one(path: ById) -> Response:
    return jsonify(_told(_mine(path.id)))


@api.put(
    "/imports/<id>/cancellation",
    responses={202: ImportShape},
    security=SIGNED_IN,
    summary="Do not fetch it after all; what a feed led to neither",
)
@needs("uploads.write")
def cancel(path: ById) -> tuple[Response, int]:
    _mine(path.id)
    imports.cancel(catalog(), path.id)
    return jsonify(_told(imports.find(catalog(), path.id))), 202


def _mine(import_id: str) -> Import:
    found = imports.find(catalog(), import_id)
    permit("uploads.write", Thing(found.school_id, found.owner_id), "import", import_id)
    return found


def _told(one: Import) -> dict[str, Any]:
    failure = Failure(error=one.error, evidence=one.evidence) if one.error else None
    message = explain(failure.as_error(), language()) if failure else None
    return {name: getattr(one, name) for name in ImportShape.model_fields if name != "message"} | {"message": message}
