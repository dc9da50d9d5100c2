"""Channels: what listeners subscribe to. An open one may be heard by everybody."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy import delete, select
from sqlalchemy.orm import Session as Db

from chasqui.catalog import lessons
from chasqui.catalog.permissions import Reach, Thing, reach
from chasqui.catalog.tables import Channel, ChannelLesson, Lesson
from chasqui.errors import NameTaken
from chasqui.web.auth import catalog, me, needs
from chasqui.web.bodies import ID, SIGNED_IN, SLUG, Body, ById, Name
from chasqui.web.paging import Page, listed, piece
from chasqui.web.rows import found
from chasqui.web.shapes import ChannelShape, many

api = APIBlueprint("channels", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="channels")])


class NewChannel(Body):
    slug: str = Field(pattern=SLUG, examples=["cuarto-b"])
    title: str = Name
    about: str = Field("", max_length=2000)
    open: bool = Field(False, description="to everybody, not only to the school")


class InChannel(BaseModel):
    id: str = Field(pattern=ID)
    lesson_id: str = Field(pattern=ID)


@api.get("/channels", responses={200: many(ChannelShape)}, security=SIGNED_IN, summary="Channels, newest first")
@needs("channels.read")
def listing(query: Page) -> Response:
    with catalog().reading() as db:
        rows, following = piece(db, select(Channel).where(Channel.school_id == me().school_id), Channel, query)
        return listed([_shown(db, channel) for channel in rows], following)


@api.post("/channels", responses={201: ChannelShape}, security=SIGNED_IN, summary="A new one")
@needs("channels.write")
def make(body: NewChannel) -> tuple[Response, int]:
    with catalog().writing() as db:
        school = me().school_id or ""
        if db.scalar(select(Channel.id).where(Channel.school_id == school, Channel.slug == body.slug)):
            raise NameTaken(name=body.slug)
        channel = Channel(school_id=school, owner_id=me().person_id, **body.model_dump())
        db.add(channel)
        db.flush()
        return jsonify(_shown(db, channel)), 201


@api.get("/channels/<id>", responses={200: ChannelShape}, security=SIGNED_IN, summary="One channel")
@needs("channels.read")
def one(path: ById) -> Response:
    channel = _permitted(path.id, "channels.read")
    with catalog().reading() as db:
        return jsonify(_shown(db, channel))


@api.put("/channels/<id>/lessons/<lesson_id>", responses={204: None}, security=SIGNED_IN, summary="Put a lesson in")
@needs("channels.write")
def put(path: InChannel) -> Response:
    _permitted(path.id, "channels.write")
    lessons.put_in_channel(catalog(), path.id, path.lesson_id)
    return Response(status=204)


@api.delete("/channels/<id>/lessons/<lesson_id>", responses={204: None}, security=SIGNED_IN, summary="Take one out")
@needs("channels.write")
def take(path: InChannel) -> Response:
    _permitted(path.id, "channels.write")
    with catalog().writing() as db:
        there = (ChannelLesson.channel_id == path.id, ChannelLesson.lesson_id == path.lesson_id)
        db.execute(delete(ChannelLesson).where(*there))
    return Response(status=204)


@api.delete("/channels/<id>", responses={204: None}, security=SIGNED_IN, summary="Remove it; its lessons stay")
@needs("channels.write")
def remove(path: ById) -> Response:
    _permitted(path.id, "channels.write")
    with catalog().writing() as db:
        db.delete(db.get_one(Channel, path.id))
    return Response(status=204)


def _shown(db: Db, channel: Channel) -> dict[str, Any]:
    wanted = select(Lesson.id).join(ChannelLesson, ChannelLesson.lesson_id == Lesson.id)
    wanted = wanted.where(ChannelLesson.channel_id == channel.id)
    if reach(me(), "lessons.read") == Reach.PUBLISHED:
        wanted = wanted.where(Lesson.state == "published")
    fields = ("id", "slug", "title", "about", "open", "owner_id", "created_s")
    there = db.scalars(wanted.order_by(ChannelLesson.added_s.desc()).limit(500))
    return {field: getattr(channel, field) for field in fields} | {"lessons": list(there)}


def _permitted(channel_id: str, action: str) -> Channel:
    return found(Channel, channel_id, action, "channel", lambda one: Thing(one.school_id, one.owner_id, published=True))
