"""What listeners say: how well they understood, where not, in their words."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field
from sqlalchemy import select

from chasqui.catalog.permissions import Reach, reach
from chasqui.catalog.tables import Feedback, Lesson
from chasqui.errors import NotAllowed
from chasqui.web.api.lessons import permitted
from chasqui.web.auth import catalog, me, needs
from chasqui.web.bodies import SIGNED_IN, Body, ById
from chasqui.web.limits import slow_down
from chasqui.web.paging import Page, listed, piece
from chasqui.web.shapes import FeedbackShape, many

api = APIBlueprint("feedback", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="feedback")])
FIELDS = tuple(FeedbackShape.model_fields)


class Said(Body):
    understood: int = Field(ge=1, le=5, description="1: nothing, 5: every word")
    at_s: float | None = Field(None, ge=0, le=1e6, description="where in the lesson")
    text: str = Field("", max_length=2000)


@api.post("/lessons/<id>/feedback", responses={201: FeedbackShape}, security=SIGNED_IN, summary="Say how it was")
@needs("feedback.write")
def say(path: ById, body: Said) -> tuple[Response, int]:
    lesson = permitted(path.id, "lessons.read")
    if lesson.state != "published":
        raise NotAllowed(why="feedback.write")
    slow_down("feedback", me().person_id)
    with catalog().writing() as db:
        said = Feedback(lesson_id=lesson.id, person_id=me().person_id, **body.model_dump())
        db.add(said)
    return jsonify({field: getattr(said, field) for field in FIELDS}), 201


@api.get(
    "/lessons/<id>/feedback",
    responses={200: many(FeedbackShape)},
    security=SIGNED_IN,
    summary="What was said, newest first, without names",
)
@needs("feedback.read")
def listing(path: ById, query: Page) -> Response:
    lesson: Lesson = permitted(path.id, "lessons.read")
    if reach(me(), "feedback.read") < Reach.SCHOOL and lesson.owner_id != me().person_id:
        raise NotAllowed(why="feedback.read")
    with catalog().reading() as db:
        found, following = piece(db, select(Feedback).where(Feedback.lesson_id == path.id), Feedback, query)
    return listed([{field: getattr(said, field) for field in FIELDS} for said in found], following)
