"""Work: what runs, how far it is, how it ended; cancel it, try it again, follow it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from flask import Response, json, jsonify
from flask_openapi3 import APIBlueprint, Tag
from sqlalchemy import select

from chasqui.catalog import Catalog, jobs, retries, uploads
from chasqui.catalog.permissions import Reach, Thing, reach
from chasqui.catalog.tables import Job
from chasqui.records import Failure
from chasqui.run.queue.work import queue_of
from chasqui.web.auth import catalog, me, needs
from chasqui.web.bodies import SIGNED_IN, ById
from chasqui.web.limits import Held
from chasqui.web.paging import Page, listed, piece
from chasqui.web.problems import language
from chasqui.web.rows import found
from chasqui.web.shapes import Progress, many
from chasqui.words import explain

api = APIBlueprint("jobs", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="jobs")])
#: A line at least so often: proxies cut what is silent.
ALIVE_S = 15.0
LOOK_S = 0.5
#: A stream ends after this long and is opened again by the browser, so that no thread is held for ever.
STREAM_S = 600.0


@api.get("/jobs", responses={200: many(Progress)}, security=SIGNED_IN, summary="Jobs, newest first")
@needs("jobs.read")
def listing(query: Page) -> Response:
    wanted = select(Job)
    far = reach(me(), "jobs.read")
    if far < Reach.EVERYTHING:
        wanted = wanted.where(Job.school_id == me().school_id)
    if far < Reach.SCHOOL:
        wanted = wanted.where(Job.owner_id == me().person_id)
    with catalog().reading() as db:
        rows, following = piece(db, wanted, Job, query)
    return listed([told(job, language()) for job in rows], following)


@api.get("/jobs/<id>", responses={200: Progress}, security=SIGNED_IN, summary="One job")
@needs("jobs.read")
def one(path: ById) -> Response:
    return jsonify(told(_permitted(path.id, "jobs.read"), language()))


@api.put("/jobs/<id>/cancellation", responses={202: Progress}, security=SIGNED_IN, summary="Cancel it")
@needs("jobs.write")
def cancel(path: ById) -> tuple[Response, int]:
    _permitted(path.id, "jobs.write")
    jobs.cancel(catalog(), path.id)
    return jsonify(told(_found(catalog(), path.id), language())), 202


@api.post("/jobs/<id>/retries", responses={201: Progress}, security=SIGNED_IN, summary="Try again what failed")
@needs("jobs.write")
def retry(path: ById) -> tuple[Response, int]:
    """A new job with the same settings. What ended stays as it was."""
    _permitted(path.id, "jobs.write")
    first = uploads.FIRST_STAGE
    return jsonify(told(retries.again(catalog(), path.id, first, queue_of(first)), language())), 201


@api.get("/jobs/<id>/events", security=SIGNED_IN, summary="Follow it: server-sent events")
@needs("jobs.read")
def events(path: ById) -> Response:
    _permitted(path.id, "jobs.read")
    stream = Held(me().person_id, _events(catalog(), path.id, language()))
    return Response(stream, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})


def told(job: Job, lang: str) -> dict[str, Any]:
    """What a job looks like from outside."""
    facts = {name: getattr(job, name) for name in Progress.model_fields if name != "message"}
    failure = Failure(error=job.error, evidence=job.evidence) if job.error else None
    return {**facts, "message": explain(failure.as_error(), lang) if failure else None}


def _events(opened: Catalog, job_id: str, lang: str) -> Iterator[str]:
    last, said_s, until = None, time.monotonic(), time.monotonic() + STREAM_S
    while time.monotonic() < until:
        now = told(_found(opened, job_id), lang)
        if now != last:
            last, said_s = now, time.monotonic()
            yield f"event: progress\ndata: {json.dumps(now)}\n\n"
        elif time.monotonic() - said_s > ALIVE_S:
            said_s = time.monotonic()
            yield ": still here\n\n"
        if now["state"] in jobs.ENDS:
            return
        time.sleep(LOOK_S)


def _permitted(job_id: str, action: str) -> Job:
    return found(Job, job_id, action, "job", lambda job: Thing(job.school_id, job.owner_id))


def _found(opened: Catalog, job_id: str) -> Job:
    with opened.reading() as db:
        return db.get_one(Job, job_id)
