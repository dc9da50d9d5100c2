"""Webhooks: addresses of a school that are told what became of lessons and jobs."""

from __future__ import annotations

from typing import Any, Literal

from flask import Response, current_app, jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field
from sqlalchemy import select

from chasqui.catalog import webhooks
from chasqui.catalog.permissions import Reach, Thing, reach
from chasqui.catalog.tables import Webhook
from chasqui.errors import LinkAway
from chasqui.run.notices.webhook import allowed
from chasqui.web.auth import catalog, me, needs
from chasqui.web.bodies import SIGNED_IN, Body, ById
from chasqui.web.paging import Page, listed, piece
from chasqui.web.rows import found
from chasqui.web.shapes import Deliveries, Hook, NewHook, Pinged, many

api = APIBlueprint("webhooks", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="webhooks")])

Event = Literal["lesson.made", "lesson.published", "lesson.withdrawn", "job.done", "job.failed", "job.cancelled"]
Events: Any = Field([], max_length=20, description="none: all of them")
Url = Field(min_length=8, max_length=2000, examples=["https://example.pe/chasqui"])


class NewWebhook(Body):
    url: str = Url
    events: list[Event] = Events


class HookChange(Body):
    url: str | None = Field(None, min_length=8, max_length=2000)
    events: list[Event] | None = None
    stopped: bool | None = Field(None, description="false starts one again that was given up")


@api.get("/webhooks", responses={200: many(Hook)}, security=SIGNED_IN, summary="Webhooks, newest first")
@needs("webhooks.write")
def listing(query: Page) -> Response:
    wanted = select(Webhook).where(Webhook.school_id == me().school_id)
    if reach(me(), "webhooks.write") < Reach.SCHOOL:
        wanted = wanted.where(Webhook.owner_id == me().person_id)
    with catalog().reading() as db:
        rows, following = piece(db, wanted, Webhook, query)
    return listed([_shown(hook) for hook in rows], following)


@api.post("/webhooks", responses={201: NewHook}, security=SIGNED_IN, summary="A new one; its secret is shown this once")
@needs("webhooks.write")
def make(body: NewWebhook) -> tuple[Response, int]:
    _allowed(body.url)
    hook = webhooks.make(catalog(), me(), body.url, list(dict.fromkeys(body.events)))
    return jsonify(_shown(hook) | {"secret": hook.secret}), 201


@api.get("/webhooks/<id>", responses={200: Hook}, security=SIGNED_IN, summary="One webhook")
@needs("webhooks.write")
def one(path: ById) -> Response:
    return jsonify(_shown(_permitted(path.id)))


@api.patch("/webhooks/<id>", responses={200: Hook}, security=SIGNED_IN, summary="Address, events; stop and start it")
@needs("webhooks.write")
def change(path: ById, body: HookChange) -> Response:
    _permitted(path.id)
    if body.url:
        _allowed(body.url)
    events = None if body.events is None else list(dict.fromkeys(body.events))
    return jsonify(_shown(webhooks.change(catalog(), path.id, body.url, events, body.stopped)))


@api.delete("/webhooks/<id>", responses={204: None}, security=SIGNED_IN, summary="Remove it, and what waits for it")
@needs("webhooks.write")
def remove(path: ById) -> Response:
    _permitted(path.id)
    webhooks.remove(catalog(), path.id)
    return Response(status=204)


@api.post("/webhooks/<id>/pings", responses={202: Pinged}, security=SIGNED_IN, summary="Send it a letter to try it")
@needs("webhooks.write")
def ping(path: ById) -> tuple[Response, int]:
    _permitted(path.id)
    return jsonify({"id": webhooks.ping(catalog(), path.id)}), 202


@api.get("/webhooks/<id>/deliveries", responses={200: Deliveries}, security=SIGNED_IN, summary="Its last letters")
@needs("webhooks.write")
def deliveries(path: ById) -> Response:
    _permitted(path.id)
    return jsonify({"items": webhooks.deliveries(catalog(), path.id)})


def _allowed(url: str) -> None:
    """Say at once what would never work. A name that is not known today may be tomorrow."""
    try:
        allowed(current_app.extensions["service"], url)
    except LinkAway:
        return


def _shown(hook: Webhook) -> dict[str, Any]:
    return {field: getattr(hook, field) for field in Hook.model_fields}


def _permitted(webhook_id: str) -> Webhook:
    return found(Webhook, webhook_id, "webhooks.write", "webhook", lambda hook: Thing(hook.school_id, hook.owner_id))
