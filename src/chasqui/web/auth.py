"""Who asks, and whether they may. Every route names the action it is (`@needs("lessons.read")`) or says that it is open
to everybody (`@open_to_all`); a test holds all routes to that.

Programs send a token (`Authorization: Bearer …`). Browsers send a cookie, and with everything that changes something a
header that no other site can know (`X-CSRF-Token`, given with the session).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any, TypeVar

from flask import current_app, g, request

from chasqui.catalog import Catalog, accounts, factors
from chasqui.catalog.permissions import ACTIONS, Actor, Reach, Thing, allows, reach
from chasqui.errors import NotAllowed, NotSignedIn, SecondFactorMissing, UnknownThing
from chasqui.web.once import HEADER as KEY
from chasqui.web.once import once

F = TypeVar("F", bound=Callable[..., Any])

COOKIE = "chasqui"
HEADER = "X-CSRF-Token"
SAFE = ("GET", "HEAD", "OPTIONS")
#: Answers that hold secrets are not kept, so these are done as often as they are asked for.
SECRET = ("tokens.write", "people.write", "webhooks.write")
#: What takes a second factor, where the service asks for one.
GUARDED = ("people.write", "schools.write")


def needs(action: str) -> Callable[[F], F]:
    """The route is this action: whoever has no reach at all is turned away before it runs. How far it reaches, the
    route asks itself, with `permit` or `reach_of`.
    """

    def decorate(view: F) -> F:
        @wraps(view)
        def guarded(*args: Any, **rest: Any) -> Any:
            g.actor = actor = who()
            if reach(actor, action) == Reach.NOTHING:
                raise NotAllowed(why=action)
            if action in GUARDED and _second_factor() and not factors.has(catalog(), actor.person_id):
                raise SecondFactorMissing()
            if request.method == "POST" and KEY in request.headers and action not in SECRET:
                return once(catalog(), actor.person_id, lambda: view(*args, **rest))
            return view(*args, **rest)

        guarded.action = action  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def open_to_all(view: F) -> F:
    """The route asks nobody who they are."""
    view.action = None  # type: ignore[attr-defined]
    return view


def me() -> Actor:
    """Who asks."""
    actor: Actor = g.actor
    return actor


def permit(action: str, thing: Thing, kind: str, name: str) -> None:
    """Go on only if the one who asks may do this to that.

    Raises:
        UnknownThing: they may not even know that it is there.
        NotAllowed: they may see it, but not this.
    """
    if allows(me(), action, thing):
        return
    if (seeing := f"{kind}s.read") in ACTIONS and allows(me(), seeing, thing):
        raise NotAllowed(why=action)
    raise UnknownThing(kind=kind, name=name)


def catalog() -> Catalog:
    """The catalog of this application."""
    opened: Catalog = current_app.extensions["catalog"]
    return opened


def csrf_token(session: str) -> str:
    """What pages of this session send along with changes."""
    key = current_app.config["SECRET_KEY"].encode()
    return hmac.new(key, session.encode(), sha256).hexdigest()


def who() -> Actor:
    """Who asks, by token or cookie.

    Raises:
        NotSignedIn, NotAllowed
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return accounts.who_by_token(catalog(), token.strip())
    session = request.cookies.get(COOKIE, "")
    if not session:
        raise NotSignedIn()
    actor = accounts.who(catalog(), session)
    said = request.headers.get(HEADER, "").encode()  # as bytes: letters of other scripts cannot be compared
    if request.method not in SAFE and not hmac.compare_digest(said, csrf_token(session).encode()):
        raise NotAllowed(why=HEADER)
    return actor


def public() -> str:
    """Where we are reached, for links that are written down: what the operator says before what the request says, as
    a `Host` is whatever its sender likes.
    """
    url: str = current_app.extensions["service"].public_url
    return (url or request.host_url).rstrip("/")


def https() -> bool:
    """Whether cookies may be kept for HTTPS alone."""
    return request.is_secure or public().startswith("https:")


def _second_factor() -> bool:
    service = current_app.extensions["service"]
    return service.second_factor == "yes" or (service.second_factor == "auto" and bool(service.public_url))
