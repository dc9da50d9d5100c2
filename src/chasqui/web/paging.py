"""Long lists in pieces: newest first, by id, so that what is added meanwhile moves nothing."""

from __future__ import annotations

from functools import cache
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

    @classmethod
    def model_json_schema(cls, *args: Any, **rest: Any) -> dict[str, Any]:
        """Made once: flask-openapi3 asks for it at each request, and making it took a fifth of that time."""
        return super().model_json_schema(*args, **rest) if args or rest else _schema(cls)


@cache
def _schema(page: type[Page]) -> dict[str, Any]:
    return super(Page, page).model_json_schema()


def piece(db: Session, query: Any, table: type[T], page: Page) -> tuple[list[T], str | None]:
    """The items of a SELECT of a table with ids, and what to ask for next; None at the end."""
    found, following = rows(db, query, table, page)
    return [row[0] for row in found], following


def rows(db: Session, query: Any, table: Any, page: Page) -> tuple[list[Any], str | None]:
    """The same of a SELECT of anything whose first column is the item or its id."""
    if page.after:
        query = query.where(table.id < page.after)
    found = list(db.execute(query.order_by(table.id.desc()).limit(page.limit + 1)))
    if len(found) <= page.limit:
        return found, None
    last = found[page.limit - 1][0]
    return found[: page.limit], getattr(last, "id", last)


def listed(items: list[Any], following: str | None) -> Response:
    """The answer, with a Link header for those who read only that."""
    return listed_texts([json.dumps(item).encode() for item in items], following)


def listed_texts(items: list[bytes], following: str | None) -> Response:
    """The same of items that are JSON already."""
    body = b'{"items": [%s], "next": %s}' % (b", ".join(items), json.dumps(following).encode())
    response = Response(body, mimetype="application/json")
    if following:
        arguments = {**request.args, "after": following}
        response.headers["Link"] = f'<{public()}{request.path}?{urlencode(arguments)}>; rel="next"'
    response.add_etag()
    response.make_conditional(request)
    return response
