"""Lessons: found, named, published, taken back, removed."""

from __future__ import annotations

from typing import Any, Literal

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from chasqui.catalog import lessons, retries, uploads
from chasqui.catalog.permissions import Reach, Thing, reach
from chasqui.catalog.tables import Lesson
from chasqui.run.queue.work import queue_of
from chasqui.web.api.jobs import told
from chasqui.web.auth import catalog, me, needs
from chasqui.web.bodies import MOST, SIGNED_IN, Body, ById
from chasqui.web.hot import lesson_texts
from chasqui.web.paging import Page, listed_texts
from chasqui.web.problems import language
from chasqui.web.rows import found
from chasqui.web.shapes import LessonShape, Progress, Target, many

api = APIBlueprint("lessons", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="lessons")])


class Which(Page):
    state: Literal["made", "published", "withdrawn"] | None = None
    text: str | None = Field(None, max_length=100, pattern=r"^[^\x00]*$", description="a part of the title")


class Change(Body):
    title: str | None = Field(None, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")
    language: str | None = Field(None, pattern="^[a-z]{2,3}$")
    licence: str | None = Field(None, max_length=100)
    consent: bool | None = None


class Again(Body):
    target: Target | None = None
    budget_bytes: int | None = Field(None, ge=1000, le=MOST)


@api.get("/lessons", responses={200: many(LessonShape)}, security=SIGNED_IN, summary="Lessons, newest first")
@needs("lessons.read")
def listing(query: Which) -> Response:
    wanted: list[Any] = [Lesson.school_id == me().school_id]
    if reach(me(), "lessons.read") == Reach.PUBLISHED:
        wanted.append(Lesson.state == "published")
    if query.state:
        wanted.append(Lesson.state == query.state)
    if query.text:
        wanted.append(Lesson.title.icontains(query.text, autoescape=True))
    with catalog().reading() as db:
        return listed_texts(*lesson_texts(db, wanted, query))


@api.get(
    "/lessons/<id>", responses={200: LessonShape}, security=SIGNED_IN, summary="One lesson: sizes, hashes, promise"
)
@needs("lessons.read")
def one(path: ById) -> Response:
    response = jsonify(lessons.shown(permitted(path.id, "lessons.read")))
    response.add_etag()
    return response


@api.patch(
    "/lessons/<id>", responses={200: LessonShape}, security=SIGNED_IN, summary="Title, language, licence, consent"
)
@needs("lessons.write")
def change(path: ById, body: Change) -> Response:
    permitted(path.id, "lessons.write")
    with catalog().writing() as db:
        lesson = db.get_one(Lesson, path.id, with_for_update=True)
        for name, value in body.said().items():
            setattr(lesson, name, value)
        if lesson.state == "published":
            lessons.tell(db, lesson, "published")
    return jsonify(lessons.shown(lesson))


@api.delete("/lessons/<id>", responses={204: None}, security=SIGNED_IN, summary="Remove it")
@needs("lessons.write")
def remove(path: ById) -> Response:
    permitted(path.id, "lessons.write")
    lessons.remove(catalog(), path.id)
    return Response(status=204)


@api.put(
    "/lessons/<id>/publication", responses={200: LessonShape}, security=SIGNED_IN, summary="Let the school have it"
)
@needs("lessons.publish")
def publish(path: ById) -> Response:
    permitted(path.id, "lessons.publish")
    return jsonify(lessons.shown(lessons.publish(catalog(), path.id)))


@api.delete("/lessons/<id>/publication", responses={200: LessonShape}, security=SIGNED_IN, summary="Take it back")
@needs("lessons.publish")
def withdraw(path: ById) -> Response:
    permitted(path.id, "lessons.publish")
    return jsonify(lessons.shown(lessons.withdraw(catalog(), path.id)))


@api.post("/lessons/<id>/jobs", responses={201: Progress}, security=SIGNED_IN, summary="Make it again, otherwise")
@needs("jobs.write")
def make_again(path: ById, body: Again) -> tuple[Response, int]:
    """The newest wish counts: a job with other settings that is under way for the lesson is cancelled."""
    lesson = permitted(path.id, "lessons.write")
    settings: dict[str, Any] = {}
    if body.target:
        settings["choose__target"] = body.target
    if body.budget_bytes:
        settings["choose__budget_bytes"] = body.budget_bytes
    owner, first = me().person_id, uploads.FIRST_STAGE
    job = retries.otherwise(catalog(), lesson.id, owner, settings, first, queue_of(first))
    return jsonify(told(job, language())), 201


def permitted(lesson_id: str, action: str) -> Lesson:
    """The lesson, if the one who asks may do this to it.

    Raises:
        UnknownThing, NotAllowed
    """
    return found(Lesson, lesson_id, action, "lesson", thing)


def thing(lesson: Lesson) -> Thing:
    """A lesson, as far as permission goes."""
    return Thing(lesson.school_id, lesson.owner_id, lesson.state == "published")
