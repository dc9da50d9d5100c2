"""Long lists in pieces: newest first, by id, so that what is added meanwhile moves nothing."""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, json, request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from chasqui.web.auth import public

T = TypeVar("T")


class Page(BaseModel):
    """Which piece."""

    model_config = ConfigDict(extra="ignore")

    after: str | None = Field(None, max_length=40, pattern="^[0-9a-f]+$", description="`next` of the piece before")
    limit: int = Field(50, ge=1, le=200, description="most items of one piece")


def piece(db: Session, query: Any, table: type[T], page: Page) -> tuple[list[T], str | None]:
    """The items of a SELECT of a table with ids, and what to ask for next; None at the end."""
    key: Any = table.id  # type: ignore[attr-defined]
    if page.after:
        query = query.where(key < page.after)
    rows: list[Any] = list(db.scalars(query.order_by(key.desc()).limit(page.limit + 1)))
    more = len(rows) > page.limit
    return rows[: page.limit], rows[page.limit - 1].id if more else None


def listed(items: list[Any], following: str | None) -> Response:
    """The answer, with a Link header for those who read only that."""
    response = Response(json.dumps({"items": items, "next": following}), mimetype="application/json")
    if following:
        arguments = {**request.args, "after": following}
        response.headers["Link"] = f'<{public()}{request.path}?{urlencode(arguments)}>; rel="next"'
    response.add_etag()
    response.make_conditional(request)
    return response
