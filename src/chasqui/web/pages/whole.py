"""Pages and their parts as bytes: made once for each language, packed once, and not sent to whoever has them.

A page is asked about each time and answered with 304 as long as it is the same. Its parts (style, script, picture) are
kept for good: their addresses change with what is in them.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING

from flask import Response, request
from jinja2 import Environment, FunctionLoader, StrictUndefined

from chasqui import __version__
from chasqui.catalog.accounts import LINK_S
from chasqui.catalog.secrets import SHORTEST
from chasqui.web.problems import language
from chasqui.words import LANGUAGES, say

if TYPE_CHECKING:
    from collections.abc import Callable

#: What pages load, and what it is.
PARTS = {
    "door.css": "text/css",
    "door.js": "text/javascript",
    "me.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
HTML = "text/html"
#: Nothing from anywhere else, nothing written into the page itself, and no form that the browser sends by itself: a
#: password would be in the address when the script did not arrive.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
FOR_GOOD = "public, max-age=31536000, immutable"


def page(name: str, status: int = 200) -> Response:
    """A page in the language of whoever asks."""
    lang = language()
    chosen = request.args.get("lang") == lang
    made = partial(_page, name, lang, chosen)
    response = _answer(made, HTML, status)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Vary"] = "Accept, Accept-Encoding, Accept-Language"
    return response


def part(digest: str, name: str) -> Response:
    """A part by its address. Where two versions serve side by side, one may be asked for what the other one has: ours
    is better than none, as long as nobody keeps it.
    """
    response = _answer(partial(_part, name), PARTS[name])
    response.headers["Cache-Control"] = FOR_GOOD if digest == _digest(_part(name)) else "no-cache"
    response.headers["Vary"] = "Accept-Encoding"
    return response


def address(name: str) -> str:
    """Where a part is, as it is now."""
    return f"/pages/{_digest(_part(name))}/{name}"


def _answer(made: Callable[[], bytes], kind: str, status: int = 200) -> Response:
    packed = request.accept_encodings["gzip"] > 0
    data = _packed(made()) if packed else made()
    response = Response(data, status, mimetype=kind)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.set_etag(_digest(data))
    if status == 200:
        response.make_conditional(request)
    return response


@cache
def _page(name: str, lang: str, chosen: bool) -> bytes:
    """`chosen`: somebody asked for this language, so that links go on in it."""
    (other,) = set(LANGUAGES) - {lang}
    text = _pages().get_template(f"{name}.html")
    told = text.render(
        w=lambda key, **facts: say(f"pages.{key}", lang, **facts),
        lang=lang,
        other=other,
        tail=f"?lang={lang}" if chosen else "",
        part=address,
        version=__version__,
        days=round(LINK_S / 86_400),
        shortest=SHORTEST,
    )
    return _lean(told)


@cache
def _part(name: str) -> bytes:
    return _lean(_asset(name))


@cache
def _packed(data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)


@cache
def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


@cache
def _pages() -> Environment:
    return Environment(
        loader=FunctionLoader(_asset), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _asset(name: str) -> str:
    return (files(__package__) / "template" / name).read_text(encoding="utf-8")


def _lean(text: str) -> bytes:
    """Without what is there for us: comments that begin a line, indents, empty lines."""
    text = re.sub(r"^\s*/\*.*?\*/", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join(line for line in map(str.strip, text.splitlines()) if line).encode()
