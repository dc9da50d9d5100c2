"""Errors as answers: RFC 9457 problem+json, in the user's language, with the code and evidence that programs read."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from flask import Response, json, request
from pydantic import Field, ValidationError
from werkzeug.exceptions import HTTPException

from chasqui import errors
from chasqui.errors import ChasquiError, Defect
from chasqui.web.shapes import Facts, Shape
from chasqui.words import LANGUAGES, explain, say

MEDIA_TYPE = "application/problem+json"
#: Status by class; a class that is not here has its parent's.
STATUS: dict[type[ChasquiError], int] = {
    errors.ChasquiError: 500,
    errors.Rejected: 422,
    errors.TryAgain: 503,
    errors.DiskFull: 507,
    errors.BadConfig: 422,
    errors.NotReady: 409,
    errors.UnknownLesson: 404,
    errors.NotAllowed: 403,
    errors.NotSignedIn: 401,
    errors.SignInRefused: 401,
    errors.SecondFactorNeeded: 401,
    errors.AccountLocked: 429,
    errors.LinkSpent: 410,
    errors.UnknownClass: 404,
    errors.UnknownThing: 404,
    errors.LastOfRole: 409,
    errors.BadAccount: 422,
    errors.NameTaken: 409,
    errors.NotMadeYet: 409,
    errors.OtherRequest: 409,
    errors.NothingToRetry: 409,
    errors.BadUpload: 409,
    errors.TooLarge: 413,
    errors.NoRoom: 507,
    errors.BadPiece: 460,  # what tus says for a checksum that does not fit
    errors.UploadOver: 410,
    errors.UploadBusy: 423,
    errors.ForbiddenAddress: 422,
    errors.BadCaptions: 422,
    errors.BadLink: 422,
    errors.TooManyTries: 429,
}

log = logging.getLogger("chasqui.web")


class Problem(Shape):
    """What every error answer holds."""

    type: str = Field(examples=["urn:chasqui:NoRoom"])
    title: str = Field(examples=["NoRoom"])
    status: int = Field(examples=[507])
    detail: str = Field(
        description="in the user's language: what happened, and what to do",
        examples=["No hay sitio para a.mp3 (4930000 bytes): a la escuela le quedan 1000. Quite una clase o pida más."],
    )
    code: str = Field(examples=["NoRoom"])
    action: str = Field(description="reject, retry or degrade", examples=["reject"])
    evidence: Facts = Field(default={}, examples=[{"name": "a.mp3", "bytes": 4930000, "left": 1000}])


def language() -> str:
    """The language to answer in: the query's, else the header's, else Spanish."""
    asked = request.args.get("lang", "")
    return asked if asked in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def status_of(error: ChasquiError) -> int:
    """The HTTP status of an error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def answer(error: ChasquiError) -> Response:
    """The problem that an error is."""
    error, status = _outward(error), status_of(error)
    problem = Problem(
        type=f"urn:chasqui:{error.code}",
        title=error.code,
        status=status,
        detail=explain(error, language()),
        code=error.code,
        action=error.action,
        evidence={name: _fact(fact) for name, fact in error.evidence.items()},
    )
    response = _response(problem)
    if "wait_s" in error.evidence:
        response.headers["Retry-After"] = str(max(1, round(error.evidence["wait_s"])))
    elif error.action == "retry":
        response.headers["Retry-After"] = "5"
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def of_http(error: HTTPException) -> Response:
    """What Flask itself refuses: no such page, a method that is not allowed, a body that is too long."""
    if isinstance(error.response, Response):
        return error.response
    code, status = "".join(error.name.split()), error.code or 500
    problem = Problem(
        type="about:blank", title=error.name, status=status, detail=_plain(status), code=code, action="reject"
    )
    response = _response(problem)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def of_validation(error: ValidationError) -> Response:
    """A body, a path or a query that is not as the description says."""
    where: Facts = {".".join(str(part) for part in one["loc"]) or "body": one["msg"] for one in error.errors()}
    problem = Problem(
        type="urn:chasqui:BadRequest",
        title="BadRequest",
        status=422,
        detail=say("web.bad request", language(), where="; ".join(f"{name}: {said}" for name, said in where.items())),
        code="BadRequest",
        action="reject",
        evidence=where,
    )
    return _response(problem)


def of_defect(error: Exception) -> Response:
    """Our own mistake: told without its insides, which are in the log."""
    log.exception("a defect at %r", request.path)
    return answer(Defect(name=request.path, what=type(error).__name__))


def _outward(error: ChasquiError) -> ChasquiError:
    """Without the folders in which we keep things."""
    if "path" not in error.evidence:
        return error
    return type(error)(**{**error.evidence, "path": Path(str(error.evidence["path"])).name})


def _fact(fact: Any) -> Any:
    return fact if isinstance(fact, int | float | None) else str(fact)


def _plain(status: int) -> str:
    lang = language()
    try:
        return say(f"web.status.{status}", lang)
    except KeyError:
        return say("web.status.other", lang, status=status)


def _response(problem: Problem) -> Response:
    return Response(json.dumps(problem.model_dump()), problem.status, mimetype=MEDIA_TYPE)
