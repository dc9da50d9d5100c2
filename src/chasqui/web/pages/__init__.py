"""The door: what a browser finds where the API alone would have nothing for people to read.

| file | decides |
|---|---|
| `__init__.py` | which pages there are, and who gets one instead of a problem |
| `whole.py` | how a page becomes bytes that are packed, proved and kept by browsers |
| `template/` | what stands on them; `door.js` asks the API for everything |

Pages hold nothing of anybody: all that is somebody's comes from the API, which knows who asks.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, request
from werkzeug.exceptions import NotFound

from chasqui.web import problems
from chasqui.web.auth import open_to_all
from chasqui.web.pages import whole

pages = Blueprint("pages", __name__)
#: Where no page ever is: whoever asks there is a program, or wants what a program would get.
PROGRAMS = ("/api/", "/openapi")


@pages.get("/")
@open_to_all
def home() -> Response:
    return whole.page("home")


@pages.get("/invitation")
@open_to_all
def invitation() -> Response:
    return whole.page("invitation")


@pages.get("/password")
@open_to_all
def password() -> Response:
    return whole.page("password")


@pages.get("/enter")
@open_to_all
def enter() -> Response:
    return whole.page("enter")


@pages.get("/me")
@open_to_all
def me() -> Response:
    return whole.page("me")


@pages.get("/pages/<digest>/<name>")
@open_to_all
def part(digest: str, name: str) -> Response:
    if name not in whole.PARTS:
        abort(404)
    return whole.part(digest, name)


@pages.app_errorhandler(404)
def lost(error: NotFound) -> Response:
    """What is not there: a page for people, a problem for programs."""
    wanted = request.accept_mimetypes.best_match([problems.MEDIA_TYPE, "application/json", whole.HTML])
    if request.path.startswith(PROGRAMS) or wanted != whole.HTML:
        return problems.of_http(error)
    return whole.page("lost", 404)
