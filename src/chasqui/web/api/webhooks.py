"""Webhooks: addresses of a school that are told what became of lessons and jobs."""

from __future__ import annotations

from typing import Any, Literal

from flask import Response, current_app, jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy import select

from chasqui.catalog import webhooks
from chasqui.catalog.permissions import Reach, Thing, reach
from chasqui.catalog.tables import Webhook
from chasqui.errors import LinkAway, UnknownThing
from chasqui.run.notices.webhook import allowed
from chasqui.web.api.accounts import SIGNED_IN, Body, ById
from chasqui.web.auth import catalog, me, needs, permit
from chasqui.web.paging import Page, listed, piece

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


class Hook(BaseModel):
    """A webhook; its secret is shown once, when it is made."""

    id: str
    owner_id: str
    url: str
    events: list[str]
    created_s: float
    stopped_s: float | None


class NewHook(Hook):
    secret: str


class Delivery(BaseModel):
    """A letter to a webhook."""

    id: str | None
    event: str | None
    attempts: int
    created_s: float
    sent_s: float | None
    given_up_s: float | None
    trouble: str | None


class Deliveries(BaseModel):
    items: list[Delivery]


class Hooks(BaseModel):
    items: list[Hook]
    next: str | None


class Pinged(BaseModel):
    id: str


@api.get("/webhooks", responses={200: Hooks}, security=SIGNED_IN, summary="Webhooks, newest first")
@needs("webhooks.write")
def listing(query: Page) -> Response:
    wanted = select(Webhook).where(Webhook.school_id == me().school_id)
    if reach(me(), "webhooks.write") < Reach.SCHOOL:
        wanted = wanted.where(Webhook.owner_id == me().person_id)
    with catalog().reading() as db:
        found, following = piece(db, wanted, Webhook, query)
    return listed([_shown(hook) for hook in found], following)


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
    with catalog().reading() as db:
        hook = db.get(Webhook, webhook_id)
    if hook is None:
        raise UnknownThing(kind="webhook", name=webhook_id)
    permit("webhooks.write", Thing(hook.school_id, hook.owner_id), "webhook", webhook_id)
    return hook
