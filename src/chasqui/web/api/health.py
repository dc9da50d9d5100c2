"""Is it alive, and are the things there that it needs?"""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from chasqui import __version__
from chasqui.run.parts import WELL, Parts
from chasqui.web.auth import open_to_all
from chasqui.web.shapes import Shape

api = APIBlueprint("health", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="health")])


class Health(Shape):
    """What is there. Everybody may ask, so it names no machines; operators see them at `/service`."""

    status: str = Field(description="ok; degraded: it answers and keeps what it is given; down", examples=["ok"])
    version: str = Field(examples=[__version__])
    parts: dict[str, str] = Field(
        description="ok, NoAnswer, or the code of what is wrong", examples=[{"catalog": "ok", "store": "ok"}]
    )


@api.get("/health/live", responses={200: Health}, summary="The process answers")
@open_to_all
def live() -> dict[str, Any]:
    return Health(status="ok", version=__version__, parts={}).model_dump()


@api.get("/health", responses={200: Health, 503: Health}, summary="It and what it needs work")
@open_to_all
def ready() -> tuple[dict[str, Any], int]:
    parts: Parts = current_app.extensions["parts"]
    seen = {name: one.state for name, one in parts.seen().items()}
    away = {part.name: part.needed for part in parts.parts if seen[part.name] != WELL}
    status = "down" if any(away.values()) else "degraded" if away else "ok"
    return Health(status=status, version=__version__, parts=seen).model_dump(), 503 if status == "down" else 200
