"""Is it alive, and are the things there that it needs?"""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field
from sqlalchemy import text

from chasqui import __version__
from chasqui.errors import ChasquiError
from chasqui.web.auth import catalog, open_to_all
from chasqui.web.shapes import Shape

api = APIBlueprint("health", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="health")])


class Health(Shape):
    """What is there."""

    status: str = Field(description="ok, degraded", examples=["ok"])
    version: str = Field(examples=[__version__])
    parts: dict[str, str] = Field(
        description="ok, or what is wrong with it", examples=[{"catalog": "ok", "store": "ok"}]
    )


@api.get("/health/live", responses={200: Health}, summary="The process answers")
@open_to_all
def live() -> dict[str, Any]:
    return Health(status="ok", version=__version__, parts={}).model_dump()


@api.get("/health", responses={200: Health, 503: Health}, summary="It and what it needs work")
@open_to_all
def ready() -> tuple[dict[str, Any], int]:
    parts = {"catalog": _catalog(), "store": _store()}
    well = all(said == "ok" for said in parts.values())
    health = Health(status="ok" if well else "degraded", version=__version__, parts=parts)
    return health.model_dump(), 200 if well else 503


def _catalog() -> str:
    try:
        with catalog().reading() as db:
            db.execute(text("SELECT 1"))
    except ChasquiError as error:
        return error.code
    return "ok"


def _store() -> str:
    try:
        current_app.extensions["store"].key("0" * 16, "request")
    except (ChasquiError, OSError) as error:
        return error.code if isinstance(error, ChasquiError) else "NotReadable"
    return "ok"
