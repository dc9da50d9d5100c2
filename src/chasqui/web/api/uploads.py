"""Files in: tus 1.0 for bad links (core, creation, checksum, expiration, termination), one plain form for small files.

Whatever way it came, a whole file becomes a lesson of the school and a job that makes it.
"""

from __future__ import annotations

import re
from base64 import b64decode
from email.utils import formatdate
from tempfile import gettempdir
from typing import Any

from flask import Response, current_app, json, jsonify, request
from flask_openapi3 import APIBlueprint, Tag
from werkzeug.exceptions import ClientDisconnected, PreconditionFailed, UnsupportedMediaType

from chasqui.catalog import uploads
from chasqui.catalog.permissions import Thing
from chasqui.catalog.tables import Upload
from chasqui.errors import BadUpload, TooLarge, Unreadable, UploadOver
from chasqui.ingest.tags import one_line
from chasqui.store.guard import disk
from chasqui.web.auth import catalog, me, needs, permit, public
from chasqui.web.bodies import SIGNED_IN, ById
from chasqui.web.incoming import CHECKSUMS, METADATA, Incoming, read_checksum
from chasqui.web.problems import of_http
from chasqui.web.shapes import Uploaded, UploadShape

api = APIBlueprint("uploads", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="uploads")])
VERSION = "1.0.0"
EXTENSIONS = "creation,checksum,expiration,termination"
PIECE = "application/offset+octet-stream"
LANGUAGE = re.compile("[a-z]{2,3}")
#: What may be said about a file, and how long each may be.
FACTS = {"filename": 200, "title": 200, "language": 3, "licence": 100, "consent": 5, "target": 20, "budget": 20}


@api.before_request
def spoken() -> Response | None:
    """What of tus is spoken here: the answer to OPTIONS, which Flask would answer by itself."""
    if request.method != "OPTIONS":
        return None
    return _tus(
        204,
        {
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": current_app.extensions["service"].upload_bytes,  # who asks does not say who it is
            "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
        },
    )


@api.post(
    "/uploads", responses={201: UploadShape}, security=SIGNED_IN, summary="tus: begin; the answer says where to send"
)
@needs("uploads.write")
def begin() -> Response:
    _speaks_tus()
    size, facts = _size(request.headers.get("Upload-Length", "")), _metadata(request.headers.get("Upload-Metadata", ""))
    settings_of(facts)
    upload = uploads.begin(catalog(), me(), facts.get("filename", "upload"), size, _most(), facts)
    response = _tus(201, {"Location": f"{public()}{request.path}/{upload.id}", **_expires(upload)})
    # Beyond tus: a body, which is what an idempotency key answers with again, so that no room is reserved twice.
    response.data, response.mimetype = json.dumps({"id": upload.id}), "application/json"
    return response


@api.get("/uploads/<id>", responses={200: None}, security=SIGNED_IN, summary="tus (HEAD): how much is there")
@needs("uploads.write")
def where(path: ById) -> Response:
    upload = _mine(path.id)
    if upload.state == "ended":
        raise UploadOver(why="ended")
    whole = upload.state == "complete" or (upload.recording_id and not _incoming().path(upload.id).exists())
    at = upload.bytes if whole else _incoming().settled(upload.id)
    if upload.state == "open" and at == upload.bytes:
        finish(upload)  # the server was ended between the last byte and the lesson
    headers = {"Upload-Offset": at, "Upload-Length": upload.bytes, "Cache-Control": "no-store", **_expires(upload)}
    return _tus(200, headers)


@api.patch("/uploads/<id>", responses={204: None}, security=SIGNED_IN, summary="tus: a piece")
@needs("uploads.write")
def piece(path: ById) -> Response:
    _speaks_tus()
    if request.mimetype != PIECE:
        raise UnsupportedMediaType()
    upload, at = _mine(path.id), _size(request.headers.get("Upload-Offset", ""), "Upload-Offset")
    if upload.state != "open":
        raise UploadOver(why=upload.state)
    checksum = read_checksum(request.headers.get("Upload-Checksum", ""))
    if (request.content_length or 0) > upload.bytes - at:
        raise TooLarge(name=upload.name, bytes=at + (request.content_length or 0), most=upload.bytes)
    there = _incoming().append(upload.id, at, upload.bytes, _Body(), checksum)
    uploads.note(catalog(), upload.id, there)
    headers: dict[str, Any] = {"Upload-Offset": there, **_expires(upload)}
    if there == upload.bytes:
        made = finish(upload)
        headers |= {"X-Lesson": made.lesson_id, "X-Job": made.job_id or ""}
    return _tus(204, headers)


@api.delete("/uploads/<id>", responses={204: None}, security=SIGNED_IN, summary="tus: give it up")
@needs("uploads.write")
def give_up(path: ById) -> Response:
    upload = _mine(path.id)
    if uploads.end(catalog(), upload.id):
        _incoming().drop(upload.id)
    return _tus(204)


@api.get("/uploads/<id>/lesson", responses={200: Uploaded}, security=SIGNED_IN, summary="What came of it")
@needs("uploads.write")
def outcome(path: ById) -> Response:
    upload = _mine(path.id)
    if upload.state != "complete":
        raise BadUpload(why=f"{_incoming().size(upload.id)} of {upload.bytes} bytes are here")
    return jsonify(_made(upload).model_dump())


@api.post("/files", responses={201: Uploaded}, security=SIGNED_IN, summary="A small file as a form: field `file`")
@needs("uploads.write")
def form() -> Response:
    with disk(gettempdir()):
        file = request.files.get("file")  # kept aside until it is whole
    if file is None:
        raise BadUpload(why="the form has no field `file`")
    facts = {name: request.form[name] for name in FACTS if name in request.form}
    facts.setdefault("filename", file.filename or "upload")
    facts = checked(facts)
    settings_of(facts)
    size = file.seek(0, 2)
    file.seek(0)
    upload = uploads.begin(catalog(), me(), facts["filename"], size, _most(), facts)
    try:
        _incoming().append(upload.id, 0, size, file.stream)
        made = finish(upload)
    except Exception:
        uploads.end(catalog(), upload.id)
        _incoming().drop(upload.id)
        raise
    response = jsonify(made.model_dump())
    response.status_code = 201
    return response


def finish(upload: Upload) -> Uploaded:
    """The lesson and the job of a file that is whole.

    Raises:
        UploadOver: it was given up meanwhile.
        Unreadable, EmptyFile, DiskFull, NotWritable: the upload stays as it is, and may be finished again.
    """
    from chasqui.run.queue.work import queue_of

    recording_id = _handed(upload)
    title = upload.facts.get("title", "") or upload.name.rpartition(".")[0] or upload.name
    settings, queue = settings_of(upload.facts), queue_of(uploads.FIRST_STAGE)
    lesson, job = uploads.complete(catalog(), upload.id, recording_id, title, settings, queue)
    _incoming().drop(upload.id)
    return Uploaded(lesson_id=lesson.id, job_id=job.id if job else None, recording_id=recording_id)


def _handed(upload: Upload) -> str:
    """The recording that the bytes are, now in the school's store."""
    from chasqui.ingest import hand_over

    path, recording_id = _incoming().path(upload.id), upload.recording_id
    if path.exists():

        def tell(known: str) -> None:
            uploads.recognised(catalog(), upload.id, known)

        try:
            store, title = current_app.extensions["stores"](upload.school_id), upload.facts.get("title", "")
            return hand_over(path, store, upload.name, title, tell).recording_id
        except UploadOver:
            _incoming().drop(upload.id)
            raise
        except Unreadable:  # somebody else finished it at this very moment
            recording_id = uploads.find(catalog(), upload.id).recording_id
            if path.exists() or recording_id is None:
                raise
    if recording_id is None:
        raise UploadOver(why="ended")
    return recording_id


def _made(upload: Upload) -> Uploaded:
    from sqlalchemy import select

    from chasqui.catalog.tables import Job, Lesson

    with catalog().reading() as db:
        wanted = (Lesson.school_id == upload.school_id, Lesson.recording_id == upload.recording_id)
        lesson = db.scalars(select(Lesson).where(*wanted)).one()
        job = db.scalar(select(Job.id).where(Job.lesson_id == lesson.id).order_by(Job.id.desc()).limit(1))
    return Uploaded(lesson_id=lesson.id, job_id=job, recording_id=lesson.recording_id)


def _mine(upload_id: str) -> Upload:
    upload = uploads.find(catalog(), upload_id)
    permit("uploads.write", Thing(upload.school_id, upload.owner_id), "upload", upload_id)
    return upload


def _incoming() -> Incoming:
    return Incoming(current_app.extensions["service"].incoming)


def _most() -> int:
    return int(current_app.extensions["service"].most_bytes(me().role))


class _Body:
    """The body as it arrives. A client that goes away in the middle has sent what it has sent."""

    def read(self, size: int, /) -> bytes:
        try:
            return request.stream.read(size)
        except ClientDisconnected:
            return b""


def _speaks_tus() -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        refused = of_http(PreconditionFailed())
        refused.headers.update({"Tus-Resumable": VERSION, "Tus-Version": VERSION})
        raise PreconditionFailed(response=refused)


def _tus(status: int, headers: dict[str, Any] | None = None) -> Response:
    response = Response(status=status)
    for name, value in {"Tus-Resumable": VERSION, **(headers or {})}.items():
        response.headers[name] = str(value)
    return response


def _expires(upload: Upload) -> dict[str, str]:
    return {"Upload-Expires": formatdate(upload.expires_s, usegmt=True)} if upload.state == "open" else {}


def _size(said: str, header: str = "Upload-Length") -> int:
    if not re.fullmatch("[0-9]{1,15}", said):
        raise BadUpload(why=f"{header} is not a number of bytes")
    return int(said)


def _metadata(header: str) -> dict[str, str]:
    """tus: `name BASE64,name BASE64`."""
    if not re.fullmatch(METADATA, header):
        raise BadUpload(why="Upload-Metadata is not a list of names, each with base64")
    facts = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        name, _, encoded = pair.partition(" ")
        try:
            facts[name] = b64decode(encoded, validate=True).decode("utf-8")
        except ValueError as error:
            raise BadUpload(why=f"Upload-Metadata {name!r} is not base64 of UTF-8") from error
    return checked(facts)


def checked(facts: dict[str, str]) -> dict[str, str]:
    """Only what we know, on one line, not too long; a file name without its folders.

    Raises:
        BadUpload
    """
    kept = {}
    for name, most in FACTS.items():
        if text := one_line(facts.get(name, ""), most):
            kept[name] = text
    if "filename" in kept:
        kept["filename"] = re.split(r"[/\\]", kept["filename"])[-1] or "upload"
    if not LANGUAGE.fullmatch(kept.get("language", "es")):
        raise BadUpload(why="the language is none of ISO 639")
    return kept


def settings_of(facts: dict[str, str]) -> dict[str, Any]:
    """The options of the job. Wrong ones are told before an hour of uploading, not after.

    Raises:
        BadConfig
    """
    from chasqui.config import load
    from chasqui.run.size import read_size

    settings: dict[str, Any] = {}
    if target := facts.get("target"):
        settings["choose__target"] = target
    if budget := facts.get("budget"):
        settings["choose__budget_bytes"] = read_size(budget)
    load(**settings)
    return settings
