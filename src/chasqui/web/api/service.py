"""For whoever runs the service: how it is, in JSON and in Prometheus' format, and trying again what failed."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

from flask import Response, current_app, jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import AfterValidator, ConfigDict, Field

from chasqui import __version__
from chasqui.catalog import retries, uploads
from chasqui.catalog.counts import LATELY_S
from chasqui.run.overview import overview
from chasqui.run.queue.work import queue_of
from chasqui.web import metrics
from chasqui.web.auth import catalog, needs
from chasqui.web.bodies import SIGNED_IN
from chasqui.web.shapes import Bytes, Id, Seconds, Shape

api = APIBlueprint("service", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="service")])
BEGUN = "begun_s"
api.record(lambda state: state.app.extensions.setdefault(BEGUN, time.time()))


Count = Annotated[int, Field(examples=[3])]
Age = Annotated[float, Field(description="seconds", examples=[12.5])]


class PartShape(Shape):
    """Something that the service stands on."""

    name: Literal["catalog", "store", "broker", "cache", "notices"] = Field(examples=["broker"])
    kind: str = Field(examples=["amqp"])
    address: str = Field(description="without names and passwords", examples=["amqp://mq:5672//"])
    needed: bool = Field(description="nothing goes without it", examples=[False])
    state: str = Field(description="ok, NoAnswer, or the code of what is wrong", examples=["ServiceDown"])
    why: str | None = Field(examples=["[Errno 111] Connection refused"])


class FailuresShape(Shape):
    """Jobs that failed in the same way."""

    error: str = Field(description="code", examples=["GaveUp"])
    count: Count


class EndedShape(Shape):
    """What ended within the last day."""

    done: Count
    failed: Count
    cancelled: Count
    failures: list[FailuresShape]


class JobsShape(Shape):
    """Jobs under way. 20 000 of a kind, here and below, is 20 000 or more."""

    waiting: Count
    running: Count
    silent: int = Field(description="running, without a sign of life by the clock of who answers", examples=[0])
    last_day: EndedShape


class QueueShape(Shape):
    """One kind of work, as the catalog knows it, and what lies at the broker."""

    name: Literal["voice", "words", "video"] = Field(examples=["voice"])
    waiting: Count
    oldest_waiting_s: Age | None
    running: Count
    silent: int = Field(examples=[0])
    messages: int | None = Field(description="null: the broker does not answer", examples=[2])
    listeners: int | None = Field(
        description="workers that the broker knows; the embedded queue knows none", examples=[4]
    )


class WorkerShape(Shape):
    """A worker, as long as it works; an idle one leaves no trace here."""

    name: str = Field(description="machine:process:worker", examples=["aula:4711:9f86d081"])
    job_id: Id
    stage: str = Field(examples=["transcribe"])
    done: float = Field(description="of the stage, 0–1", examples=[0.4])
    job_started_s: Seconds | None
    beat_s: Seconds
    silent: bool = Field(examples=[False])


class WaitingLettersShape(Shape):
    """What is still to be told."""

    kind: Literal["task", "notice", "webhook"] = Field(examples=["notice"])
    unsent: Count
    oldest_unsent_s: Age | None
    in_trouble: int = Field(description="tried, and not arrived", examples=[1])
    given_up: int = Field(description="within the last day", examples=[0])


class IncomingShape(Shape):
    """Files on their way in, and the room that is kept for them."""

    open: Count
    reserved_bytes: Bytes
    received_bytes: Bytes


class LinksShape(Shape):
    """Links to be fetched."""

    waiting: Count
    running: Count
    oldest_waiting_s: Age | None


class DiskShape(Shape):
    """The disk with the data folder."""

    bytes: int = Field(examples=[500_000_000_000])
    free_bytes: int = Field(examples=[120_000_000_000])


class ServiceShape(Shape):
    """The service at one glance."""

    version: str = Field(examples=[__version__])
    schema_: str | None = Field(alias="schema", description="version of the tables", examples=["0005"])
    at_s: Seconds
    up_s: float | None = Field(description="since this server began", examples=[86400.0])
    parts: list[PartShape]
    jobs: JobsShape
    queues: list[QueueShape]
    dead_letters: int | None = Field(
        description="tasks that workers died over, not yet brought back to the catalog", examples=[0]
    )
    workers: list[WorkerShape] = Field(description="at most 200, those that have been silent for longest first")
    letters: list[WaitingLettersShape]
    uploads: IncomingShape
    imports: LinksShape
    disk: DiskShape | None


def _code(said: str) -> str:
    if said not in retries.known():
        raise ValueError(f"there is no error {said}")
    return said


class NewRetries(Shape):
    """Which failures."""

    model_config = ConfigDict(extra="forbid", strict=True)

    error: Annotated[str, AfterValidator(_code)] | None = Field(
        None, max_length=40, description="code; none: all but those that lie in the recording itself"
    )
    since_s: float | None = Field(
        None, ge=0, le=1e11, allow_inf_nan=False, description="seconds since 1970; none: the last day"
    )


class RetriesShape(Shape):
    """What is tried again."""

    retried: int = Field(description="jobs asked for, at most 1000", examples=[12])
    more: bool = Field(description="there are others; ask again", examples=[False])


@api.get("/service", responses={200: ServiceShape}, security=SIGNED_IN, summary="How the service is")
@needs("service.read")
def now() -> Response:
    return jsonify(_seen())


@api.get("/service/metrics", security=SIGNED_IN, summary="The same in numbers, for Prometheus")
@needs("service.read")
def measured() -> Response:
    return Response(metrics.text(_seen()), content_type=metrics.MEDIA_TYPE)


@api.post("/service/retries", responses={202: RetriesShape}, security=SIGNED_IN, summary="Try again what failed")
@needs("service.write")
def retry(body: NewRetries) -> tuple[Response, int]:
    since_s = time.time() - LATELY_S if body.since_s is None else body.since_s
    codes = [body.error] if body.error else retries.mendable()
    first = uploads.FIRST_STAGE
    retried, more = retries.again_all(catalog(), first, queue_of(first), codes, since_s)
    return jsonify(RetriesShape(retried=retried, more=more).model_dump()), 202


def _seen() -> dict[str, Any]:
    known = current_app.extensions
    return overview(known["service"], catalog(), known["parts"], known[BEGUN])
