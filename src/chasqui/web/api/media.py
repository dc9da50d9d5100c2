"""The files of lessons, in ranges, never sent twice to whoever has them."""

from __future__ import annotations

from flask import Response, current_app, g, request, send_file
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from chasqui.catalog import lessons
from chasqui.catalog.tables import Lesson
from chasqui.errors import UnknownThing
from chasqui.records import Lesson as Packed
from chasqui.web.api.lessons import thing
from chasqui.web.auth import catalog, open_to_all, permit, who
from chasqui.web.bodies import SIGNED_IN

api = APIBlueprint("media", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="media")])
#: A name with its content's hash in the query never changes.
FOR_EVER = "private, max-age=31536000, immutable"


class OneFile(BaseModel):
    id: str = Field(pattern="^[0-9a-f]{1,40}$")
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,80}$")


@api.get("/lessons/<id>/files/<name>", responses={200: None, 206: None}, security=SIGNED_IN, summary="One file of it")
@open_to_all
def file(path: OneFile) -> Response:
    with catalog().reading() as db:
        lesson = db.get(Lesson, path.id)
        free = lesson is not None and lessons.is_open(db, path.id)
    if lesson is None or not free:
        g.actor = who()
        if lesson is None:
            raise UnknownThing(kind="lesson", name=path.id)
        permit("lessons.read", thing(lesson), "lesson", path.id)
    store = current_app.extensions["stores"](lesson.school_id)
    packed = store.get(lesson.recording_id, "publish", Packed)
    blob = next((blob for blob in packed.files if blob.name == path.name), None) if packed else None
    if blob is None:
        raise UnknownThing(kind="file", name=path.name)
    try:
        place = store.path(blob)
        response = send_file(place, blob.media_type, conditional=True, etag=blob.sha256, last_modified=None)
    except FileNotFoundError as error:  # made anew at this very moment
        raise UnknownThing(kind="file", name=path.name) from error
    response.headers["Accept-Ranges"] = "bytes"
    if request.args.get("v") == blob.sha256[:16]:
        response.headers["Cache-Control"] = FOR_EVER
    if blob.name.endswith(".html"):  # the teacher's page carries its own script and style
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; img-src data:; media-src 'self'; script-src 'unsafe-inline'; "
            "style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox allow-scripts"
        )
    return response
