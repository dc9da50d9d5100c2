"""One row by its id, for those who may."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from chasqui.catalog.permissions import Thing
from chasqui.errors import UnknownThing
from chasqui.web.auth import catalog, permit

T = TypeVar("T")


def found(table: type[T], key: str, action: str, kind: str, thing: Callable[[T], Thing | None]) -> T:
    """The row, if the one who asks may do this to it. `thing`: what it is to permission; None: it is no more.

    Raises:
        UnknownThing: there is none, or none that they may know of.
        NotAllowed: they may see it, but not this.
    """
    with catalog().reading() as db:
        row = db.get(table, key)
    of = thing(row) if row is not None else None
    if row is None or of is None:
        raise UnknownThing(kind=kind, name=key)
    permit(action, of, kind, key)
    return row
